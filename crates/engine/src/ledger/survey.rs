//! What of a plan is done, and what is left to do.
use super::folder::{Folder, Pages};
use super::fragment::{Fragment, files_of, fragments, lasting};
use super::frame::{Body, Frame};
use super::record::Record;
use super::stamp::{Inputs, output_print};
use crate::wire;
use arrow_buffer::Buffer;
use base::Tile;
use plan::Print;
use plan::physical::{Node, Op, Physical};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a plan has to do, in the light of a ledger.
pub struct Survey {
    /// The plan, less what is done: a sink whose output is as it should be is left out, and all
    /// that feeds nothing else.
    pub physical: Physical,
    /// The input files of what is left.
    pub inputs: Inputs,
    /// What is left out, in the order of the plan's nodes.
    pub kept: Vec<Kept>,
    /// The fragments of what is left.
    pub fragments: Vec<Progress>,
    /// For each reader of what is left the tiles to do, if not all.
    pub left: Vec<Option<Arc<Vec<u64>>>>,
    /// Tiles of all readers of the whole plan.
    pub tiles: u64,
    /// For each node of what is left that is a sink or shows rows: what it means, with its inputs.
    pub whole: Vec<Option<Print>>,
    /// What is staged for each sink of what is left that can be gone on with.
    pub stages: Vec<Option<Print>>,
}

/// A fragment, and what of it is done.
#[derive(Clone)]
pub struct Progress {
    /// The fragment.
    pub fragment: Fragment,
    /// For each tile whether it is done.
    pub done: Arc<Vec<bool>>,
    /// For a fold: what was made of the tiles that are done.
    pub partials: Vec<States>,
}

/// States of a fold, in a ledger.
#[derive(Clone, Debug)]
pub struct States {
    body: Body,
    skip: usize,
}

/// A sink or a result that is left out of a plan.
#[derive(Clone, Debug)]
pub enum Kept {
    /// An output, as it is.
    Output {
        /// The node in the whole plan.
        node: usize,
        /// Where.
        path: PathBuf,
        /// Files under it, or 1.
        files: u64,
        /// Bytes on disk.
        bytes: u64,
    },
    /// Rows for the report.
    Table {
        /// The node in the whole plan.
        node: usize,
        /// The rows.
        tiles: Vec<Tile>,
    },
}

impl Progress {
    /// The node at its end.
    pub fn node(&self) -> usize {
        self.fragment.node
    }

    /// Whether it begins at this node.
    pub fn reads(&self, node: usize) -> bool {
        self.fragment.read == node
    }

    /// Tiles in all.
    pub fn tiles(&self) -> usize {
        self.done.len()
    }
}

/// Why a tile is to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The ledger does not know what is computed.
    Unknown,
    /// The ledger knows another output of this name: what is computed has changed.
    Formula,
    /// This file has changed since.
    Changed(PathBuf),
    /// This file was not there.
    New(PathBuf),
    /// No run has come to it, or what was staged is gone.
    Open,
    /// It is done, but another step that reads it needs it.
    Shared,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Reason::Unknown => f.write_str("the ledger knows nothing of this step"),
            Reason::Formula => f.write_str("what is computed has changed"),
            Reason::Changed(path) => write!(f, "{} has changed", path.display()),
            Reason::New(path) => write!(f, "{} is new", path.display()),
            Reason::Open => f.write_str("no run has finished them"),
            Reason::Shared => f.write_str("done, but another step needs them"),
        }
    }
}

/// Whether what is staged for an output can be gone on with. `written` are the tiles that are
/// whole, as far as the ledger knows, with the bytes of their parts.
pub type Trial<'a> = &'a dyn Fn(&Node, Print, &HashMap<u64, u64>) -> bool;

