//! A selector against the plain tests, number by number.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::syntax::CompareOp;
use base::{DType, Value};
use proptest::prelude::*;

/// What the kernels of a filter would say.
fn passes(test: &Test, k: i64) -> bool {
    match test {
        Test::Compare { op, constant, within } => {
            let order = match (within, constant) {
                (DType::Int64, Value::Int(c)) => k.cmp(c),
                (_, Value::Float(c)) => (k as f64).partial_cmp(c).unwrap(),
                _ => return false,
            };
            match op {
                CompareOp::Eq => order.is_eq(),
                CompareOp::Ne => order.is_ne(),
                CompareOp::Lt => order.is_lt(),
                CompareOp::Le => order.is_le(),
                CompareOp::Gt => order.is_gt(),
                CompareOp::Ge => order.is_ge(),
            }
        }
        Test::Missing(missing) => !missing,
        Test::Modulo { modulus, equal, rest } => {
            let floored = match modulus {
                0 => 0,
                m => {
                    let r = i128::from(k).rem_euclid(i128::from(*m).abs());
                    if *m < 0 && r > 0 { r + i128::from(*m) } else { r }
                }
            };
            (floored == i128::from(*rest)) == *equal
        }
        Test::Digits { digits, contained } => {
            k.unsigned_abs().to_string().contains(digits) == *contained
        }
    }
}

/// All positions of the selector, tile by tile.
fn selected(selector: &Selector, tile: usize, most: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let mut list = Vec::new();
    for start in (0..selector.size()).step_by(tile) {
        let len = tile.min((selector.size() - start) as usize);
        let mut cursor = selector.cursor(start, len);
        while let Some(piece) = cursor.next(most, &mut list) {
            match piece {
                Piece::Range { start: first, len } => {
                    assert!(len > 0 && len <= most && list.is_empty());
                    found.extend((first..first + len).map(|p| start + p as u64));
                }
                Piece::Each => {
                    assert!(!list.is_empty() && list.len() <= most);
                    found.extend(list.iter().map(|p| start + u64::from(*p)));
                }
            }
        }
    }
    found
}

/// Checks against trying each number; which tests the selector sees to.
fn agrees(counter: Counter, tests: &[Test], tile: usize, most: usize) -> Vec<bool> {
    let Some((selector, used)) = Selector::new(counter, tests) else {
        return vec![false; tests.len()];
    };
    let all = |k| tests.iter().zip(&used).all(|(test, used)| !used || passes(test, k));
    let expected: Vec<u64> = (0..counter.size).filter(|p| all(counter.value(*p))).collect();
    assert_eq!(selected(&selector, tile, most), expected, "{counter:?} {tests:?} {tile}");
    assert_eq!(selector.count(), expected.len() as u64, "{counter:?} {tests:?}");
    used
}

fn digits(digits: &str, contained: bool) -> Test {
    Test::Digits { digits: digits.into(), contained }
}

fn modulo(modulus: i64, equal: bool, rest: i64) -> Test {
    Test::Modulo { modulus, equal, rest }
}

#[test]
fn needles_at_every_edge() {
    let starts = [
        0,
        1,
        9_990,
        99_999_000,
        4_199_990_000,
        (1 << 53) - 15_000,
        i64::MAX - 30_000,
        i64::MIN,
        -15_000,
        -100_005_000,
    ];
    for needle in ["42", "00", "0", "100", "99", "1212", "9", "123456", "99999999999999999999999"] {
        for contained in [true, false] {
            for start in starts {
                for step in [1i64, 2, 3, -1, -7, 10, 64] {
                    let room =
                        if step > 0 { i64::MAX.abs_diff(start) } else { i64::MIN.abs_diff(start) };
                    let size = 30_000.min((room / step.unsigned_abs()).saturating_add(1));
                    let used = agrees(
                        Counter { start, step, size },
                        &[digits(needle, contained)],
                        7_001,
                        4096,
                    );
                    assert_eq!(used, [true]);
                }
            }
        }
    }
}

