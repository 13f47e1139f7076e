//! What a format remembers of a file, to put it beside others without opening it again.
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Something that only the format itself understands.
#[derive(Clone)]
pub struct Memo(Arc<dyn Any + Send + Sync>);

impl Memo {
    /// Of this.
    pub fn new<T: Any + Send + Sync>(what: T) -> Memo {
        Memo(Arc::new(what))
    }

    /// What it is of, if it is of such.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.clone().downcast().ok()
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Memo")
    }
}
