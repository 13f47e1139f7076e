//! A checked expression.
use super::node::{Dag, NodeId, Op};
use crate::exceptions::Exception;
use base::{DType, Diagnostic, DimMask, Field, Span, Value};
use std::sync::Arc;

/// An expression whose names and types are right for a schema. It prints in canonical form,
/// with constants folded: two that print alike compute the same.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The type of its values.
    pub dtype: DType,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The dimensions of the schema's domain that it varies along.
    pub mask: DimMask,
    /// Where it stands in the pipeline file.
    pub span: Span,
    /// What may be meant in it, but is often taken for something else.
    pub notes: Arc<[Diagnostic]>,
    pub(crate) dag: Arc<Dag>,
    pub(crate) root: NodeId,
}

impl Typed {
    pub(crate) fn new(dag: Arc<Dag>, root: NodeId, span: Span) -> Typed {
        let node = &dag.nodes[root];
        let (dtype, nullable, mask) = (node.dtype, node.nullable, node.mask);
        Typed { dtype, nullable, mask, span, notes: Arc::from([]), dag, root }
    }

    /// The column of a schema as an expression.
    pub fn of_column(field: &Field, span: Span) -> Typed {
        let mut dag = Dag::default();
        let root = dag.column(field.name.clone(), field.dtype, field.nullable, field.mask);
        Typed::new(Arc::new(dag), root, span)
    }

    /// The names of the columns it needs, each once.
    pub fn columns(&self) -> Vec<Arc<str>> {
        self.ops()
            .filter_map(|op| if let Op::Column(name) = op { Some(name.clone()) } else { None })
            .collect()
    }

    /// Whether it needs the index of each row in the domain, as `random` does.
    pub fn needs_index(&self) -> bool {
        self.ops().any(|op| matches!(op, Op::Index))
    }

    /// Its value, if that is known before the run.
    pub fn constant(&self) -> Option<&Value> {
        match &self.dag.nodes[self.root].op {
            Op::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The name of the column, if it is nothing but one.
    pub fn as_column(&self) -> Option<&str> {
        match &self.dag.nodes[self.root].op {
            Op::Column(name) => Some(name),
            _ => None,
        }
    }

    /// A field of this name that holds its values.
    pub fn field(&self, name: impl Into<Arc<str>>) -> Field {
        Field { nullable: self.nullable, ..Field::new(name, self.dtype, self.mask) }
    }

    /// What its constants met, and where in the pipeline file: such as `5 // 0`.
    pub fn exceptions(&self) -> &[(Exception, Span)] {
        &self.dag.folded
    }

    /// Notes the step that it is part of, to be told with what goes wrong in it.
    pub fn set_step(&mut self, step: &Arc<str>) {
        for node in &mut Arc::make_mut(&mut self.dag).nodes {
            node.step.get_or_insert_with(|| step.clone());
        }
    }

    fn ops(&self) -> impl Iterator<Item = &Op> {
        let needed = self.dag.needed([self.root]);
        self.dag.nodes.iter().zip(needed).filter(|(_, n)| *n).map(|(node, _)| &node.op)
    }
}
