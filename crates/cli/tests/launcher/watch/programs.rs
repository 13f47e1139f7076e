//! Rows that go through a program before they are reduced.
use super::*;

#[test]
fn rows_through_a_program_are_made_anew_with_each_change() {
    let bench = bench();
    let text = PIPELINE.replace("  - reduce", "  - stream: [cat]\n  - reduce");
    fs::write(bench.path().join("p.yaml"), text).unwrap();
    let watching = Watching::start(&bench, "");
    let promise = watching.until("a change runs the whole pipeline");
    assert!(promise.contains("is reduced file by file"), "{promise}");
    watching.until("up to date");
    assert_eq!(output(&bench), cold(&bench));
    put(&bench, 2, 1000, 35);
    watching.until("up to date");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
}