impl Survey {
    /// Of a plan whose inputs are these.
    pub fn of(physical: &Physical, inputs: &Inputs, folder: &Folder, trial: Trial) -> Survey {
        let tiles = tiles(physical);
        let whole = wholes(physical, inputs);
        let known = Known::of(folder);
        let mut kept = Vec::new();
        for (node, print) in whole.iter().enumerate() {
            kept.extend(print.and_then(|print| known.kept(&physical.nodes, node, print)));
        }
        let (physical, places) = without(physical, &kept);
        let moved = |node: usize| places.get(&node).copied();
        let inputs_left = inputs.moved(&moved);
        let mut survey = Survey {
            left: vec![None; physical.nodes.len()],
            whole: vec![None; physical.nodes.len()],
            stages: vec![None; physical.nodes.len()],
            fragments: Vec::new(),
            inputs: inputs_left,
            physical,
            kept,
            tiles,
        };
        for (node, print) in whole.iter().enumerate() {
            if let Some(at) = moved(node) {
                survey.whole[at] = *print;
            }
        }
        for fragment in fragments(&survey.physical, &survey.inputs) {
            let progress = match lasting(&survey.physical.nodes[fragment.node]) {
                Some(_) => {
                    let node = &survey.physical.nodes[fragment.node];
                    let (stage, progress) = known.written(node, fragment, trial);
                    survey.stages[progress.fragment.node] = stage;
                    progress
                }
                None => known.folded(fragment),
            };
            survey.fragments.push(progress);
        }
        for at in 0..survey.physical.nodes.len() {
            let all: Vec<&Progress> =
                survey.fragments.iter().filter(|p| p.fragment.read == at).collect();
            if let Some(first) = all.first() {
                let open = |n: &u64| !all.iter().all(|p| p.done[*n as usize]);
                let open: Vec<u64> = (0..first.done.len() as u64).filter(open).collect();
                survey.left[at] = (open.len() < first.done.len()).then(|| Arc::new(open));
            }
        }
        survey
    }

    /// How many tiles are left to do.
    pub fn tiles_left(&self) -> u64 {
        let left = |(node, left): (&Node, &Option<Arc<Vec<u64>>>)| match (&node.op, left) {
            (Op::Read(_), Some(left)) => left.len() as u64,
            (Op::Read(read), None) => read.tiling.count(),
            _ => 0,
        };
        self.physical.nodes.iter().zip(&self.left).map(left).sum()
    }

    /// Whether nothing is left to do at all.
    pub fn is_done(&self) -> bool {
        self.physical.nodes.is_empty()
    }

    /// The same in all processes of a run whose ledgers and inputs look the same.
    pub fn digest(&self) -> [u8; 32] {
        let mut parts: Vec<Vec<u8>> = vec![self.physical.hash.to_vec()];
        parts.extend(self.whole.iter().map(|p| format!("{p:?}").into_bytes()));
        for progress in &self.fragments {
            parts.push(Print::of(&progress.fragment.keys).0.to_vec());
            parts.push(progress.done.iter().map(|d| u8::from(*d)).collect());
            parts.push(progress.partials.len().to_le_bytes().to_vec());
        }
        let print = Print::of(parts).0;
        let mut digest = [0; 32];
        digest[..16].copy_from_slice(&print);
        digest
    }

    /// For each tile of a fragment that is to be done, why.
    pub fn reasons(&self, of: &Progress, folder: &Folder) -> Vec<(u64, Reason)> {
        let read = match &self.physical.nodes[of.fragment.read].op {
            Op::Read(read) => read,
            _ => return Vec::new(),
        };
        let files = self.inputs.of_node(of.fragment.read).unwrap_or_default();
        let known = Known::of(folder);
        let general = known.unknown(&self.physical.nodes[of.fragment.node], of.fragment.meaning);
        let before: HashMap<&Path, HashSet<Print>> = known.inputs();
        let why = |number: u64| {
            if of.done[number as usize] {
                return Reason::Shared;
            }
            if let Some(general) = &general {
                return general.clone();
            }
            let some: Vec<usize> =
                files_of(read, number).unwrap_or_else(|| (0..files.len()).collect());
            let reason = |file: &usize| {
                let (path, print) = files.get(*file)?;
                match before.get(path.as_path()) {
                    None => Some(Reason::New(path.clone())),
                    Some(prints) if !prints.contains(print) => Some(Reason::Changed(path.clone())),
                    Some(_) => None,
                }
            };
            some.iter().find_map(reason).unwrap_or(Reason::Open)
        };
        match &self.left[of.fragment.read] {
            Some(left) => left.iter().map(|n| (*n, why(*n))).collect(),
            None => (0..of.done.len() as u64).map(|n| (n, why(n))).collect(),
        }
    }
}

impl States {
    /// The tiles of states.
    ///
    /// # Errors
    /// If they are not what was written.
    pub fn tiles(&self) -> Result<Vec<Tile>, base::Failure> {
        let bytes = self.body.read().and_then(|bytes| bytes.get(self.skip..).map(<[u8]>::to_vec));
        bytes.and_then(|bytes| unpack(&bytes)).ok_or_else(|| {
            base::Failure::data(
                "the ledger has changed on the disk since it was written: \
                 `tidemill clean` removes it, and the run begins anew",
            )
        })
    }
}

