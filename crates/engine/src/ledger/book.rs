//! Notes what is done while a run goes on: one file for each process of a run.
//!
//! A record is handed to the system as soon as what it tells of is: so nothing is lost when
//! processes are killed. Now and then what has been written is made durable, and a record says so:
//! after a power cut only what was synced counts.
use super::answers::{self, Answers};
use super::folder::{Folder, cannot};
use super::fragment::lasting;
use super::frame::Frame;
use super::lock::Share;
use super::outputs::commit;
use super::page::Page;
use super::record::Record;
use super::staged::entry;
use super::stamp::Inputs;
use super::states::{States, pack};
use super::survey::{Progress, Survey};
use crate::watch::lock;
use arrow_array::RecordBatch;
use base::{Failure, Tile};
use formats::{Arrangement, Piece, Sink, Written};
use plan::Print;
use plan::physical::{Op, Physical};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// Time between two syncs.
const SYNC: Duration = Duration::from_secs(1);

/// Rows of more bytes than this are not kept for a report.
const MOST_ROWS: usize = 16 << 20;

/// What is staged for each output of a run, the same in all processes.
pub type Stages = Vec<Known>;

/// What is staged for an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The final name.
    pub path: PathBuf,
    /// What the ledger calls what is staged.
    pub stage: Print,
    /// Tiles that are not there as they were written, and to be done again.
    pub spoiled: Vec<u64>,
}

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
pub(super) struct Shared {
    notes: Mutex<Notes>,
    /// Answers to rows that may not be noted yet.
    answers: Mutex<Vec<Weak<Answers>>>,
    /// What is known of rows,
    known: Mutex<answers::Known>,
    /// and what has been noted since, for what this process runs next.
    noted: Mutex<Vec<Frame>>,
    /// For each node of the plan that is staged and lasts.
    sinks: Vec<Option<(Arc<dyn Sink>, Print)>>,
}

/// The file, and what it tells of that may not be on the disk yet.
struct Notes {
    page: Page,
    fresh: BTreeMap<usize, Vec<u64>>,
    /// Whether answers to rows have been noted since the last sync.
    answered: bool,
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
        let page = Page::begin(folder, run, process)?;
        let sink = |node: &plan::physical::Node| {
            let sink = lasting(node)?;
            let known = stages.iter().find(|known| known.path == sink.path())?;
            Some((sink.clone(), known.stage))
        };
        let sinks = survey.physical.nodes.iter().map(sink).collect();
        let shared = Arc::new(Shared {
            notes: Mutex::new(Notes { page, fresh: BTreeMap::new(), answered: false }),
            answers: Mutex::default(),
            known: Mutex::new(survey.answers.clone()),
            noted: Mutex::default(),
            sinks,
        });
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

