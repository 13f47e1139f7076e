//! Exact sums against big integers: a slow, obvious reference judges every result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::{Bytes, ExactSum, Precision, Spread, integer_mean, integer_spread};
use num_bigint::{BigInt, Sign};
use proptest::prelude::*;
use std::cmp::Ordering;

/// A finite value, or the first power that overflows for an infinity, in units of 2^-1075.
fn scaled(x: f64) -> BigInt {
    let m = BigInt::from(
        (x.to_bits() & ((1 << 52) - 1)) | u64::from(x.abs() >= f64::MIN_POSITIVE) << 52,
    );
    let field = (x.to_bits() >> 52 & 0x7ff).max(1) as usize;
    let size: BigInt = (m << (field - 1)) * 2;
    if x.is_sign_negative() { -size } else { size }
}

/// The two neighbours of a value of this precision, and whether its last bit is 0.
fn around(r: f64, precision: Precision) -> [BigInt; 2] {
    let double = |x: f64| if x.is_infinite() { x.signum() * f64::MAX } else { x };
    match precision {
        Precision::Double => {
            let (below, above) = (r.next_down(), r.next_up());
            // What lies past an infinity is never asked for.
            [scaled(if r == f64::INFINITY { double(r) } else { below }), scaled(above)]
        }
        Precision::Single => {
            let power = |x: f32| match x {
                f32::INFINITY => scaled(2f64.powi(128)),
                f32::NEG_INFINITY => -scaled(2f64.powi(128)),
                x => scaled(f64::from(x)),
            };
            [power((r as f32).next_down()), power((r as f32).next_up())]
        }
    }
}

fn value(r: f64, precision: Precision) -> BigInt {
    match precision {
        Precision::Single if r.is_infinite() => scaled(r.signum() * 2f64.powi(128)),
        _ => scaled(r),
    }
}

/// Whether `r` is the nearest number, ties to even; `compare` says how its argument, in units of
/// 2^-1076, stands to the true value.
fn is_nearest(r: f64, precision: Precision, compare: impl Fn(&BigInt) -> Ordering) -> bool {
    let [below, above] = around(r, precision);
    let at = value(r, precision);
    let even = match precision {
        Precision::Double => r.to_bits() & 1 == 0,
        Precision::Single => (r as f32).to_bits() & 1 == 0,
    };
    let low = compare(&(&below + &at));
    let high = compare(&(&at + &above));
    let low = r == f64::NEG_INFINITY || low == Ordering::Less || low == Ordering::Equal && even;
    let high = r == f64::INFINITY || high == Ordering::Greater || high == Ordering::Equal && even;
    low && high
}

/// Σx in units of 2^-1076.
fn total(values: &[f64]) -> BigInt {
    values.iter().map(|x| scaled(*x)).sum::<BigInt>() * 2
}

/// n Σx² − (Σx)² in units of 2^-2152.
fn spread_of(values: &[f64]) -> BigInt {
    let sum = total(values);
    let squares: BigInt = values.iter().map(|x| scaled(*x) * scaled(*x) * 4).sum();
    squares * values.len() - &sum * &sum
}

fn sum_of(values: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    sum.add_all(values);
    sum
}

fn squares_of(values: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    sum.add_squares(values);
    sum
}

/// Pairs, in some of which a product is followed by nearly its opposite.
fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let close = prop::collection::vec((-1e3..1e3f64, -1e-3..1e9f64), 0..200);
    let wild = prop::collection::vec((finite(), finite()), 0..200);
    (prop_oneof![close, wild], any::<bool>()).prop_map(|(mut pairs, cancel)| {
        if cancel {
            let nearly: Vec<_> = pairs.iter().skip(1).map(|(x, y)| (-y, x.next_up())).collect();
            pairs.extend(nearly);
        }
        pairs.retain(|(x, y)| x.is_finite() && y.is_finite());
        pairs
    })
}

