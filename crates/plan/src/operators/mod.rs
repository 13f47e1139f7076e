//! The operators: one file each, and the table of them.
use crate::build::Builder;
use crate::operator::Operator;
use crate::spec::Spec;

mod axes;
mod call;
mod concat;
mod dead_letters;
mod distinct;
mod drop;
mod each;
mod fetch;
mod files;
mod filter;
mod grid;
mod join;
mod map;
mod names;
mod partition;
mod range;
mod read;
mod reduce;
mod rename;
mod rows;
mod select;
mod show;
mod sort;
pub mod stream;
mod top;
mod write;

pub(crate) use dead_letters::dead_letters;
pub use map::field;

base::table! {
    /// All operators by name.
    pub OPERATORS: Operator = [
        call::CALL,
        concat::CONCAT,
        distinct::DISTINCT,
        drop::DROP,
        each::EACH,
        fetch::FETCH,
        files::FILES,
        filter::FILTER,
        grid::GRID,
        join::JOIN,
        map::MAP,
        partition::PARTITION,
        range::RANGE,
        read::READ,
        reduce::REDUCE,
        rename::RENAME,
        rows::ROWS,
        select::SELECT,
        show::SHOW,
        sort::SORT,
        stream::STREAM,
        top::TOP,
        write::WRITE,
    ]
}

/// The operator of this name.
pub fn operator(name: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|o| o.name == name).copied()
}

impl Operator {
    /// Whether formats add keys of their own: those of `read` and `write` do.
    pub fn keys_of_formats(&self) -> bool {
        self.name == "read" || self.name == "write"
    }
}

/// Reports the rows of the steps that end a path without a sink.
pub fn implicit_show(spec: &Spec, b: &mut Builder) {
    for (i, step) in spec.steps.iter().enumerate() {
        let used = spec.steps.iter().any(|other| other.inputs.contains(&i));
        let sink = ["write", "show"].contains(&step.operator.name);
        if let (false, false, Some(node)) = (used, sink, b.made[i]) {
            show::all_rows(b, step, node);
        }
    }
}