/// Tiles as a body.
///
/// # Errors
/// If Arrow cannot encode one.
pub fn pack(tiles: &[Tile]) -> Result<Vec<u8>, base::Failure> {
    let mut bytes = Vec::new();
    for tile in tiles {
        let pieces = wire::encode(tile)?;
        let length: usize = pieces.iter().map(Buffer::len).sum();
        bytes.extend((length as u64).to_le_bytes());
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    }
    Ok(bytes)
}

/// The tiles of a body.
fn unpack(mut bytes: &[u8]) -> Option<Vec<Tile>> {
    let mut tiles = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (tile, rest) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
        // A copy that begins where Arrow wants arrays to begin.
        tiles.push(wire::decode(&Buffer::from(tile)).ok()?);
        bytes = rest;
    }
    Some(tiles)
}

/// The records that are still of use for a plan when all is done: the last run, what it read and
/// made, and the states of its folds.
pub fn useful(
    folder: &Folder,
    physical: &Physical,
    inputs: &Inputs,
    fragments: Vec<Fragment>,
) -> Vec<Frame> {
    let whole: HashSet<Print> = wholes(physical, inputs).into_iter().flatten().collect();
    let files: HashSet<(PathBuf, Print)> = inputs.all().into_iter().collect();
    let known = Known::of(folder);
    let partials: HashSet<(PathBuf, u64)> = fragments
        .into_iter()
        .flat_map(|fragment| known.folded(fragment).partials)
        .map(|states| states.body.place())
        .collect();
    // The last record of a kind and name stands for all of them.
    let mut last: BTreeMap<(u8, PathBuf, Print), &Frame> = BTreeMap::new();
    let mut keep = Vec::new();
    for frame in folder.files.iter().flat_map(|pages| &pages.frames) {
        let nameless = |kind| (kind, PathBuf::new(), Print::default());
        let slot = match &frame.record {
            Record::Run { .. } => nameless(0),
            Record::Input { path, print } if files.contains(&(path.clone(), *print)) => {
                (1, path.clone(), *print)
            }
            Record::Output { whole: of, path, .. } if whole.contains(of) => {
                (2, path.clone(), Print::default())
            }
            Record::Table { whole: of } if whole.contains(of) => (3, PathBuf::new(), *of),
            Record::Ended { .. } => nameless(4),
            Record::Partial { .. } if partials.contains(&frame.body.place()) => {
                keep.push(frame.clone());
                continue;
            }
            _ => continue,
        };
        last.insert(slot, frame);
    }
    last.into_values().cloned().chain(keep).collect()
}

/// The tiles that all readers of a plan have.
fn tiles(physical: &Physical) -> u64 {
    let tiles = |node: &Node| match &node.op {
        Op::Read(read) => read.tiling.count(),
        _ => 0,
    };
    physical.nodes.iter().map(tiles).sum()
}

/// For each sink and result what it means, with all files that it depends on.
fn wholes(physical: &Physical, inputs: &Inputs) -> Vec<Option<Print>> {
    let mut before: Vec<Option<Vec<Print>>> = Vec::new();
    let mut whole = Vec::new();
    for (at, node) in physical.nodes.iter().enumerate() {
        let mut files = inputs.of_node(at).map(|f| f.iter().map(|(_, p)| *p).collect::<Vec<_>>());
        for input in &node.inputs {
            files = files.zip(before[*input].clone()).map(|(a, b)| [a, b].concat());
        }
        let meaning = physical.meanings.get(at).map(|m| m.placed);
        let sink = matches!(node.op, Op::Write(_) | Op::Show(_));
        let print = files.clone().zip(meaning).filter(|_| sink);
        whole.push(print.map(|(files, meaning)| {
            let files = files.iter().map(|p| p.0);
            Print::of(std::iter::once(meaning.0).chain(files))
        }));
        before.push(files);
    }
    whole
}

/// The plan less the sinks that are kept and all that feeds nothing else, and where its nodes now
/// stand.
fn without(physical: &Physical, kept: &[Kept]) -> (Physical, HashMap<usize, usize>) {
    let mut needed = vec![false; physical.nodes.len()];
    for (at, node) in physical.nodes.iter().enumerate().rev() {
        let sink = matches!(node.op, Op::Write(_) | Op::Show(_));
        needed[at] |= sink && !kept.iter().any(|k| k.node() == at);
        if needed[at] {
            node.inputs.iter().for_each(|input| needed[*input] = true);
        }
    }
    let mut places = HashMap::new();
    let mut left = Physical { nodes: Vec::new(), meanings: Vec::new(), ..physical.clone() };
    for (at, node) in physical.nodes.iter().enumerate().filter(|(at, _)| needed[*at]) {
        places.insert(at, left.nodes.len());
        let mut node = node.clone();
        // Inputs of a node that is needed are, too, and stand before it.
        node.inputs.iter_mut().for_each(|input| *input = places[input]);
        left.nodes.push(node);
        left.meanings.extend(physical.meanings.get(at));
    }
    (left, places)
}

