//! Tables of entries: operators, functions, reductions, formats, verbs.

/// What every entry of a table tells of itself, so that `list` and `doc` print from the table.
pub trait Entry {
    /// The name users type.
    fn name(&self) -> &'static str;
    /// What it does; the first line is a whole sentence and stands in lists.
    fn doc(&self) -> &'static str;

    /// The first line of the doc.
    fn summary(&self) -> &'static str {
        self.doc().lines().next().unwrap_or("")
    }
}

/// Makes a sorted table of entries, one line each, with a look-up by name:
/// `table! { pub FUNCTIONS: Function = [abs::ENTRY, …] }`.
#[macro_export]
macro_rules! table {
    ($(#[$meta:meta])* $vis:vis $name:ident: $entry:ty = [$($item:expr,)*] $(;)?) => {
        $(#[$meta])*
        $vis static $name: &[&$entry] = &[$(&$item,)*];
    };
}
