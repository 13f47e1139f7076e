//! Whether a block may hold a row that meets an exception: one pass over one argument, by vectors.
//!
//! Measured in bare loops over blocks of 4096 values, AVX-512 and (in brackets) AVX2, one thread,
//! ns a value:
//!
//! | operation | takes | its test | |
//! |---|---|---|---|
//! | `x // y` of int64 | 1.45 (1.43) | 0.06 (0.06) | always |
//! | `x << y` of int64 | 0.13 (0.13) | 0.06 (0.08) | always |
//! | float64 to int64 | 0.52 (0.49) | 0.17 (0.11) | always |
//! | int64 to int32 | 0.05 (0.05) | 0.06 (0.08) | always |
//! | `x + y` of int64, wrapped | 0.13 (0.12) | 0.12 (0.12) | strict only |
//! | `x + y` of float64, NaN | 0.11 (0.12) | 0.06 (0.07) | strict only |
//!
//! The first four are rare, and reading a value from memory takes more. Sums and products are what
//! programs are made of, and most of theirs never leave the first cache: a test of each would double
//! their time. Divisors and shifts that are constants and right are not tested at all.
use super::exact::fits;
use super::{Exception, bits_of};
use crate::dag::{Dag, Node, Op};
use crate::isa::{self, Loop};
use crate::kernels::{Arg, Element};
use base::{DType, Failure, Value};

/// The test of one argument of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quick {
    /// The argument.
    argument: usize,
    /// Its values that meet nothing.
    test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    /// Integers other than zero.
    NotZero,
    /// Integers from the first to below the second.
    Within(i64, i64),
    /// Floats that fit the integer type.
    Fits(DType),
}

impl Quick {
    /// The test for an exception of a node; none where it would cost as much as the operation.
    pub fn of(exception: Exception, dag: &Dag, node: &Node) -> Option<Quick> {
        let quick = |argument, test| Some(Quick { argument, test });
        let Op::Call(call) = &node.op else { return None };
        match exception {
            Exception::DivisionByZero => quick(1, Test::NotZero),
            Exception::NegativePower => quick(1, Test::Within(0, i64::MAX)),
            Exception::ShiftOutOfRange(of) => quick(1, Test::Within(0, bits_of(of))),
            Exception::CastSaturated(to) => quick(0, Test::Fits(to)),
            Exception::Overflow(to) => match (call.name, &node.arguments[..]) {
                ("int32", _) => quick(0, Test::Within(i32::MIN.into(), 1 << 31)),
                ("**", [_, n]) => {
                    let Op::Constant(Value::Int(n)) = &dag.nodes[*n].op else { return None };
                    let most = root(to, *n)?;
                    quick(0, Test::Within(-most, most + 1))
                }
                _ => None,
            },
            Exception::NanMade => None,
        }
    }

    /// Whether some value of a block that is there does not pass.
    pub fn fails(self, arguments: &[Arg], len: usize) -> Result<bool, Failure> {
        let Some(argument) = arguments.get(self.argument) else { return Ok(false) };
        if len == 0 {
            return Ok(false);
        }
        match (self.test, argument.values) {
            (Test::NotZero, crate::Values::Int32(_)) => any(argument, |x: i32| x == 0),
            (Test::NotZero, _) => any(argument, |x: i64| x == 0),
            (Test::Within(from, to), crate::Values::Int32(_)) => {
                let (from, to) = (narrow(from), narrow(to));
                any(argument, move |x: i32| (x < from) | (x >= to))
            }
            (Test::Within(from, to), _) => any(argument, move |x: i64| (x < from) | (x >= to)),
            (Test::Fits(to), crate::Values::Float32(_)) => {
                any(argument, move |x: f32| !fits(x.into(), to))
            }
            (Test::Fits(to), _) => any(argument, move |x: f64| !fits(x, to)),
        }
    }
}

fn narrow(bound: i64) -> i32 {
    bound.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// The greatest integer whose `n`-th power fits the type.
fn root(to: DType, n: i64) -> Option<i64> {
    let n = u32::try_from(n).ok().filter(|n| *n > 1)?;
    let most = if to == DType::Int32 { i32::MAX.into() } else { i64::MAX };
    let (mut low, mut high) = (1i64, 1 << 32);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match middle.checked_pow(n).is_some_and(|p| p <= most) {
            true => low = middle,
            false => high = middle,
        }
    }
    Some(low)
}

/// Whether `test` holds for a value that is there.
fn any<T: Element>(argument: &Arg, test: impl Fn(T) -> bool) -> Result<bool, Failure> {
    let values = T::slice(argument.values)?;
    Ok(match argument.validity {
        None => isa::run(Any(&test, values)),
        Some(validity) => isa::run(AnyThere(&test, values, validity)),
    })
}

struct Any<'a, F, T>(&'a F, &'a [T]);

impl<T: Element, F: Fn(T) -> bool> Loop for Any<'_, F, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Any(test, values) = self;
        let mut any = false;
        for x in values {
            any |= test(*x);
        }
        any
    }
}

struct AnyThere<'a, F, T>(&'a F, &'a [T], &'a [bool]);

impl<T: Element, F: Fn(T) -> bool> Loop for AnyThere<'_, F, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let AnyThere(test, values, validity) = self;
        let mut any = false;
        for (x, there) in values.iter().zip(validity) {
            any |= test(*x) & there;
        }
        any
    }
}