#[test]
fn counts_of_huge_ranges() {
    let count = |size, tests: &[Test]| {
        let (selector, _) = Selector::new(Counter { start: 1, step: 1, size }, tests).unwrap();
        selector.count()
    };
    assert_eq!(count(100_000_000, &[digits("9", false)]), 43_046_720 + 1);
    // Up to 10^n there are 9^n - 1 numbers without a 9, and 10^n itself.
    assert_eq!(count(10u64.pow(18), &[digits("9", false)]), 9u64.pow(18));
    assert_eq!(count(10u64.pow(18), &[modulo(7, true, 0)]), 10u64.pow(18) / 7);
    assert_eq!(
        count(10u64.pow(12), &[modulo(7, true, 0), digits("9", false), digits("5", true)]),
        {
            let without = count(10u64.pow(12), &[modulo(7, true, 0), digits("9", false)]);
            without
                - count(
                    10u64.pow(12),
                    &[modulo(7, true, 0), digits("9", false), digits("5", false)],
                )
        }
    );
}

#[test]
fn what_would_be_too_large_stays() {
    let counter = Counter { start: -20_000, step: 1, size: 50_000 };
    assert_eq!(
        agrees(counter, &[modulo(99_991, true, 3), digits("4", true)], 999, 64),
        [true, false]
    );
    assert_eq!(
        agrees(counter, &[modulo(99_991, false, 3), digits("4", true)], 999, 64),
        [false, true]
    );
    assert_eq!(agrees(counter, &[modulo(99_991, false, 3)], 999, 64), [false]);
    let long = "0123456789012345678";
    let tests: Vec<Test> = (0..9).map(|i| digits(&long[i..], true)).collect();
    agrees(counter, &tests, 999, 64);
    let by_step = Counter { start: 5, step: 1_000_003, size: 2_000 };
    assert_eq!(agrees(by_step, &[digits("9", false), modulo(3, true, 1)], 999, 64), [false, true]);
}

#[test]
fn floats_and_the_edges_of_int64() {
    let compare = |op, constant, within| Test::Compare { op, constant, within };
    for op in CompareOp::ALL {
        for start in [(1 << 53) - 50, i64::MAX - 1_100, i64::MIN, -50] {
            for c in [start + 40, i64::MAX, i64::MIN, 0] {
                for (start, step) in [(start, 1), (start.saturating_add(1_000), -1)] {
                    let counter = Counter { start, step, size: 1_000 };
                    let int = compare(op, Value::Int(c), DType::Int64);
                    let float = compare(op, Value::Float(c as f64 + 0.5), DType::Float64);
                    for test in
                        [int, float, compare(op, Value::Float(f64::INFINITY), DType::Float64)]
                    {
                        assert_eq!(agrees(counter, &[test], 300, 128), [true]);
                    }
                }
            }
        }
    }
    let counter = Counter { start: 0, step: 1, size: 10 };
    let text = compare(CompareOp::Eq, Value::Str("a".into()), DType::String);
    assert_eq!(agrees(counter, &[text], 3, 2), [false]);
    assert_eq!(agrees(counter, &[Test::Missing(true)], 3, 2), [true]);
    assert_eq!(agrees(counter, &[Test::Missing(false)], 3, 2), [true]);
    assert_eq!(agrees(Counter { start: 3, step: 1, size: 0 }, &[digits("1", true)], 3, 2), [true]);
}

fn any_test() -> impl Strategy<Value = Test> {
    let op = prop::sample::select(CompareOp::ALL.to_vec());
    let compare = (op, -70_000i64..70_000, any::<bool>()).prop_map(|(op, c, int)| match int {
        true => Test::Compare { op, constant: Value::Int(c), within: DType::Int64 },
        false => {
            Test::Compare { op, constant: Value::Float(c as f64 / 2.0), within: DType::Float64 }
        }
    });
    let modulo = (-30i64..30, any::<bool>(), -10i64..10)
        .prop_map(|(modulus, equal, rest)| Test::Modulo { modulus, equal, rest });
    let needle = ("[0-9]{1,3}", any::<bool>())
        .prop_map(|(digits, contained)| Test::Digits { digits, contained });
    prop_oneof![1 => compare, 2 => modulo, 2 => needle]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_conjunction_of_any_range(
        start in prop_oneof![-40_000i64..40_000, 99_970_000i64..100_030_000, Just(i64::MAX - 2_000_000)],
        step in prop_oneof![Just(1i64), Just(-1), -40i64..40].prop_filter("0", |s| *s != 0),
        size in 0u64..40_000,
        tests in prop::collection::vec(any_test(), 1..4),
        tile in 500usize..50_000,
        most in 1usize..5_000,
    ) {
        agrees(Counter { start, step, size }, &tests, tile, most);
    }
}
