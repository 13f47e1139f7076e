//! Parts of timestamps, in UTC and the proleptic Gregorian calendar.
use super::Function;
use crate::check::{Arguments, Built};
use crate::kernels::{calendar, map1};
use base::DType;

/// `year(time)`
pub static YEAR: Function = Function {
    name: "year",
    aliases: &[],
    signature: "year(time)",
    doc: "The year of a time.",
    examples: &[("year(timestamp('2024-12-31T23:59:58'))", "2024")],
    arity: 1..=1,
    build: |a| part(a, calendar::year),
};

/// `month(time)`
pub static MONTH: Function = Function {
    name: "month",
    aliases: &[],
    signature: "month(time)",
    doc: "The month of a time, 1 to 12.",
    examples: &[("month(timestamp('2024-12-31T23:59:58'))", "12")],
    arity: 1..=1,
    build: |a| part(a, calendar::month),
};

/// `day(time)`
pub static DAY: Function = Function {
    name: "day",
    aliases: &[],
    signature: "day(time)",
    doc: "The day of the month of a time, from 1.",
    examples: &[("day(timestamp('2024-12-31T23:59:58'))", "31")],
    arity: 1..=1,
    build: |a| part(a, calendar::day),
};

/// `dayofyear(time)`
pub static DAYOFYEAR: Function = Function {
    name: "dayofyear",
    aliases: &[],
    signature: "dayofyear(time)",
    doc: "The day of the year of a time, from 1.",
    examples: &[("dayofyear(timestamp('2024-12-31T23:59:58'))", "366")],
    arity: 1..=1,
    build: |a| part(a, calendar::day_of_year),
};

/// `hour(time)`
pub static HOUR: Function = Function {
    name: "hour",
    aliases: &[],
    signature: "hour(time)",
    doc: "The hour of a time, 0 to 23.",
    examples: &[("hour(timestamp('2024-12-31T23:59:58'))", "23")],
    arity: 1..=1,
    build: |a| part(a, calendar::hour),
};

/// `minute(time)`
pub static MINUTE: Function = Function {
    name: "minute",
    aliases: &[],
    signature: "minute(time)",
    doc: "The minute of a time, 0 to 59.",
    examples: &[("minute(timestamp('2024-12-31T23:59:58'))", "59")],
    arity: 1..=1,
    build: |a| part(a, calendar::minute),
};

/// `second(time)`
pub static SECOND: Function = Function {
    name: "second",
    aliases: &[],
    signature: "second(time)",
    doc: "The whole second of a time, 0 to 59.",
    examples: &[("second(timestamp('2024-12-31T23:59:58'))", "58")],
    arity: 1..=1,
    build: |a| part(a, calendar::second),
};

fn part(a: &mut Arguments, of: fn(i64) -> i32) -> Built {
    let time = a.exactly(0, DType::Timestamp)?;
    a.apply(&[time], DType::Int32, map1(of))
}
