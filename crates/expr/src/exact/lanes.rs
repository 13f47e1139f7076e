//! The vector kernel for many values of one exact sum, compiled per instruction set.
//!
//! Sixteen lanes each keep three terms. The bits of a result do not depend on the instruction
//! set, because every lane is exact and lanes are merged exactly.
use super::ExactSum;
use super::error_free::{two_square, two_sum};
use super::sum::{LARGE, SQUARES};
use crate::isa::{self, Loop};

const LANES: usize = 16;
/// Values between two checks that the lanes stay far from overflow.
const BLOCK: usize = 1024;
/// Fewer values than this are added one by one: merging the lanes would cost more.
const FEW: usize = 4 * LANES;

type Terms = [[f64; LANES]; 3];

/// Adds many values to a sum.
pub(super) fn add_all(sum: &mut ExactSum, values: &[f64]) {
    if values.len() < FEW {
        values.iter().for_each(|x| sum.add(*x));
        return;
    }
    isa::run(AddAll(sum, values));
}

struct AddAll<'a>(&'a mut ExactSum, &'a [f64]);

impl Loop for AddAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        add_all_body(self.0, self.1);
    }
}

#[inline(always)]
fn add_all_body(sum: &mut ExactSum, values: &[f64]) {
    let mut terms = [[0.0; LANES]; 3];
    for block in values.chunks(BLOCK) {
        // Not `all`: without an early exit this runs in vectors. NaN is not below.
        if !block.iter().fold(true, |ok, x| ok & (x.abs() < LARGE)) {
            block.iter().for_each(|x| sum.add(*x));
            continue;
        }
        add_block(sum, &mut terms, block);
        if terms[0].iter().any(|x| x.abs() >= LARGE) {
            fold(sum, &mut terms);
        }
    }
    fold(sum, &mut terms);
}

/// Adds values below [`LARGE`] to the lanes; the third term is only touched when the second
/// leaves an error in some lane, which most data never do.
#[inline(always)]
fn add_block(sum: &mut ExactSum, terms: &mut Terms, block: &[f64]) {
    let [mut first, mut second, third] = *terms;
    terms[2] = third;
    let (chunks, rest) = block.as_chunks::<LANES>();
    for chunk in chunks {
        let mut errors = [0.0; LANES];
        let mut any = 0;
        for l in 0..LANES {
            let (s, e) = two_sum(first[l], chunk[l]);
            first[l] = s;
            let (s, e) = two_sum(second[l], e);
            second[l] = s;
            errors[l] = e;
            any |= e.to_bits() << 1;
        }
        if any != 0 {
            add_third(sum, &mut terms[2], &errors);
        }
    }
    terms[0] = first;
    terms[1] = second;
    rest.iter().for_each(|x| sum.add(*x));
}

#[inline(always)]
fn add_third(sum: &mut ExactSum, third: &mut [f64; LANES], errors: &[f64; LANES]) {
    let mut rests = [0.0; LANES];
    let mut any = 0;
    for l in 0..LANES {
        let (s, e) = two_sum(third[l], errors[l]);
        third[l] = s;
        rests[l] = e;
        any |= e.to_bits() << 1;
    }
    if any != 0 {
        rests.into_iter().filter(|e| *e != 0.0).for_each(|e| sum.spill(e));
    }
}

/// Moves the lanes into the sum.
#[inline(always)]
fn fold(sum: &mut ExactSum, terms: &mut Terms) {
    for term in std::mem::replace(terms, [[0.0; LANES]; 3]) {
        term.into_iter().filter(|x| *x != 0.0).for_each(|x| sum.add(x));
    }
}

/// Adds the squares of many values to a sum.
pub(super) fn add_squares(sum: &mut ExactSum, values: &[f64]) {
    let (mut squares, mut errors) = ([0.0; BLOCK], [0.0; BLOCK]);
    for block in values.chunks(BLOCK) {
        let safe = |x: f64| (x.abs() >= SQUARES.0 && x.abs() < SQUARES.1) | (x == 0.0);
        if block.len() < FEW || !block.iter().fold(true, |ok, x| ok & safe(*x)) {
            block.iter().for_each(|x| sum.add_square(*x));
            continue;
        }
        for ((x, square), error) in block.iter().zip(&mut squares).zip(&mut errors) {
            (*square, *error) = two_square(*x);
        }
        add_all(sum, &squares[..block.len()]);
        add_all(sum, &errors[..block.len()]);
    }
}
