//! The values of a source in one tile, and how blocks of them are read.
use super::layout::{Layout, Span};
use crate::isa::{self, Loop};
use crate::kernels::{Arg, Buffer, Register};
use crate::{Validity, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use base::{DType, Failure};
use std::sync::Arc;

/// Values that blocks read.
#[derive(Clone, Debug)]
pub enum Data {
    /// An Arrow array, of numbers or strings, and its validity if anything is missing.
    Array(ArrayRef, DType, Option<Arc<Vec<bool>>>),
    /// Values computed before.
    Own(Arc<Register>),
    /// `start + step * offset`, int64.
    Affine {
        /// The value at offset 0.
        start: i64,
        /// The difference between neighbours.
        step: i64,
    },
}

impl Data {
    /// The values of an Arrow array.
    ///
    /// # Errors
    /// If it is not of the type.
    pub fn of_array(array: &ArrayRef, dtype: DType) -> Result<Data, Failure> {
        if *array.data_type() != dtype.arrow() || dtype == DType::Binary {
            let found = array.data_type();
            let message = format!("a column of {dtype} holds an array of {found}");
            return Err(Failure::internal(message));
        }
        let nulls = array.nulls().filter(|n| n.null_count() > 0);
        let validity = nulls.map(|n| n.iter().collect::<Vec<bool>>());
        if dtype != DType::Bool {
            return Ok(Data::Array(array.clone(), dtype, validity.map(Arc::new)));
        }
        let values = Buffer::Bool(array.as_boolean().values().iter().collect());
        let nullable = validity.is_some();
        Ok(Data::Own(Arc::new(Register {
            values,
            nullable,
            validity: validity.unwrap_or_default(),
        })))
    }

    /// All values; `None` for those that are computed on the way.
    pub fn values(&self) -> Option<Values<'_>> {
        Some(match self {
            Data::Array(a, DType::Int32, _) => {
                Values::Int32(a.as_primitive::<Int32Type>().values())
            }
            Data::Array(a, DType::Int64, _) => {
                Values::Int64(a.as_primitive::<Int64Type>().values())
            }
            Data::Array(a, DType::Timestamp, _) => {
                Values::Int64(a.as_primitive::<TimestampMicrosecondType>().values())
            }
            Data::Array(a, DType::Float32, _) => {
                Values::Float32(a.as_primitive::<Float32Type>().values())
            }
            Data::Array(a, DType::Float64, _) => {
                Values::Float64(a.as_primitive::<Float64Type>().values())
            }
            Data::Array(a, ..) => Values::String(a.as_string::<i32>()),
            Data::Own(register) => register.values.values(),
            Data::Affine { .. } => return None,
        })
    }

    fn validity(&self) -> Validity<'_> {
        match self {
            Data::Array(.., validity) => validity.as_ref().map(|v| &v[..]),
            Data::Own(register) => register.validity(),
            Data::Affine { .. } => None,
        }
    }
}

/// The values of a source, and where each point of the tile finds its own.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub data: Data,
    /// The offset of the tile's first point.
    pub base: usize,
    /// For each dimension of the domain.
    pub strides: Vec<usize>,
    /// Over the whole tile.
    pub layout: Layout,
}

impl Loaded {
    pub fn new(data: Data, base: usize, strides: Vec<usize>, shape: &[usize]) -> Loaded {
        let layout = Layout::new(base, shape, &strides);
        Loaded { data, base, strides, layout }
    }
}

/// The points of a block.
#[derive(Clone, Copy, Debug)]
pub enum Points<'a> {
    /// All from `start` on.
    Range {
        /// The first point.
        start: usize,
        /// How many.
        len: usize,
    },
    /// These, ascending.
    Each(&'a [u32]),
}

impl Points<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Points::Range { len, .. } => *len,
            Points::Each(list) => list.len(),
        }
    }
}

