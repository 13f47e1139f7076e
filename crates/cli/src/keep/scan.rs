//! The files that are there, and when they were written.
use engine::incremental::PieceId;
use engine::ledger::{TICK, changed, found_print};
use plan::Print;
use plan::physical::{Op, Physical};
use std::collections::HashMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long it is waited at most for files that change all the time.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a file is known by: that of the ledger.
pub type Stamp = Print;

/// Files in the order of their rows, those of each reader together.
pub type Scan = Vec<(PieceId, Stamp)>;

/// The readers of a plan that read files.
pub fn readers(physical: &Physical) -> Vec<usize> {
    let files = |at: &usize| match &physical.nodes[*at].op {
        Op::Read(read) => read.files.is_some(),
        _ => false,
    };
    (0..physical.nodes.len()).filter(files).collect()
}

/// The files of some readers that are there now.
pub fn scan(physical: &Physical, reads: &[usize]) -> Scan {
    let mut found = Vec::new();
    for read in reads {
        let Op::Read(node) = &physical.nodes[*read].op else { continue };
        let files = node.files.as_ref().map(|files| files.files()).unwrap_or_default();
        let mut stamps: HashMap<&Path, Stamp> = HashMap::new();
        for path in &files {
            if let Some(stamp) = found_print(path)
                && stamps.insert(path, stamp).is_none()
            {
                found.push((PieceId { read: *read, path: path.clone() }, stamp));
            }
        }
    }
    found
}

/// What each file is known by.
pub fn stamps(found: &Scan) -> HashMap<&PieceId, Stamp> {
    found.iter().map(|(id, stamp)| (id, *stamp)).collect()
}

/// Whether some file has been changed so short a time ago that another change would not show.
pub fn fresh(found: &Scan) -> bool {
    let since = SystemTime::now() - TICK;
    found.iter().any(|(id, _)| changed(&id.path).is_some_and(|time| time > since))
}

/// Looks again until the files have stayed as they are for a while; then those that have. Files
/// that change all the time are waited for only so long, and are left out.
pub fn settled(look: impl Fn() -> Scan, first: Scan, pause: Duration) -> (Scan, Vec<PieceId>) {
    let pause = pause.max(TICK);
    let (mut before, start) = (first, Instant::now());
    loop {
        thread::sleep(pause);
        let now = look();
        let known = stamps(&before);
        let changing = |(id, stamp): &&(PieceId, Stamp)| known.get(id) != Some(stamp);
        let changing: Vec<PieceId> = match now == before {
            true => Vec::new(),
            false => now.iter().filter(changing).map(|(id, _)| id.clone()).collect(),
        };
        if now == before || start.elapsed() > PATIENCE {
            return (now, changing);
        }
        before = now;
    }
}
