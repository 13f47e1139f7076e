//! Every entry is documented, and its examples are true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::tests::one;

#[test]
fn the_table_is_sorted_and_names_are_unique() {
    let list: Vec<_> = FUNCTIONS.iter().map(|f| f.name).collect();
    assert!(list.is_sorted(), "{list:?}");
    let mut all: Vec<_> = names().collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn every_function_is_documented() {
    for f in FUNCTIONS {
        assert!(f.summary().ends_with('.'), "{}: {}", f.name, f.summary());
        assert!(f.signature.starts_with(&format!("{}(", f.name)), "{}", f.signature);
        assert!(!f.examples.is_empty(), "{} has no example", f.name);
    }
}

#[test]
fn examples_are_true() {
    for f in FUNCTIONS {
        for (text, expected) in f.examples {
            assert!(
                std::iter::once(&f.name).chain(f.aliases).any(|n| text.contains(n))
                    || f.name == "where",
                "the example `{text}` does not show {}",
                f.name
            );
            assert_eq!(one(text), *expected, "{text}");
        }
    }
}
