//! Borrowed blocks of values: what programs hand to reductions.
use arrow_array::StringArray;

/// A block of values of one type. All variants hold as many values as the block has rows.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// bool
    Bool(&'a [bool]),
    /// int32
    Int32(&'a [i32]),
    /// int64, and timestamps
    Int64(&'a [i64]),
    /// float32
    Float32(&'a [f32]),
    /// float64
    Float64(&'a [f64]),
    /// string: rows `0..len` of the array
    String(&'a StringArray),
}

/// Which values are there: `None` all of them, else `true` where the value is not missing.
/// What stands in `Values` at a missing place is arbitrary.
pub type Validity<'a> = Option<&'a [bool]>;

/// To which group each row of a block belongs.
#[derive(Clone, Copy, Debug)]
pub enum Groups<'a> {
    /// All rows to this one.
    One(u32),
    /// Each row to its own.
    Each(&'a [u32]),
}

/// The index of each row of a block in the domain.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    /// Consecutive, from this one on.
    From(i64),
    /// Each row its own.
    Each(&'a [i64]),
}
