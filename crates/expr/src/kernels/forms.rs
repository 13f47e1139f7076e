//! Arithmetic of floats as forms of one or two operations, each done in one pass: what the second
//! operation takes never goes through memory. Each operation rounds, as if it were alone.
use super::Element;
use super::arithmetic::Number;
use crate::isa::{self, Loop};
use std::fmt;

/// The most arguments of a form.
pub const MOST: usize = 4;

/// One operation, or two of which the second takes the first's result.
pub struct Form {
    /// The operation that comes last: an operator or a function.
    pub last: &'static str,
    /// The one before it, and which argument of the last it makes.
    pub first: Option<(&'static str, usize)>,
    /// How many arguments it takes: those of the first operation, then what else the last takes.
    pub arity: usize,
    /// For float64.
    pub double: &'static dyn Kernel<f64>,
    /// For float32.
    pub single: &'static dyn Kernel<f32>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Form").field(&self.first).field(&self.last).finish()
    }
}

/// The single operation of this name and number of arguments.
pub fn one(name: &str, arity: usize) -> Option<&'static Form> {
    FORMS.iter().find(|f| f.first.is_none() && f.last == name && f.arity == arity)
}

/// The two operations, of which the first makes this argument of the last.
pub fn two(first: &str, place: usize, last: &str) -> Option<&'static Form> {
    FORMS.iter().find(|f| f.first == Some((first, place)) && f.last == last)
}

/// A loop over values.
pub trait Kernel<T>: Sync {
    /// Fills `out`; each argument of the form is as long.
    fn run(&self, arguments: [&[T]; MOST], out: &mut [T]);
}

/// The loop of a function.
struct Over<const N: usize, F>(F);

impl<const N: usize, T: Element, F: Fn([T; N]) -> T + Sync> Kernel<T> for Over<N, F> {
    fn run(&self, arguments: [&[T]; MOST], out: &mut [T]) {
        isa::run(Each::<N, _, _>(&self.0, arguments, out));
    }
}

struct Each<'a, const N: usize, T, F>(&'a F, [&'a [T]; MOST], &'a mut [T]);

impl<const N: usize, T: Element, F: Fn([T; N]) -> T> Loop for Each<'_, N, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Each(f, arguments, out) = self;
        let n = out.len();
        let from: [&[T]; N] = std::array::from_fn(|k| &arguments[k][..n]);
        // Counted by `n`, no index is checked in the loop.
        #[allow(clippy::needless_range_loop)]
        for i in 0..n {
            out[i] = f(std::array::from_fn(|k| from[k][i]));
        }
    }
}

/// Fills with one value.
pub fn fill<T: Element>(out: &mut [T], value: T) {
    isa::run(Fill(out, value));
}

struct Fill<'a, T>(&'a mut [T], T);

impl<T: Element> Loop for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for out in self.0 {
            *out = self.1;
        }
    }
}

/// A line of the table: `last`, or `first` that makes an argument of `last`; the arguments; the
/// value, for any float type.
macro_rules! form {
    ($last:literal, [$($x:ident),+] => $value:expr) => {
        form!(@ $last, None, [$($x),+] => $value)
    };
    ($first:literal makes $place:literal of $last:literal, [$($x:ident),+] => $value:expr) => {
        form!(@ $last, Some(($first, $place)), [$($x),+] => $value)
    };
    (@ $last:literal, $first:expr, [$($x:ident),+] => $value:expr) => {
        Form {
            last: $last,
            first: $first,
            arity: [$(stringify!($x)),+].len(),
            double: &Over(|[$($x),+]: [f64; [$(stringify!($x)),+].len()]| -> f64 { $value }),
            single: &Over(|[$($x),+]: [f32; [$(stringify!($x)),+].len()]| -> f32 { $value }),
        }
    };
}