/// Where a block's values were left.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Place {
    /// In the register.
    #[default]
    Register,
    /// In the source, from this offset on, as many as the block has rows.
    Slice(usize),
    /// In the source: this one for all rows.
    Single(usize),
}

/// Reads a block of a source: into the register, unless it can be used where it is.
pub fn read(data: &Data, layout: &Layout, points: Points, to: &mut Register) -> Place {
    let span = match points {
        Points::Range { start, len } => layout.span(start, len),
        Points::Each([]) => Span::Runs,
        Points::Each(list) => {
            let (first, last) = (list[0] as usize, list[list.len() - 1] as usize);
            match layout.span(first, last - first + 1) {
                Span::Single(offset) => Span::Single(offset),
                _ => Span::Runs,
            }
        }
    };
    let whole = data.values();
    match (whole, span) {
        (Some(Values::String(strings)), _) => read_strings(strings, span, layout, points, to),
        (Some(_), Span::Slice(offset)) => return Place::Slice(offset),
        (Some(_), Span::Single(offset)) => return Place::Single(offset),
        (Some(values), Span::Runs) => read_values(values, layout, points, &mut to.values),
        (None, _) => {
            read_affine(data, layout, points, to);
            return Place::Register;
        }
    }
    to.nullable = false;
    if let Some(validity) = data.validity() {
        to.nullable = true;
        to.validity.clear();
        copy(validity, layout, points, &mut to.validity);
    }
    Place::Register
}

fn read_values(values: Values, layout: &Layout, points: Points, to: &mut Buffer) {
    match (values, to) {
        (Values::Bool(x), Buffer::Bool(to)) => replace(x, layout, points, to),
        (Values::Int32(x), Buffer::Int32(to)) => replace(x, layout, points, to),
        (Values::Int64(x), Buffer::Int64(to)) => replace(x, layout, points, to),
        (Values::Float32(x), Buffer::Float32(to)) => replace(x, layout, points, to),
        (Values::Float64(x), Buffer::Float64(to)) => replace(x, layout, points, to),
        // Registers have the types of what is read into them.
        _ => {}
    }
}

fn replace<T: Copy>(from: &[T], layout: &Layout, points: Points, to: &mut Vec<T>) {
    to.clear();
    copy(from, layout, points, to);
}

fn copy<T: Copy>(from: &[T], layout: &Layout, points: Points, to: &mut Vec<T>) {
    match points {
        Points::Each(list) => each(list, layout, to, |offset| from[offset]),
        Points::Range { start, len } => {
            layout.runs(start, len, |offset, stride, count| match stride {
                0 => to.resize(to.len() + count, from[offset]),
                1 => to.extend_from_slice(&from[offset..offset + count]),
                _ => to.extend(from[offset..].iter().step_by(stride).take(count)),
            })
        }
    }
}

/// Appends what stands at the offset of each point.
fn each<T>(list: &[u32], layout: &Layout, to: &mut Vec<T>, at: impl Fn(usize) -> T) {
    match layout.linear() {
        Some((base, 1)) => to.extend(list.iter().map(|p| at(base + *p as usize))),
        Some((base, stride)) => to.extend(list.iter().map(|p| at(base + *p as usize * stride))),
        None => to.extend(list.iter().map(|p| at(layout.offset(*p as usize)))),
    }
}

fn read_strings(
    strings: &arrow_array::StringArray,
    span: Span,
    layout: &Layout,
    points: Points,
    to: &mut Register,
) {
    let array = match span {
        Span::Slice(offset) => strings.slice(offset, points.len()),
        _ => {
            let mut offsets: Vec<u32> = Vec::with_capacity(points.len());
            match points {
                Points::Each(list) => {
                    offsets.extend(list.iter().map(|p| layout.offset(*p as usize) as u32));
                }
                Points::Range { start, len } => layout.runs(start, len, |offset, stride, count| {
                    offsets.extend((0..count).map(|i| (offset + i * stride) as u32));
                }),
            }
            crate::kernels::take_strings(strings, &offsets)
        }
    };
    to.values = Buffer::String(array);
}

