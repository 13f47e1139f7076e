//! Names of columns that a plan makes for itself, which no column of the user's has.
use base::Schema;

/// Such names: they begin with more `#` than the names of any of the columns around.
#[derive(Clone, Debug)]
pub struct Names {
    signs: String,
}

impl Names {
    /// Names beside the columns of two schemas.
    pub fn new(one: &Schema, other: &Schema) -> Names {
        let signs = |name: &str| name.len() - name.trim_start_matches('#').len();
        let most = one.names().chain(other.names()).map(signs).max().unwrap_or(0);
        Names { signs: "#".repeat(most + 1) }
    }

    /// That of the `i`-th result of a reduction.
    pub fn result(&self, i: usize) -> String {
        format!("{}{i}", self.signs)
    }

    /// That of the `i`-th key.
    pub fn key(&self, i: usize) -> String {
        format!("{}key{i}", self.signs)
    }

    /// That of the `i`-th argument of the reductions.
    pub fn argument(&self, i: usize) -> String {
        format!("{}argument{i}", self.signs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{DType, DimMask, Field};

    #[test]
    fn no_column_around_has_them() {
        let field = |name: &str| Field::new(name, DType::Int64, DimMask::only(0));
        let of =
            |names: [&str; 2]| Schema { fields: names.map(field).to_vec(), ..Schema::default() };
        let names = Names::new(&of(["a", "b"]), &of(["c", "a#0"]));
        assert_eq!(
            [names.result(0), names.key(1), names.argument(2)],
            ["#0", "#key1", "#argument2"]
        );
        let names = Names::new(&of(["a", "#0"]), &of(["##key", "b"]));
        assert_eq!(names.key(0), "###key0");
    }
}
