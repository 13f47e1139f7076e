//! Watches that are started anew: what a ledger has is not read again.
use super::*;

#[test]
fn a_new_start_goes_on_from_the_ledger() {
    for (seed, pipeline) in (0x1357_9bdf..).zip([SUMS, RANKS, PLACES, TWICE, RANDOM, DISTINCT]) {
        in_time(move || restarts(&plain(pipeline), seed, 24, false));
    }
}

#[test]
fn what_a_ledger_has_of_several_files_together_is_taken() {
    for (seed, pipeline) in (0x2357_9bdf..).zip([SUMS, RANKS, PLACES, TWICE, DISTINCT]) {
        in_time(move || restarts(&plain(pipeline), seed, 24, true));
    }
}

/// Puts records of a ledger together, as a run does that is fast.
fn gather(folder: &Path, run: &str, dice: &mut Dice) {
    let known = Folder::read(folder, None, true).unwrap();
    let mut partials: BTreeMap<Print, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for (record, body) in known.records() {
        let Record::Partial { meaning, tiles } = record else { continue };
        partials.entry(*meaning).or_default().push((*tiles, body.read().unwrap()));
    }
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).for_each(|path| {
        if path.extension().is_some_and(|ending| ending == "ledger") {
            std::fs::remove_file(path).unwrap();
        }
    });
    let mut page = Page::begin(folder, run, 7).unwrap();
    for (meaning, mut list) in partials {
        while !list.is_empty() {
            let some: Vec<_> = list.drain(..list.len().min(1 + dice.roll(3) as usize)).collect();
            let tiles = some.iter().map(|(tiles, _)| tiles).sum();
            let parts = some.iter().map(|(tiles, body)| body.split_at(*tiles as usize * 16));
            let (keys, states): (Vec<&[u8]>, Vec<&[u8]>) = parts.unzip();
            let body = [keys.concat(), states.concat()].concat();
            page.note(&Record::Partial { meaning, tiles }, &[&body]).unwrap();
        }
    }
}

/// Keeps a pipeline up to date over so many edits, and starts anew before every second; what is read
/// is no more than what has changed, where the place of rows does not count and nothing is noted of
/// several files `together`.
pub fn restarts(case: &Case, seed: u64, rounds: usize, together: bool) {
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = tempfile::tempdir().unwrap();
    let table = other.path().join(format!("table.{}", case.ending));
    let pipeline = &case.pipeline.replace("TABLE", &table.display().to_string())[..];
    let mut dice = Dice(seed);
    let name = |i: u64| dir.path().join(format!("f{i:02}.{}", case.ending));
    (0..9).for_each(|i| (case.write)(&name(i), &mut dice));
    if let Some(write) = case.beside {
        write(&table, &mut dice);
    }
    let mut changed: Vec<PathBuf> = (0..9).map(name).collect();
    let (mut recalled, mut anew) = (0, 0);
    for round in 0..rounds {
        let (folder, run) = (state.path().to_path_buf(), format!("{round:03}"));
        let _lock = Lock::take(&folder).unwrap();
        if together {
            gather(&folder, &format!("{round:03}-all"), &mut dice);
        }
        let known = Folder::read(&folder, None, true).unwrap();
        assert_eq!(known.warnings, [""; 0]);
        let ledger = Ledger { folder, run, process: 0 };
        let (watch, threads) = (Arc::new(Watch::new()), 1 + round % 3);
        let plan = loose(pipeline, dir.path());
        let mut kept = Kept::start(
            plan,
            Scale { on_disk: round % 4 == 3, ..FEW },
            options(threads, 2),
            Some(&ledger),
            watch,
            Box::new(|| None),
        )
        .unwrap();
        let mut before = BTreeMap::new();
        for again in [false, true] {
            if kept.split().joins() {
                join(&mut kept, &loose(pipeline, dir.path()));
            }
            let now = pieces(&mut kept, dir.path());
            let (mut come, gone) = difference(&kept, &before, &now, &changed);
            if !again {
                kept.recall(&known, &mut come);
            }
            let updated = kept.update(come, gone, &|_| true).unwrap();
            assert_eq!(updated.refused, []);
            if kept.split().placed.is_empty() && !together {
                let there: HashSet<_> = changed.iter().filter(|path| path.exists()).collect();
                assert!(updated.read <= there.len() as u64, "round {round}");
            }
            (recalled, anew) =
                (recalled + updated.recalled, anew + u64::from(again) * updated.read);
            let whole = load(pipeline, dir.path());
            let behind = run_alone(Arc::new(kept.behind(&whole, false).unwrap()));
            let cold = run_alone(whole);
            assert!(shown(&behind) == shown(&cold), "round {round}:\n{behind:?}\n{cold:?}");
            before = now;
            changed.clear();
            for _ in 0..u64::from(!again) + dice.roll(3) {
                let path = name(dice.roll(12));
                let files = std::fs::read_dir(dir.path()).unwrap().count();
                match dice.roll(3) == 0 && files > case.least {
                    true => drop(std::fs::remove_file(&path)),
                    false => (case.write)(&path, &mut dice),
                }
                changed.push(path);
            }
        }
    }
    assert!(recalled >= rounds as u64, "{recalled}");
    assert!(anew > 0, "nothing was read in {rounds} rounds of {pipeline}");
}
