//! Files that are listed, and not read.
use super::Watching;
use crate::bench::Bench;
use std::fs;

#[test]
fn files_that_come_change_and_go_are_listed() {
    let steps = "steps:\n  - files: \"d/*.txt\"\n  - select: [name, size]\n  - write: out.csv\n";
    let bench = Bench::new(steps);
    let at = |name: &str| bench.path().join(name);
    fs::create_dir(at("d")).unwrap();
    fs::write(at("d/a.txt"), "1").unwrap();
    let watching = Watching::start(&bench, "");
    let listed = |expected: &str| {
        watching.until("up to date in");
        assert_eq!(fs::read_to_string(at("out.csv")).unwrap(), format!("name,size\n{expected}"));
    };
    listed("a.txt,1\n");
    fs::write(at("d/b.txt"), "22").unwrap();
    listed("a.txt,1\nb.txt,2\n");
    fs::write(at("d/a.txt"), "333").unwrap();
    listed("a.txt,3\nb.txt,2\n");
    fs::remove_file(at("d/a.txt")).unwrap();
    listed("b.txt,2\n");
    watching.end();
}