impl Kept {
    /// The node in the whole plan.
    pub fn node(&self) -> usize {
        match self {
            Kept::Output { node, .. } | Kept::Table { node, .. } => *node,
        }
    }
}

/// Whether an output that is there was made by an earlier run that meant the same, of whatever
/// inputs, and is as that run left it.
pub fn is_own(physical: &Physical, path: &Path, folder: &Folder) -> bool {
    let write = |(at, node): (usize, &Node)| match &node.op {
        Op::Write(sink) if sink.path() == path => physical.meanings.get(at).map(|m| m.formula),
        _ => None,
    };
    let Some(meant) = physical.nodes.iter().enumerate().find_map(write) else { return false };
    let last = folder.records().filter_map(|(record, _)| match record {
        Record::Output { formula, path: of, print, .. } if same(of, path) => Some((formula, print)),
        _ => None,
    });
    last.last()
        .is_some_and(|(formula, print)| *formula == meant && output_print(path) == Some(*print))
}

/// What a ledger knows.
struct Known<'a> {
    folder: &'a Folder,
}

impl<'a> Known<'a> {
    fn of(folder: &'a Folder) -> Known<'a> {
        Known { folder }
    }

    /// What is kept of a sink or a result, if it is there and as it was.
    fn kept(&self, nodes: &[Node], node: usize, meaning: Print) -> Option<Kept> {
        if let Op::Show(_) = &nodes[node].op {
            let table = |(record, body): (&Record, &Body)| match record {
                Record::Table { whole } if *whole == meaning => unpack(&body.read()?),
                _ => None,
            };
            return self.folder.records().find_map(table).map(|tiles| Kept::Table { node, tiles });
        }
        let Op::Write(sink) = &nodes[node].op else { return None };
        let path = sink.path();
        let now = path.symlink_metadata().ok()?;
        let mut found = None;
        for (record, _) in self.folder.records() {
            found = match record {
                Record::Output { whole, path: of, print, files, bytes, .. } if same(of, path) => {
                    let as_it_was = *whole == meaning && output_print(of) == Some(*print);
                    as_it_was.then_some((*files, *bytes))
                }
                // Named, and the run was ended before it could say so.
                Record::Naming { whole, path: of, inode } if same(of, path) => {
                    let named = *whole == meaning && *inode == now.ino();
                    named.then(|| measure(path)).flatten()
                }
                _ => continue,
            };
        }
        let (files, bytes) = found?;
        Some(Kept::Output { node, path: path.to_path_buf(), files, bytes })
    }

    /// What is staged for an output, and which tiles are in it.
    fn written(&self, node: &Node, fragment: Fragment, trial: Trial) -> (Option<Print>, Progress) {
        let numbers: HashMap<Print, u64> =
            fragment.keys.iter().zip(0..).map(|(key, n)| (*key, n)).collect();
        let mut done = vec![false; fragment.keys.len()];
        let mut found = None;
        if let Some(stage) = self.stage(fragment.meaning) {
            let mut written = HashMap::new();
            for pages in &self.folder.files {
                for (key, bytes) in tiles_in(pages, stage) {
                    if let Some(number) = numbers.get(&key) {
                        written.insert(*number, bytes);
                    }
                }
            }
            if let Some(sink) = lasting(node) {
                written.retain(|n, bytes| sink.part(*n).unwrap_or(u64::MAX) == *bytes);
            }
            if trial(node, stage, &written) {
                written.keys().for_each(|number| done[*number as usize] = true);
                found = Some(stage);
            }
        }
        (found, Progress { fragment, done: Arc::new(done), partials: Vec::new() })
    }

    /// What is staged for an output: the last thing that was staged under its name, if that is
    /// still there and was for the same.
    fn stage(&self, of: Print) -> Option<Print> {
        let mut last: HashMap<&Path, (Print, Print, u64)> = HashMap::new();
        for (record, _) in self.folder.records() {
            match record {
                Record::Staged { meaning, stage, staged, inode, .. } => {
                    last.insert(staged, (*meaning, *stage, *inode));
                }
                Record::Unstaged { staged } => drop(last.remove(staged.as_path())),
                _ => {}
            }
        }
        let there =
            |staged: &Path, inode| staged.symlink_metadata().is_ok_and(|m| m.ino() == inode);
        let mut fit = last
            .iter()
            .filter(|(staged, (meaning, _, inode))| *meaning == of && there(staged, *inode));
        fit.next().map(|(_, (_, stage, _))| *stage)
    }

    /// Which tiles of a fold are done, each by one record; the last records first.
    fn folded(&self, fragment: Fragment) -> Progress {
        let numbers: HashMap<Print, usize> =
            fragment.keys.iter().zip(0..).map(|(key, n)| (*key, n)).collect();
        let mut done = vec![false; fragment.keys.len()];
        let mut partials = Vec::new();
        let all: Vec<(&Record, &Body)> = self.folder.records().collect();
        for (record, body) in all.into_iter().rev() {
            let Record::Partial { meaning, tiles } = record else { continue };
            if *meaning != fragment.meaning {
                continue;
            }
            let Some(keys) = body.keys(*tiles) else { continue };
            let mine: Option<Vec<usize>> = keys.iter().map(|k| numbers.get(k).copied()).collect();
            // A record with a tile that is no more, or that another one has, is of no use.
            let Some(mine) = mine.filter(|m| !m.iter().any(|n| done[*n])) else { continue };
            let distinct: HashSet<&usize> = mine.iter().collect();
            if distinct.len() != mine.len() || mine.is_empty() || body.read().is_none() {
                continue;
            }
            mine.iter().for_each(|n| done[*n] = true);
            partials.push(States { body: body.clone(), skip: mine.len() * 16 });
        }
        Progress { fragment, done: Arc::new(done), partials }
    }

    /// Why the ledger can know nothing of a fragment.
    fn unknown(&self, node: &Node, meaning: Print) -> Option<Reason> {
        let mut reason = Some(Reason::Unknown);
        let path = match &node.op {
            Op::Write(sink) => Some(sink.path()),
            _ => None,
        };
        for (record, _) in self.folder.records() {
            match record {
                Record::Staged { meaning: known, .. } | Record::Partial { meaning: known, .. }
                    if *known == meaning =>
                {
                    return None;
                }
                Record::Staged { path: of, .. } | Record::Output { path: of, .. }
                    if path.is_some_and(|p| same(of, p)) =>
                {
                    reason = Some(Reason::Formula);
                }
                Record::Partial { .. } if path.is_none() => reason = Some(Reason::Formula),
                _ => {}
            }
        }
        reason
    }

    fn inputs(&self) -> HashMap<&'a Path, HashSet<Print>> {
        let mut inputs: HashMap<&Path, HashSet<Print>> = HashMap::new();
        for (record, _) in self.folder.records() {
            if let Record::Input { path, print } = record {
                inputs.entry(path).or_default().insert(*print);
            }
        }
        inputs
    }
}

