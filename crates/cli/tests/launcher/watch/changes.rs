//! Rows that come and go make the table, at every moment.
use super::{PIPELINE, Watching, bench, cold, input, output, put};
use crate::bench::Bench;
use std::collections::BTreeMap;
use std::fs;

/// The rows that changes as CSV make, with their heading; how many went.
fn made(bench: &Bench) -> (Vec<String>, usize) {
    let text = fs::read_to_string(bench.path().join("changes.csv")).unwrap();
    let (mut rows, mut lost): (BTreeMap<&str, i64>, usize) = (BTreeMap::new(), 0);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("change,group,total,rows,mean,most,end"));
    for line in lines {
        let (sign, row) = line.split_once(',').unwrap();
        let count = rows.entry(row).or_default();
        *count += if sign == "+" { 1 } else { -1 };
        assert!((0..=1).contains(count), "{line}");
        lost += usize::from(sign == "-");
    }
    let left = rows.into_iter().filter(|(_, count)| *count > 0);
    (left.map(|(row, _)| row.to_owned()).collect(), lost)
}

/// The rows of the output, by their text.
fn rows(bench: &Bench) -> Vec<String> {
    let mut rows: Vec<String> = output(bench).lines().skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn changes_make_the_table() {
    for arguments in ["--changes=changes.csv", "-n 2 --changes=changes.csv"] {
        let bench = bench();
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new: up to date");
        for round in 0..4 {
            put(&bench, round, round * 1000 + 3, 9);
            watching.until("1 changed: up to date");
            assert_eq!(made(&bench).0, rows(&bench), "{round}");
        }
        watching.end();
    }
}

#[test]
fn where_states_go_to_disk_under_way_only_what_differs_is_told() {
    for arguments in ["--memory 300MB", "-n 2 --memory 300MB"] {
        let bench = bench();
        let pipeline = PIPELINE.replace("k % 5", "k").replace("(x)", "(k)");
        fs::write(bench.path().join("p.yaml"), pipeline).unwrap();
        (1..4).for_each(|i| fs::remove_file(input(&bench, i)).unwrap());
        let watching = Watching::start(&bench, &format!("{arguments} --changes=changes.csv"));
        watching.until("1 new: up to date");
        assert!(made(&bench) == (rows(&bench), 0), "{arguments}");
        // Tiles of two workers take 268 MB of it. Other groups than those that were told.
        (1..4).for_each(|i| put(&bench, i, i * 100_000, 60_000));
        watching.until("goes on with it on disk");
        let mut new = 0;
        while new < 4 {
            let line = watching.until(" new");
            new += line.split(' ').next().unwrap().parse::<u64>().unwrap();
        }
        assert!(output(&bench) == cold(&bench));
        assert!(made(&bench) == (rows(&bench), 0), "{arguments}");
        put(&bench, 2, 200_000, 59_999);
        watching.until("1 changed: up to date");
        assert!(made(&bench) == (rows(&bench), 1), "{arguments}");
        watching.end();
    }
}