    /// The notes of a process that runs plans anew, again and again: answers to rows, and nothing
    /// else.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the file cannot be made.
    pub fn of_answers(folder: &Path, run: &str, physical: &Physical) -> Result<Book, Failure> {
        let answers = answers::Known::of(&Folder::read(folder, None, true)?);
        let nodes = physical.nodes.len();
        let survey = Survey {
            physical: physical.clone(),
            inputs: Inputs::default(),
            kept: Vec::new(),
            fragments: Vec::new(),
            left: vec![None; nodes],
            tiles: 0,
            whole: vec![None; nodes],
            answers,
            stages: vec![None; nodes],
        };
        Book::begin(folder, run, 0, &survey, &Stages::new())
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

    /// Which tiles are done that go to the sink of a node.
    pub(crate) fn done(&self, sink: &Arc<dyn Sink>) -> Option<Arc<Vec<bool>>> {
        let ours = |node: &plan::physical::Node| matches!(&node.op, Op::Write(to) if Arc::ptr_eq(to, sink));
        let node = self.physical.nodes.iter().position(ours)?;
        Some(self.fragment(node)?.done.clone())
    }

    /// What is known of the rows that a node does something for.
    pub(crate) fn memory(&self) -> Arc<Answers> {
        self.shared.flush();
        let known = {
            let mut known = lock(&self.shared.known);
            let noted = std::mem::take(&mut *lock(&self.shared.noted));
            noted.iter().for_each(|frame| known.add(&frame.record, &frame.body));
            known.clone()
        };
        let answers = Answers::new(known, self.shared.clone());
        lock(&self.shared.answers).push(Arc::downgrade(&answers));
        answers
    }

    /// Tiles have been written by the writer at the end of a fragment.
    pub(super) fn wrote(&self, progress: &Progress, tiles: &[(u64, Piece)]) {
        let node = progress.fragment.node;
        let Some(Some((_, stage))) = self.shared.sinks.get(node) else { return };
        let key = |tile: u64| progress.fragment.keys.get(tile as usize);
        let known = tiles.iter().filter_map(|(tile, piece)| Some((key(*tile)?, piece)));
        let body: Vec<u8> = known.flat_map(|(key, piece)| entry(*key, *piece)).collect();
        let mut notes = lock(&self.shared.notes);
        notes.page.note(&Record::Written { stage: *stage }, &[&body]);
        notes.fresh.entry(node).or_default().extend(tiles.iter().map(|(tile, _)| tile));
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
        lock(&self.shared.notes).page.note(&record, &[&keys, &body]);
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
            if let Some(stage) = resumed.get(at).copied().flatten() {
                if sink.arrangement() == Arrangement::InOrder {
                    let bytes = sink.staged().and_then(|s| s.metadata().ok()).map(|m| m.len());
                    self.note(&Record::Cut { stage, bytes: bytes.unwrap_or(0) });
                }
                continue;
            }
            let stage = self.shared.sinks.get(at).and_then(|s| s.as_ref()).map(|s| s.1);
            let meaning = self.fragment(at).map(|p| p.fragment.meaning);
            let Some(staged) = sink.staged() else {
                sink.create()?;
                continue;
            };
            let name = PathBuf::from(staged.file_name().unwrap_or_default());
            let path = sink.path().to_path_buf();
            self.note(&Record::Unstaged { path: path.clone(), staged: name.clone() });
            // Before the file that it tells of is gone.
            let synced = lock(&self.shared.notes).page.sync();
            synced.map_err(|e| Failure::output(format!("cannot keep the state: {e}")))?;
            sink.create()?;
            let inode = staged.symlink_metadata().map(|m| m.ino());
            if let (Some(meaning), Some(stage), Ok(inode)) = (meaning, stage, inode) {
                self.note(&Record::Staged { meaning, stage, path, staged: name, inode });
            }
        }
        Ok(())
    }

    /// In process 0, when all have finished: gives the outputs their names.
    ///
    /// # Errors
    /// If one of them is not whole or cannot be named.
    pub fn commit(&self) -> Result<Vec<Written>, Failure> {
        self.shared.flush();
        let whole = |at: usize| self.whole.get(at).copied().flatten();
        commit(&self.physical, &whole, &mut |record| self.note(&record))
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
                lock(&self.shared.notes).page.note(&Record::Table { whole }, &[&body]);
            }
        }
        self.shared.flush();
        self.note(&Record::Ended { now });
        // Why it failed is told when it is asked for.
        drop(lock(&self.shared.notes).page.sync());
    }

    /// Why no more is noted, if so.
    pub fn failed(&self) -> Option<String> {
        lock(&self.shared.notes).page.failed()
    }

    fn note(&self, record: &Record) {
        lock(&self.shared.notes).page.note(record, &[]);
    }
}

impl Shared {
    /// Notes answers to rows.
    pub(super) fn answered(&self, record: &Record, body: &[&[u8]]) {
        let frame = {
            let mut notes = lock(&self.notes);
            notes.answered = true;
            notes.page.note(record, body)
        };
        lock(&self.noted).extend(frame);
    }

    /// Notes the answers that are not noted yet.
    fn flush(&self) {
        let answers: Vec<Arc<Answers>> =
            lock(&self.answers).iter().filter_map(Weak::upgrade).collect();
        answers.iter().for_each(|answers| answers.flush());
    }

    /// Makes durable what has been written.
    fn sync(&self) {
        self.flush();
        let answered = {
            let mut notes = lock(&self.notes);
            std::mem::take(&mut notes.answered).then(|| notes.page.file())
        };
        // Answers that are lost to a power cut are given again.
        drop(answered.map(|file| file.and_then(|file| file.sync_data())));
        let (fresh, records) = {
            let mut notes = lock(&self.notes);
            (std::mem::take(&mut notes.fresh), notes.page.records())
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
                let page = &mut lock(&self.notes).page;
                page.note(&Record::Synced { records }, &[]);
                page.file()
            };
            // It only makes the record itself durable sooner.
            drop(file.and_then(|file| file.sync_data()));
        } else {
            let mut notes = lock(&self.notes);
            for (node, tiles) in fresh {
                notes.fresh.entry(node).or_default().extend(tiles);
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
