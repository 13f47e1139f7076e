//! Notes what is done while a run goes on: one file for each process of a run.
//!
//! A record is handed to the system as soon as what it tells of is: so nothing is lost when
//! processes are killed. Now and then what has been written is made durable, and a record says so:
//! after a power cut only what was synced counts.
use super::folder::{cannot, page};
use super::fragment::lasting;
use super::frame::{MAGIC, encode};
use super::lock::Share;
use super::record::{Origin, Record};
use super::stamp::{Inputs, output_print};
use super::states::{States, pack};
use super::survey::{Progress, Survey};
use crate::watch::lock;
use arrow_array::RecordBatch;
use base::{Failure, Tile};
use formats::{Sink, Written};
use plan::Print;
use plan::physical::{Op, Physical};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Time between two syncs.
const SYNC: Duration = Duration::from_secs(1);

/// Rows of more bytes than this are not kept for a report.
const MOST_ROWS: usize = 16 << 20;

/// What each staged output of a run is called in its ledger, the same in all processes.
pub type Stages = Vec<(PathBuf, Print)>;

/// The notes of one process of a run.
pub struct Book {
    shared: Arc<Shared>,
    fragments: Vec<Progress>,
    /// For each node of the plan.
    left: Vec<Option<Arc<Vec<u64>>>>,
    whole: Vec<Option<Print>>,
    physical: Physical,
    /// Dropped at the end, so that the thread that syncs ends.
    _ends: Sender<()>,
    _share: Share,
}

/// What the thread that syncs needs.
struct Shared {
    page: Mutex<Page>,
    /// For each node of the plan that is staged and lasts.
    sinks: Vec<Option<(Arc<dyn Sink>, Print)>>,
}

/// The file, and what it tells of that may not be on the disk yet.
struct Page {
    file: File,
    records: u64,
    fresh: BTreeMap<usize, Vec<u64>>,
    /// After an error nothing more is noted.
    failed: Option<String>,
}

impl Page {
    fn note(&mut self, record: &Record, body: &[&[u8]]) {
        if self.failed.is_some() {
            return;
        }
        match encode(record, body).and_then(|bytes| self.file.write_all(&bytes)) {
            Ok(()) => self.records += 1,
            Err(e) => self.failed = Some(e.to_string()),
        }
    }
}

