//! The records that are still of use, in one file: what was noted of tiles that have become
//! outputs, or of inputs as they no longer are, goes.
use super::folder::{Folder, cannot, merged};
use super::fragment::fragments;
use super::frame::{Frame, MAGIC, encode};
use super::home::{Home, beside};
use super::record::{Origin, Record};
use super::stamp::Inputs;
use super::states::folded;
use super::survey::wholes;
use base::Failure;
use plan::physical::{Node, Op, Physical};
use plan::{Meaning, Print};
use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// From so many files on they are gathered even if all they hold is of use.
const MANY: usize = 16;

/// Gathers what is of use for some plans, if it is little of what there is. The lock is held, and no
/// process writes.
///
/// # Errors
/// If the file system does not let it; what was there is still there.
pub fn compact(path: &Path, plans: &[(&Physical, &Inputs)]) -> Result<(), Failure> {
    let folder = Folder::read(path, None, true)?;
    let keep = useful(&folder, plans);
    let size = |frame: &Frame| frame.body.len() + 128;
    let all: u64 = folder.files.iter().flat_map(|f| &f.frames).map(size).sum();
    let kept: u64 = keep.iter().map(size).sum();
    if folder.files.len() <= MANY && kept * 2 > all {
        return Ok(());
    }
    let Some(home) = Home::open(path)? else { return Ok(()) };
    gather(&home, &folder, &keep).map_err(|e| cannot(path, &e))
}

fn gather(home: &Home, folder: &Folder, keep: &[Frame]) -> io::Result<()> {
    let target = merged(&folder.path);
    let name = target.file_name().unwrap_or_default();
    let fresh = Path::new(name).with_extension("new");
    let outputs = beside(&folder.path);
    let mut file = BufWriter::new(home.anew(fresh.as_os_str())?);
    file.write_all(MAGIC)?;
    file.write_all(&encode(&Record::Begin(Origin::of(home.identity())), &[])?)?;
    for frame in keep {
        let damaged = || io::Error::other("a record has changed on the disk");
        let body = frame.body.read().ok_or_else(damaged)?;
        file.write_all(&encode(&frame.record.below(outputs.as_deref()), &[&body])?)?;
    }
    file.into_inner()?.sync_all()?;
    home.rename(fresh.as_os_str(), name)?;
    home.sync()?;
    let old = folder.files.iter().filter(|pages| pages.path != target);
    old.filter_map(|pages| pages.path.file_name()).try_for_each(|name| home.remove(name))
}

/// The records that are still of use for some plans when all is done: the last run, what it read and
/// made, and the states of its folds.
fn useful(folder: &Folder, plans: &[(&Physical, &Inputs)]) -> Vec<Frame> {
    let meant = |(physical, inputs): &(&Physical, &Inputs)| wholes(physical, inputs);
    let whole: HashSet<Print> = plans.iter().flat_map(meant).flatten().collect();
    let sinks = |(physical, _): &(&Physical, &Inputs)| {
        let sink = |(node, meaning): (&Node, &Meaning)| {
            matches!(node.op, Op::Write(_)).then_some(meaning.formula)
        };
        physical.nodes.iter().zip(&physical.meanings).filter_map(sink).collect::<Vec<_>>()
    };
    let formulas: HashSet<Print> = plans.iter().flat_map(sinks).collect();
    let files: HashSet<(PathBuf, Print)> = plans.iter().flat_map(|plan| plan.1.all()).collect();
    let partials: HashSet<(PathBuf, u64)> = plans
        .iter()
        .flat_map(|(physical, inputs)| fragments(physical, inputs))
        .flat_map(|fragment| folded(folder, fragment).partials)
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
            Record::Output { whole: of, formula, path, .. }
                if whole.contains(of) || formulas.contains(formula) =>
            {
                (2, path.clone(), Print::default())
            }
            Record::Table { whole: of } if whole.contains(of) => (3, PathBuf::new(), *of),
            Record::Ended { .. } => nameless(4),
            Record::Answers { .. } => {
                keep.push(frame.clone());
                continue;
            }
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