proptest! {
    #[test]
    fn products_are_added_exactly(pairs in pairs(), cut: usize) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let mut sum = ExactSum::default();
        sum.add_products(&x, &y);
        let products = |(x, y): &(f64, f64)| scaled(*x) * scaled(*y);
        // In units of 2^-2150, of which one of `is_nearest` has 2^1074.
        let exact: BigInt = pairs.iter().map(products).sum();
        for precision in [Precision::Double, Precision::Single] {
            let r = sum.rounded(precision);
            prop_assert!(is_nearest(r, precision, |at| BigInt::cmp(&(at << 1074), &exact)), "{r:e}");
        }
        let cut = cut % (pairs.len() + 1);
        let [mut all, mut other] = [(); 2].map(|()| ExactSum::default());
        pairs[cut..].iter().for_each(|(x, y)| other.add_product(*y, *x));
        all.add_products(&x[..cut], &y[..cut]);
        all.merge(&other);
        prop_assert_eq!(all.to_f64().to_bits(), sum.to_f64().to_bits());
    }
}

#[test]
fn products_of_infinities_and_zeros() {
    let dot = |pairs: &[(f64, f64)]| {
        let mut one = ExactSum::default();
        pairs.iter().for_each(|(x, y)| one.add_product(*x, *y));
        let many: Vec<_> = pairs.iter().copied().chain([(0.0, 1.0); 100]).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = many.into_iter().unzip();
        let mut all = ExactSum::default();
        all.add_products(&x, &y);
        assert_eq!(one.to_f64().to_bits(), all.to_f64().to_bits());
        one.to_f64()
    };
    let infinity = f64::INFINITY;
    assert_eq!(dot(&[(-infinity, 2.0), (1e300, 1e300)]), -infinity);
    assert_eq!(dot(&[(f64::MAX, f64::MAX), (f64::MAX, -f64::MAX), (3.0, 0.5)]), 1.5);
    assert_eq!(dot(&[(f64::MAX, 2.0)]), infinity);
    assert_eq!(dot(&[(5e-324, 0.5), (5e-324, 0.5)]), 5e-324);
    assert_eq!(dot(&[(0.0, -1.0), (-0.0, 5e-324)]).to_bits(), 0);
    assert!(dot(&[(0.0, infinity)]).is_nan());
    assert!(dot(&[(infinity, 1.0), (1.0, -infinity)]).is_nan());
    assert!(dot(&[(f64::NAN, 0.0)]).is_nan());
}

/// The same values in other pieces, some one by one, some through bytes.
fn in_pieces(values: &[f64], cuts: &[usize], squares: bool) -> ExactSum {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (values.len() + 1)).collect();
    cuts.extend([0, values.len()]);
    cuts.sort_unstable();
    let mut all = ExactSum::default();
    for (i, cut) in cuts.windows(2).enumerate().rev() {
        let piece = &values[cut[0]..cut[1]];
        let mut part = ExactSum::default();
        match (i % 2 == 0, squares) {
            (true, false) => part.add_all(piece),
            (true, true) => part.add_squares(piece),
            (false, false) => piece.iter().rev().for_each(|x| part.add(*x)),
            (false, true) => piece.iter().rev().for_each(|x| part.add_square(*x)),
        }
        let mut bytes = Vec::new();
        part.write(&mut bytes);
        let mut bytes = Bytes(&bytes);
        all.merge_written(&mut bytes).unwrap();
        assert!(bytes.is_empty());
    }
    all
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        -1e3..1e3f64,
        (-40i32..40, -9i32..9).prop_map(|(e, m)| f64::from(m) * 2f64.powi(e)),
        (-1000i64..1000).prop_map(|m| m as f64 * f64::from_bits(1)),
        Just(f64::MAX),
        Just(-f64::MAX),
        Just(-0.0),
        any::<f32>().prop_filter("finite", |x| x.is_finite()).prop_map(f64::from),
    ]
}