impl Book {
    /// Begins the notes of a process of a run, for what a survey has left.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn begin(
        folder: &Path,
        run: &str,
        process: usize,
        survey: &Survey,
        stages: &Stages,
    ) -> Result<Book, Failure> {
        let share = Share::take(folder)?;
        let path = page(folder, run, process);
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let mut file = file.map_err(|e| cannot(folder, &e))?;
        file.write_all(MAGIC).map_err(|e| cannot(folder, &e))?;
        let mut page = Page { file, records: 0, fresh: BTreeMap::new(), failed: None };
        page.note(&Record::Begin(Origin::here()), &[]);
        let sink = |node: &plan::physical::Node| {
            let sink = lasting(node)?;
            let stage = stages.iter().find(|(path, _)| path == sink.path())?;
            Some((sink.clone(), stage.1))
        };
        let sinks = survey.physical.nodes.iter().map(sink).collect();
        let shared = Arc::new(Shared { page: Mutex::new(page), sinks });
        let (ends, ended) = channel();
        let syncs = shared.clone();
        let sync = move || {
            while ended.recv_timeout(SYNC) == Err(RecvTimeoutError::Timeout) {
                syncs.sync();
            }
        };
        let thread = std::thread::Builder::new().name("engine:ledger".into()).spawn(sync);
        thread.map_err(|e| cannot(folder, &e))?;
        Ok(Book {
            shared,
            fragments: survey.fragments.clone(),
            left: survey.left.clone(),
            whole: survey.whole.clone(),
            physical: survey.physical.clone(),
            _ends: ends,
            _share: share,
        })
    }

    /// For each node that is a reader the tiles to do, if not all.
    pub(crate) fn left(&self) -> &[Option<Arc<Vec<u64>>>] {
        &self.left
    }

    /// The number of the tile at a place among those of a reader that are to be done.
    pub(crate) fn number(&self, node: usize, place: u64) -> u64 {
        let left = self.left.get(node).and_then(Option::as_ref);
        left.and_then(|left| left.get(place as usize)).copied().unwrap_or(place)
    }

    /// The fragment that ends at a node, and its place among all.
    pub(super) fn fragment(&self, node: usize) -> Option<&Progress> {
        self.fragments.iter().find(|p| p.fragment.node == node)
    }

    /// A tile has been given to the writer at the end of a fragment.
    pub(super) fn wrote(&self, progress: &Progress, tile: u64) {
        let node = progress.fragment.node;
        let (Some(Some((sink, stage))), Some(key)) =
            (self.shared.sinks.get(node), progress.fragment.keys.get(tile as usize))
        else {
            return;
        };
        let bytes = sink.part(tile).unwrap_or(u64::MAX).to_le_bytes();
        let mut page = lock(&self.shared.page);
        page.note(&Record::Written { stage: *stage }, &[&key.0, &bytes]);
        page.fresh.entry(node).or_default().push(tile);
    }

    /// What the fold at the end of a fragment has made of some tiles.
    ///
    /// # Errors
    /// If the states cannot be encoded.
    pub(super) fn folded(
        &self,
        progress: &Progress,
        tiles: &[u64],
        states: &[Tile],
    ) -> Result<(), Failure> {
        let keys = tiles.iter().filter_map(|n| progress.fragment.keys.get(*n as usize));
        let keys: Vec<u8> = keys.flat_map(|key| key.0).collect();
        let body = pack(states)?;
        let record =
            Record::Partial { meaning: progress.fragment.meaning, tiles: tiles.len() as u64 };
        lock(&self.shared.page).note(&record, &[&keys, &body]);
        Ok(())
    }

    /// In process 0, at the beginning: what the run is, and the outputs, which are staged here
    /// unless they are gone on with.
    ///
    /// # Errors
    /// If an output cannot be staged.
    pub fn open(
        &self,
        run: Record,
        inputs: &Inputs,
        resumed: &[Option<Print>],
    ) -> Result<(), Failure> {
        self.note(&run);
        for (path, print) in inputs.all() {
            self.note(&Record::Input { path, print });
        }
        for (at, node) in self.physical.nodes.iter().enumerate() {
            let Op::Write(sink) = &node.op else { continue };
            if resumed.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let stage = self.shared.sinks.get(at).and_then(|s| s.as_ref()).map(|s| s.1);
            let meaning = self.fragment(at).map(|p| p.fragment.meaning);
            let Some(staged) = sink.staged() else {
                sink.create()?;
                continue;
            };
            self.note(&Record::Unstaged { staged: staged.to_path_buf() });
            // Before the file that it tells of is gone.
            let synced = lock(&self.shared.page).file.sync_data();
            synced.map_err(|e| Failure::output(format!("cannot keep the state: {e}")))?;
            sink.create()?;
            let inode = staged.symlink_metadata().map(|m| m.ino());
            if let (Some(meaning), Some(stage), Ok(inode)) = (meaning, stage, inode) {
                let (path, staged) = (sink.path().to_path_buf(), staged.to_path_buf());
                self.note(&Record::Staged { meaning, stage, path, staged, inode });
            }
        }
        Ok(())
    }

    /// In process 0, when all have finished: gives the outputs their names.
    ///
    /// # Errors
    /// If one of them is not whole or cannot be named.
    pub fn commit(&self) -> Result<Vec<Written>, Failure> {
        let mut all = Vec::new();
        for (at, node) in self.physical.nodes.iter().enumerate() {
            let Op::Write(sink) = &node.op else { continue };
            let whole = self.whole.get(at).copied().flatten();
            let inode = sink.named().and_then(|s| s.symlink_metadata().ok()).map(|m| m.ino());
            if let (Some(whole), Some(inode)) = (whole, inode) {
                self.note(&Record::Naming { whole, path: sink.path().to_path_buf(), inode });
            }
            let written = sink.commit()?;
            if let (Some(whole), Some(print)) = (whole, output_print(&written.path)) {
                let Written { path, files, bytes } = written.clone();
                let formula = self.physical.meanings.get(at).copied().unwrap_or_default().formula;
                self.note(&Record::Output { whole, formula, path, print, files, bytes });
            }
            all.push(written);
        }
        Ok(all)
    }

    /// In process 0, when all outputs have their names: what was reported, and that it is done.
    pub fn end(&self, results: &[(String, base::Schema, Vec<RecordBatch>)], now: String) {
        let shows = self.physical.nodes.iter().enumerate();
        let shows = shows.filter(|(_, node)| matches!(node.op, Op::Show(_)));
        for ((at, _), (_, _, batches)) in shows.zip(results) {
            let Some(whole) = self.whole.get(at).copied().flatten() else { continue };
            let tiles = batches.iter().map(|b| Tile::from_batch(0, 0, b)).collect::<Vec<_>>();
            let bytes: usize = tiles.iter().map(Tile::bytes).sum();
            if let (true, Ok(body)) = (bytes <= MOST_ROWS, pack(&tiles)) {
                lock(&self.shared.page).note(&Record::Table { whole }, &[&body]);
            }
        }
        self.note(&Record::Ended { now });
        let mut page = lock(&self.shared.page);
        if let Err(e) = page.file.sync_data() {
            page.failed.get_or_insert(e.to_string());
        }
    }

    /// Why no more is noted, if so.
    pub fn failed(&self) -> Option<String> {
        lock(&self.shared.page).failed.clone()
    }

    fn note(&self, record: &Record) {
        lock(&self.shared.page).note(record, &[]);
    }
}

impl Shared {
    /// Makes durable what has been written.
    fn sync(&self) {
        let (fresh, records) = {
            let mut page = lock(&self.page);
            (std::mem::take(&mut page.fresh), page.records)
        };
        if fresh.is_empty() {
            return;
        }
        let durable = |(node, tiles): (&usize, &Vec<u64>)| match &self.sinks[*node] {
            Some((sink, _)) => sink.durable(tiles),
            None => Ok(()),
        };
        // What cannot be made durable is not said to be; the writer itself will tell.
        if fresh.iter().try_for_each(durable).is_ok() {
            let file = {
                let mut page = lock(&self.page);
                page.note(&Record::Synced { records }, &[]);
                page.file.try_clone()
            };
            // It only makes the record itself durable sooner.
            drop(file.and_then(|file| file.sync_data()));
        } else {
            let mut page = lock(&self.page);
            for (node, tiles) in fresh {
                page.fresh.entry(node).or_default().extend(tiles);
            }
        }
    }
}

impl Progress {
    /// The states in the ledger that one of so many workers puts in.
    pub(super) fn share(&self, worker: usize, workers: usize) -> Vec<States> {
        self.partials.iter().skip(worker).step_by(workers.max(1)).cloned().collect()
    }
}