/// All forms. What takes two operations has a line for each argument that the first may make.
pub static FORMS: &[Form] = &[
    form!("+", [a, b] => a + b),
    form!("-", [a, b] => a - b),
    form!("*", [a, b] => a * b),
    form!("/", [a, b] => a / b),
    form!("-", [a] => -a),
    form!("abs", [a] => a.abs()),
    form!("minimum", [a, b] => Number::minimum(a, b)),
    form!("maximum", [a, b] => Number::maximum(a, b)),
    form!("clip", [a, b, c] => Number::minimum(Number::maximum(a, b), c)),
    form!("*" makes 0 of "+", [a, b, c] => a * b + c),
    form!("*" makes 1 of "+", [a, b, c] => c + a * b),
    form!("*" makes 0 of "-", [a, b, c] => a * b - c),
    form!("*" makes 1 of "-", [a, b, c] => c - a * b),
    form!("*" makes 0 of "*", [a, b, c] => a * b * c),
    form!("*" makes 1 of "*", [a, b, c] => c * (a * b)),
    form!("+" makes 0 of "*", [a, b, c] => (a + b) * c),
    form!("+" makes 1 of "*", [a, b, c] => c * (a + b)),
    form!("+" makes 0 of "+", [a, b, c] => a + b + c),
    form!("+" makes 1 of "+", [a, b, c] => c + (a + b)),
    form!("+" makes 0 of "-", [a, b, c] => a + b - c),
    form!("+" makes 1 of "-", [a, b, c] => c - (a + b)),
    form!("-" makes 0 of "*", [a, b, c] => (a - b) * c),
    form!("-" makes 1 of "*", [a, b, c] => c * (a - b)),
    form!("-" makes 0 of "+", [a, b, c] => a - b + c),
    form!("-" makes 1 of "+", [a, b, c] => c + (a - b)),
    form!("-" makes 0 of "-", [a, b, c] => a - b - c),
    form!("-" makes 1 of "-", [a, b, c] => c - (a - b)),
    form!("<" makes 0 of "where", [a, b, x, y] => if a < b { x } else { y }),
    form!("<=" makes 0 of "where", [a, b, x, y] => if a <= b { x } else { y }),
    form!(">" makes 0 of "where", [a, b, x, y] => if a > b { x } else { y }),
    form!(">=" makes 0 of "where", [a, b, x, y] => if a >= b { x } else { y }),
    form!("==" makes 0 of "where", [a, b, x, y] => if a == b { x } else { y }),
    form!("!=" makes 0 of "where", [a, b, x, y] => if a != b { x } else { y }),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// Numbers at which a wrong rounding, sign or comparison shows.
    fn values(shift: usize) -> Vec<f64> {
        let special = [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e300];
        let number = |i: usize| match (i * 7 + shift * 3) % 11 {
            0 => special[(i + shift) % special.len()],
            1 => 1.0 + f64::EPSILON * ((i * shift) % 5) as f64,
            n => (n as f64 - 5.0) * (1.0 + (i * 31 + shift) as f64).sqrt(),
        };
        (0..1000).map(number).collect()
    }

    /// The two operations of a form, one after the other.
    fn apart<T: Element>(
        form: &Form,
        pass: impl Fn(&Form) -> &'static dyn Kernel<T>,
        arguments: [&[T]; MOST],
    ) -> Vec<T> {
        let (first, place) = form.first.unwrap();
        let mut out = vec![T::default(); arguments[0].len()];
        if form.last == "where" {
            let [a, b, x, y] = arguments;
            for i in 0..out.len() {
                let holds = match first {
                    "<" => a[i] < b[i],
                    "<=" => a[i] <= b[i],
                    ">" => a[i] > b[i],
                    ">=" => a[i] >= b[i],
                    "==" => a[i] == b[i],
                    "!=" => a[i] != b[i],
                    other => panic!("{other}"),
                };
                out[i] = if holds { x[i] } else { y[i] };
            }
            return out;
        }
        let mut made = out.clone();
        pass(one(first, 2).unwrap()).run(arguments, &mut made);
        let [_, _, other, _] = arguments;
        let both: [&[T]; 2] = if place == 0 { [&made, other] } else { [other, &made] };
        pass(one(form.last, 2).unwrap()).run([both[0], both[1], &[], &[]], &mut out);
        out
    }

    #[test]
    fn two_operations_round_twice() {
        let doubles: Vec<Vec<f64>> = (1..=MOST).map(values).collect();
        let singles: Vec<Vec<f32>> =
            doubles.iter().map(|v| v.iter().map(|x| *x as f32).collect()).collect();
        for form in FORMS.iter().filter(|f| f.first.is_some()) {
            let x = std::array::from_fn(|k| &doubles[k][..]);
            let mut found = vec![0.0; x[0].len()];
            form.double.run(x, &mut found);
            let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() & b.is_nan();
            assert!(found.iter().zip(&apart(form, |f| f.double, x)).all(same), "{form:?}");
            let x = std::array::from_fn(|k| &singles[k][..]);
            let mut found = vec![0.0; x[0].len()];
            form.single.run(x, &mut found);
            let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() & b.is_nan();
            assert!(found.iter().zip(&apart(form, |f| f.single, x)).all(same), "{form:?}");
        }
    }
}