fn read_affine(data: &Data, layout: &Layout, points: Points, to: &mut Register) {
    let (Data::Affine { start, step }, Buffer::Int64(out)) = (data, &mut to.values) else { return };
    let (start, step) = (*start, *step);
    let value = |offset: usize| start.wrapping_add(step.wrapping_mul(offset as i64));
    out.resize(points.len(), 0);
    match (points, layout.linear()) {
        (Points::Each(list), Some((base, stride))) => {
            let (first, step) = (value(base), step.wrapping_mul(stride as i64));
            isa::run(Steps { first, step, points: list, out });
        }
        (Points::Each(list), None) => {
            let offsets = list.iter().map(|p| layout.offset(*p as usize));
            out.iter_mut().zip(offsets).for_each(|(out, offset)| *out = value(offset));
        }
        (Points::Range { start, len }, _) => {
            let mut out = &mut out[..];
            layout.runs(start, len, |offset, stride, count| {
                let (here, after) = std::mem::take(&mut out).split_at_mut(count);
                isa::run(Counter(value(offset), step.wrapping_mul(stride as i64), here));
                out = after;
            });
        }
    }
    to.nullable = false;
}

/// Fills `out` with `first + step * point`.
struct Steps<'a> {
    first: i64,
    step: i64,
    points: &'a [u32],
    out: &'a mut [i64],
}

impl Loop for Steps<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Steps { first, step, points, out } = self;
        if step == 1 {
            for (out, point) in out.iter_mut().zip(points) {
                *out = first.wrapping_add(i64::from(*point));
            }
            return;
        }
        for (out, point) in out.iter_mut().zip(points) {
            *out = first.wrapping_add(step.wrapping_mul(i64::from(*point)));
        }
    }
}

/// Fills with numbers from the first on, this far apart.
struct Counter<'a>(i64, i64, &'a mut [i64]);

impl Loop for Counter<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Counter(first, step, out) = self;
        for (i, out) in out.iter_mut().enumerate() {
            *out = first.wrapping_add(step.wrapping_mul(i as i64));
        }
    }
}

/// The block as an argument of a kernel: as many values as it has rows, or one.
pub fn arg<'a>(data: &'a Data, register: &'a Register, place: Place, rows: usize) -> Arg<'a> {
    let (offset, count) = match place {
        Place::Register => return register.arg(),
        Place::Slice(offset) => (offset, rows),
        Place::Single(offset) => (offset, 1),
    };
    let range = offset..offset + count;
    let values = match data.values() {
        Some(Values::Bool(v)) => Values::Bool(&v[range.clone()]),
        Some(Values::Int32(v)) => Values::Int32(&v[range.clone()]),
        Some(Values::Int64(v)) => Values::Int64(&v[range.clone()]),
        Some(Values::Float32(v)) => Values::Float32(&v[range.clone()]),
        Some(Values::Float64(v)) => Values::Float64(&v[range.clone()]),
        // Strings and computed values always go through the register.
        _ => return register.arg(),
    };
    Arg { values, validity: data.validity().map(|v| &v[range]) }
}

/// Moves a block into the register, as many values as rows, wherever it was.
pub fn settle(data: &Data, register: &mut Register, place: Place, rows: usize) {
    let layout = match place {
        Place::Register => return,
        Place::Slice(offset) => Layout::new(offset, &[rows], &[1]),
        Place::Single(offset) => Layout::new(offset, &[rows], &[0]),
    };
    let points = Points::Range { start: 0, len: rows };
    if let Some(values) = data.values() {
        read_values(values, &layout, points, &mut register.values);
    }
    register.nullable = false;
    if let Some(validity) = data.validity() {
        register.nullable = true;
        replace(validity, &layout, points, &mut register.validity);
    }
}
