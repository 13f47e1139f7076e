//! The columns of all rows of a start: those that could not be run have none.
use super::retry::Done;
use super::spec::Stdout;
use super::stdout;
use crate::Answer;
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array, new_null_array,
};
use arrow_select::take::take;
use base::{DType, DimMask, Field};
use std::sync::Arc;

/// The columns of every call, before those of its output.
pub(super) const OWN: [(&str, DType); 4] = [
    ("exit", DType::Int64),
    ("seconds", DType::Float64),
    ("stderr", DType::String),
    ("attempts", DType::Int64),
];

/// Bytes of standard error of one start, in all of its rows together.
const COPIES: usize = 64 << 20;

/// All columns of a call.
pub(super) fn fields(stdout: &Stdout) -> Vec<Field> {
    let own = OWN.iter().map(|(name, dtype)| ((*name).into(), *dtype));
    let all = own.chain(stdout::columns(stdout));
    all.map(|(name, dtype): (Arc<str>, DType)| Field {
        nullable: true,
        ..Field::new(name, dtype, DimMask::only(0))
    })
    .collect()
}

/// Puts together what came of the rows. A failed row goes out once, with what is known of its end.
pub(super) fn assemble(
    fields: &[Field],
    mut errors: Vec<Option<String>>,
    done: Option<Done>,
) -> Answer {
    let Some(done) = done else {
        let columns = fields.iter().map(|f| new_null_array(&f.dtype.arrow(), errors.len()));
        return Answer { columns: columns.collect(), errors, ..Answer::default() };
    };
    let ran: Vec<bool> = errors.iter().map(Option::is_none).collect();
    let Done { exit, seconds, stderr, attempts, result } = done;
    let (parsed, made) = match result {
        Ok((parsed, made)) => (Some(parsed), made),
        Err(why) => {
            let failed = errors.iter_mut().filter(|e| e.is_none());
            failed.for_each(|e| *e = Some(why.clone()));
            (None, Vec::new())
        }
    };
    // For each row that goes out: whether it was run, and its place in the output.
    let mut places: Vec<(bool, Option<u32>)> = Vec::with_capacity(ran.len());
    let mut repeats = Vec::with_capacity(ran.len());
    let (mut next, mut counts) = (0, parsed.iter().flat_map(|p| p.counts.iter()));
    for ran in ran {
        let count = if ran { counts.next().copied() } else { None };
        let from = places.len();
        match count {
            Some(count) => places.extend((next..next + count).map(|place| (true, Some(place)))),
            None => places.push((ran, None)),
        }
        next += count.unwrap_or(0);
        repeats.push(u32::try_from(places.len() - from).unwrap_or(u32::MAX));
    }
    let of = |ran: &(bool, Option<u32>)| ran.0;
    let stderr = stderr.map(|text| shortened(text, places.len()));
    let stderr = stderr.as_deref();
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(places.iter().map(|p| exit.filter(|_| of(p))).collect::<Int64Array>()),
        Arc::new(places.iter().map(|p| seconds.filter(|_| of(p))).collect::<Float64Array>()),
        Arc::new(places.iter().map(|p| stderr.filter(|_| of(p))).collect::<StringArray>()),
        Arc::new(places.iter().map(|p| of(p).then_some(attempts)).collect::<Int64Array>()),
    ];
    let taken = places.iter().map(|(_, place)| *place).collect::<UInt32Array>();
    // Then the output's rows are those that go out, in the same order.
    let whole = taken.null_count() == 0;
    for (i, field) in fields[OWN.len()..].iter().enumerate() {
        let column = parsed.as_ref().and_then(|p| p.columns.get(i));
        columns.push(match column {
            Some(column) if whole => column.clone(),
            Some(column) => take(column, &taken, None)
                .unwrap_or_else(|_| new_null_array(&field.dtype.arrow(), places.len())),
            None => new_null_array(&field.dtype.arrow(), places.len()),
        });
    }
    let repeats = repeats.iter().any(|n| *n != 1).then_some(repeats);
    let errors = if errors.iter().all(Option::is_none) { Vec::new() } else { errors };
    Answer { columns, repeats, errors, made }
}

/// The end of a text of which so many copies do not become too large.
fn shortened(text: String, copies: usize) -> String {
    let mut from = text.len().saturating_sub(COPIES / copies.max(1));
    while !text.is_char_boundary(from) {
        from += 1;
    }
    if from == 0 { text } else { format!("…{}", &text[from..]) }
}