/// Values of one size or of all, many of which cancel.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let many = prop_oneof![
        prop::collection::vec(finite(), 0..200),
        prop::collection::vec(-1.0..1.0f64, 0..200),
        prop::collection::vec(-1e-3..1e5f64, 0..200),
    ];
    (many, any::<bool>()).prop_map(|(mut values, cancel)| {
        if cancel {
            let negated: Vec<f64> = values.iter().skip(1).map(|x| -x).collect();
            values.extend(negated);
        }
        values
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sums_are_the_nearest_numbers(values in values(), cuts in prop::collection::vec(0usize..400, 0..5)) {
        let sum = sum_of(&values);
        let other = in_pieces(&values, &cuts, false);
        let exact = total(&values);
        for precision in [Precision::Double, Precision::Single] {
            let r = sum.rounded(precision);
            prop_assert!(is_nearest(r, precision, |mid| mid.cmp(&exact)), "{r:e} {precision:?}");
            prop_assert_eq!(r.to_bits(), other.rounded(precision).to_bits());
        }
    }

    #[test]
    fn means_are_the_nearest_numbers(values in values(), cuts in prop::collection::vec(0usize..400, 0..5)) {
        prop_assume!(!values.is_empty());
        let (sum, n) = (sum_of(&values), values.len() as u64);
        let other = in_pieces(&values, &cuts, false);
        let exact = total(&values);
        for precision in [Precision::Double, Precision::Single] {
            let r = sum.divided(n, precision);
            prop_assert!(is_nearest(r, precision, |mid| (mid * n).cmp(&exact)), "{r:e} {precision:?}");
            prop_assert_eq!(r.to_bits(), other.divided(n, precision).to_bits());
        }
    }

    #[test]
    fn spreads_are_the_nearest_numbers(
        values in values(),
        cuts in prop::collection::vec(0usize..400, 0..5),
        ddof in 0u64..2,
    ) {
        prop_assume!(values.len() as u64 > ddof);
        let n = values.len() as u64;
        let (sum, squares) = (sum_of(&values), squares_of(&values));
        let others = (in_pieces(&values, &cuts, false), in_pieces(&values, &cuts, true));
        let exact = spread_of(&values);
        let denominator: BigInt = BigInt::from(n) * (n - ddof);
        let scale: BigInt = BigInt::from(1) << 1076;
        for precision in [Precision::Double, Precision::Single] {
            let spread = |s| sum.spread(&squares, n, ddof, s, precision);
            let var = spread(Spread::Variance);
            let holds = is_nearest(var, precision, |mid| (mid * &denominator * &scale).cmp(&exact));
            prop_assert!(holds, "var {var:e} {precision:?}");
            let std = spread(Spread::Deviation);
            let holds = is_nearest(std, precision, |mid| match mid.sign() {
                Sign::Plus => (mid * mid * &denominator).cmp(&exact),
                _ => BigInt::from(-1).cmp(&exact),
            });
            prop_assert!(holds, "std {std:e} {precision:?}");
            let other = others.0.spread(&others.1, n, ddof, Spread::Variance, precision);
            prop_assert_eq!(var.to_bits(), other.to_bits());
        }
    }

    #[test]
    fn integers_too(values in prop::collection::vec(prop_oneof![any::<i64>(), -9i64..9, Just(i64::MIN)], 1..40)) {
        let n = values.len() as u64;
        let sum: i128 = values.iter().map(|x| i128::from(*x)).sum();
        let big: BigInt = values.iter().map(|x| BigInt::from(*x) * *x).sum();
        let low = (&big & BigInt::from(u128::MAX)).try_into().unwrap();
        let carries = (&big >> 128u32).try_into().unwrap();
        let mean = integer_mean(sum, n);
        let exact: BigInt = BigInt::from(sum) << 1076;
        prop_assert!(is_nearest(mean, Precision::Double, |mid| (mid * n).cmp(&exact)));
        let var = integer_spread(sum, low, carries, n, 0, Spread::Variance);
        let exact: BigInt = (big * n - BigInt::from(sum) * sum) << 1076;
        prop_assert!(is_nearest(var, Precision::Double, |mid| (mid * n * n).cmp(&exact)));
    }

    #[test]
    fn bytes_that_are_no_state_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut sum = ExactSum::default();
        if sum.merge_written(&mut Bytes(&bytes)).is_some() {
            let mut copy = Vec::new();
            sum.write(&mut copy);
            sum.to_f64();
        }
    }
}