/// The tiles that a file says are in what is staged, with the bytes of their parts.
fn tiles_in(pages: &Pages, of: Print) -> BTreeMap<Print, u64> {
    let synced = pages.frames.iter().filter_map(|f| match f.record {
        Record::Synced { records } => Some(records as usize),
        _ => None,
    });
    // What had not been synced may have been lost with the page cache. The first record is left
    // out here.
    let trusted = match pages.origin.is_of_this_boot() {
        true => pages.frames.len(),
        false => synced.max().unwrap_or(0).saturating_sub(1).min(pages.frames.len()),
    };
    let mut tiles = BTreeMap::new();
    for frame in &pages.frames[..trusted] {
        let Record::Written { stage } = &frame.record else { continue };
        if *stage == of {
            let body = frame.body.read().unwrap_or_default();
            for entry in body.as_chunks::<24>().0 {
                let (mut key, mut bytes) = ([0; 16], [0; 8]);
                key.copy_from_slice(&entry[..16]);
                bytes.copy_from_slice(&entry[16..]);
                tiles.insert(Print(key), u64::from_le_bytes(bytes));
            }
        }
    }
    tiles
}

fn same(a: &Path, b: &Path) -> bool {
    std::path::absolute(a).ok() == std::path::absolute(b).ok()
}

/// Files under an output and their bytes.
fn measure(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_dir() {
        return Some((1, metadata.len()));
    }
    let (mut files, mut bytes) = (0, 0);
    for entry in path.read_dir().ok()? {
        let len = entry.ok()?.metadata().ok()?.len();
        files += u64::from(len > 0);
        bytes += len;
    }
    Some((files, bytes))
}
