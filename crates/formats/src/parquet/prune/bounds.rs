//! What statistics say of the values of some rows, and whether any of them may pass a test.
use crate::{Ask, Comparison};
use base::{DType, Value};
use std::cmp::Ordering;

/// What is known of the values of a column in some rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    /// No value but NaN is less than this.
    pub low: Option<Value>,
    /// No value but NaN is greater than this.
    pub high: Option<Value>,
    /// Whether the bounds are values that are there, not shorter or longer than those.
    pub exact: bool,
    /// How many values are missing.
    pub nulls: Option<u64>,
    /// How many rows there are.
    pub rows: u64,
}

impl Bounds {
    /// Whether a row may pass, as far as this is known.
    pub(super) fn may_pass(&self, ask: &Ask) -> bool {
        match ask {
            _ if self.rows == 0 => false,
            Ask::Missing(true) => self.nulls != Some(0),
            Ask::Missing(false) => self.nulls != Some(self.rows),
            Ask::Compare { .. } if self.nulls == Some(self.rows) => false,
            Ask::Compare { op, constant, within } => self.may_compare(*op, constant, *within),
        }
    }

    fn may_compare(&self, op: Comparison, constant: &Value, within: DType) -> bool {
        use Comparison::*;
        let (low, high) = (self.low.as_ref(), self.high.as_ref());
        if let (Some(low), Some(high)) = (low, high)
            && order(low, high, within) == Some(Ordering::Greater)
        {
            // Statistics that contradict themselves say nothing.
            return true;
        }
        let to_constant = |bound: Option<&Value>| bound.and_then(|b| order(b, constant, within));
        let (low_is, high_is) = (to_constant(low), to_constant(high));
        match op {
            Eq => low_is != Some(Ordering::Greater) && high_is != Some(Ordering::Less),
            Lt => low_is.is_none_or(Ordering::is_lt),
            Le => low_is.is_none_or(Ordering::is_le),
            Gt => high_is.is_none_or(Ordering::is_gt),
            Ge => high_is.is_none_or(Ordering::is_ge),
            // NaN, which bounds leave out, is not equal.
            Ne => {
                let all_equal = low_is == Some(Ordering::Equal) && high_is == Some(Ordering::Equal);
                !(self.exact && all_equal && !matches!(low, Some(Value::Float(_))))
            }
        }
    }
}

/// The order of two values, both converted as the comparison would; `None` if that is unknown.
fn order(a: &Value, b: &Value, within: DType) -> Option<Ordering> {
    match within {
        DType::Float64 => number(a)?.partial_cmp(&number(b)?),
        DType::Float32 => (number(a)? as f32).partial_cmp(&(number(b)? as f32)),
        DType::Int32 | DType::Int64 => Some(integer(a)?.cmp(&integer(b)?)),
        _ => match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Str(a), Value::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
            _ => None,
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        value => value.as_f64(),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Int(i) => Some(*i),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPS: [Comparison; 6] = [
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Lt,
        Comparison::Le,
        Comparison::Gt,
        Comparison::Ge,
    ];

    fn bounds(low: f64, high: f64) -> Bounds {
        let bound = |x| Some(Value::Float(x));
        Bounds { low: bound(low), high: bound(high), exact: true, nulls: Some(0), rows: 4 }
    }

    fn passes(bounds: &Bounds, constant: Value, within: DType) -> Vec<bool> {
        let ask = |op| Ask::Compare { op, constant: constant.clone(), within };
        OPS.iter().map(|op| bounds.may_pass(&ask(*op))).collect()
    }

    #[test]
    fn every_value_between_the_bounds_passes_if_it_should() {
        let values = [-2.0, -1.0, -0.0, 0.0, 1.0, 2.0];
        for (i, low) in values.iter().enumerate() {
            for high in &values[i..] {
                let inside = values.iter().filter(|v| *v >= low && *v <= high);
                let inside: Vec<f64> = inside.copied().chain([f64::NAN]).collect();
                for c in values {
                    let may = passes(&bounds(*low, *high), Value::Float(c), DType::Float64);
                    let does = |test: fn(&f64, &f64) -> bool| inside.iter().any(|v| test(v, &c));
                    let does = [
                        does(f64::eq),
                        does(f64::ne),
                        does(f64::lt),
                        does(f64::le),
                        does(f64::gt),
                        does(f64::ge),
                    ];
                    assert_eq!(may, does, "{low}..{high} ? {c}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_known_passes() {
        let all = [true; 6];
        let five = Value::Float(5.0);
        assert_eq!(passes(&bounds(f64::NAN, f64::NAN), five.clone(), DType::Float64), all);
        assert_eq!(passes(&bounds(9.0, 1.0), five.clone(), DType::Float64), all);
        let unknown = Bounds { rows: 4, ..Bounds::default() };
        assert_eq!(passes(&unknown, five.clone(), DType::Float64), all);
        assert!(unknown.may_pass(&Ask::Missing(true)) && unknown.may_pass(&Ask::Missing(false)));
        let nulls = Bounds { nulls: Some(4), rows: 4, ..Bounds::default() };
        assert_eq!(passes(&nulls, five, DType::Float64), [false; 6]);
        assert!(nulls.may_pass(&Ask::Missing(true)) && !nulls.may_pass(&Ask::Missing(false)));
    }

    #[test]
    fn types_are_compared_as_the_filter_does() {
        let big = (1i64 << 53) + 1;
        let ints = Bounds {
            low: Some(Value::Int(big)),
            high: Some(Value::Int(big)),
            exact: true,
            nulls: Some(0),
            rows: 1,
        };
        // As float64 it is 2^53.
        let found = passes(&ints, Value::Float((1i64 << 53) as f64), DType::Float64);
        assert_eq!(found, [true, false, false, true, false, true]);
        let found = passes(&ints, Value::Int(1 << 53), DType::Int64);
        assert_eq!(found, [false, true, false, false, true, true]);
        let words = Bounds {
            low: Some(Value::Str("ab".into())),
            high: Some(Value::Str("ab".into())),
            exact: false,
            nulls: None,
            rows: 2,
        };
        let found = passes(&words, Value::Str("ab".into()), DType::String);
        assert_eq!(found, [true, true, false, true, false, true]);
    }
}