#[test]
fn python_agrees() {
    // math.fsum and fractions.Fraction.
    let x: Vec<f64> = (0..5000i32)
        .map(|k| f64::from((k * 7919) % 10007 - 5000) / 64.0 * 2f64.powi((k * 31) % 61 - 30))
        .collect();
    let (sum, squares) = (sum_of(&x), squares_of(&x));
    let spread = |ddof, s| sum.spread(&squares, 5000, ddof, s, Precision::Double).to_bits();
    assert_eq!(sum.to_f64().to_bits(), 0xc24060bbbd4f52e3);
    assert_eq!(sum.divided(5000, Precision::Double).to_bits(), 0xc17ad55fd44557e1);
    assert_eq!(spread(0, Spread::Variance), 0x4406062bf1b23ba1);
    assert_eq!(spread(1, Spread::Variance), 0x4406074cad1f72e6);
    assert_eq!(spread(0, Spread::Deviation), 0x41fa8c2b0f334165);
    assert_eq!(spread(1, Spread::Deviation), 0x41fa8cd911400a30);

    let inverses: Vec<f64> = (1..=100_000).map(|k| 1.0 / f64::from(k)).collect();
    assert_eq!(sum_of(&inverses).to_f64().to_bits(), 0x40282e27a22f3fb0);

    let y: Vec<f64> = (0..1000).map(|k| 1e8 + f64::from(k) * 1e-8).collect();
    let (sum, squares) = (sum_of(&y), squares_of(&y));
    let spread = |s| sum.spread(&squares, 1000, 0, s, Precision::Double).to_bits();
    assert_eq!(sum.divided(1000, Precision::Double).to_bits(), 0x4197d7840000014f);
    assert_eq!(spread(Spread::Variance), 0x3da2534e7cd03537);
    assert_eq!(spread(Spread::Deviation), 0x3ec83749f93da06b);
}

#[test]
fn infinities_nan_and_overflow() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(sum_of(&[1e308, 1e308, -1e308]).to_f64(), 1e308);
    assert_eq!(sum_of(&[1e308; 100]).to_f64(), inf);
    assert_eq!(sum_of(&[-1e308, -1e308]).to_f64(), -inf);
    assert_eq!(sum_of(&[1e308; 100]).divided(100, Precision::Double), 1e308);
    assert_eq!(sum_of(&[inf, -1e308]).to_f64(), inf);
    assert_eq!(sum_of(&[-inf; 70]).divided(70, Precision::Double), -inf);
    for values in [&[inf, -inf][..], &[1.0, -nan], &[nan, inf], &[f64::from_bits(!0)]] {
        assert_eq!(sum_of(values).to_f64().to_bits(), nan.to_bits());
        assert_eq!(in_pieces(values, &[1], false).to_f64().to_bits(), nan.to_bits());
    }
    assert_eq!(sum_of(&[-0.0; 100]).to_f64().to_bits(), 0);
    assert_eq!(ExactSum::default().to_f64().to_bits(), 0);
    // No carry is lost where a lane grows past the bound of the fast path.
    let large = vec![2f64.powi(989); 1 << 16];
    assert_eq!(sum_of(&large).to_f64(), 2f64.powi(1005));
}

#[test]
fn rounds_once_to_single() {
    // 1 + 2^-24 + 2^-60: a tie in f64 after a first rounding, but above the tie.
    let above = [1.0, 2f64.powi(-24), 2f64.powi(-60)];
    assert_eq!(sum_of(&above).to_f32(), 1.0 + f32::EPSILON);
    assert_eq!(sum_of(&[1.0, 2f64.powi(-24), -2f64.powi(-60)]).to_f32(), 1.0);
    assert_eq!(sum_of(&[1.0, 2f64.powi(-24)]).to_f32(), 1.0);
    let three: Vec<f64> = above.iter().map(|x| 3.0 * x).collect();
    assert_eq!(sum_of(&three).divided(3, Precision::Single) as f32, 1.0 + f32::EPSILON);
}
