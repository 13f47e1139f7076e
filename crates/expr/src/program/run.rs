//! Takes the blocks of a tile through a schedule.
//!
//! A filter makes columns shorter: what later instructions need of a row is copied together. The
//! other way is to compute all rows and to leave the others out of the sum at the end, by a mask.
//! Measured in bare loops, time with masks over time with copies, by the share of rows that pass
//! and the number of operations between the filter and the sum (AVX-512, one thread):
//!
//! | share | 1 multiply-add | 3 | 5 | 1 polynomial of degree 18 | 3 | 5 |
//! |---|---|---|---|---|---|---|
//! | 0.01 | 0.76 | 1.32 | 1.87 | 2.02 | 4.76 | 7.22 |
//! | 0.1 | 0.69 | 1.15 | 1.58 | 1.56 | 3.12 | 4.12 |
//! | 0.5 | 0.47 | 0.74 | 0.98 | 0.87 | 1.30 | 1.49 |
//! | 0.9 | 0.35 | 0.50 | 0.61 | 0.60 | 0.81 | 0.91 |
//! | 0.99 | 0.33 | 0.47 | 0.57 | 0.56 | 0.77 | 0.84 |
//!
//! The share is not known beforehand, and copies lose less where they lose: at most 0.5 ns per
//! row, masks 2.2.
use super::block::Block;
use super::counts::Counts;
use super::data::{Data, Place, Points, arg, read, settle};
use super::fuse::Fused;
use super::hoist::Sources;
use super::passes::{self, Pieces};
use super::schedule::{Instruction, Schedule};
use super::{BLOCK, Program};
use crate::Values;
use crate::dag::{Call, run};
use crate::exceptions::Quick;
use crate::kernels::twins::Twins;
use crate::kernels::{self, Arg, Register};
use crate::prune::Piece;
use base::{Failure, Tile};

/// Scratch of one worker.
#[derive(Debug)]
pub struct Runner {
    pub(super) tile: Scratch,
    pub(super) blocks: Scratch,
    pub(super) audit: Option<Scratch>,
    /// For each event of the audit how often it was met.
    pub(super) met: Vec<u64>,
}

impl Runner {
    pub(super) fn new(program: &Program) -> Runner {
        Runner {
            tile: Scratch::new(&program.tile_schedule),
            blocks: Scratch::new(&program.block_schedule),
            audit: None,
            met: Vec::new(),
        }
    }

    /// Bytes of memory in use.
    pub fn bytes(&self) -> usize {
        let bytes = |s: &Scratch| {
            s.slots.iter().map(|s| s.register.bytes()).sum::<usize>() + s.pieces.bytes()
        };
        bytes(&self.tile) + bytes(&self.blocks)
    }
}

/// A register, or where in a source its values stand.
#[derive(Debug)]
pub(super) struct Slot {
    pub register: Register,
    pub place: Place,
    pub source: usize,
}

/// The registers of one schedule.
#[derive(Debug)]
pub(super) struct Scratch {
    pub slots: Vec<Slot>,
    /// The points of the tile that filters left of the block.
    positions: Vec<u32>,
    selection: Vec<u32>,
    pieces: Pieces,
    /// Whether something in the block may have met an exception.
    pub doubtful: bool,
    /// What was counted.
    pub counts: Counts,
}

impl Scratch {
    pub fn new(schedule: &Schedule) -> Scratch {
        let slot = |dtype: &base::DType| Slot {
            register: Register::new(*dtype),
            place: Place::Register,
            source: 0,
        };
        let slots = schedule.registers.iter().map(slot).collect();
        Scratch {
            slots,
            positions: Vec::new(),
            selection: Vec::new(),
            pieces: Pieces::default(),
            doubtful: false,
            counts: Counts::default(),
        }
    }
}

/// What stands for the source of registers that have none.
static NOTHING: Data = Data::Affine { start: 0, step: 0 };

/// Runs the schedule over each block of the tile, or over those of these numbers alone; the numbers
/// of those in which something may have met an exception.
pub fn blocks(
    program: &Program,
    schedule: &Schedule,
    sources: &Sources,
    scratch: &mut Scratch,
    tile: &Tile,
    only: Option<&[usize]>,
    consume: &mut dyn FnMut(&Block) -> Result<(), Failure>,
) -> Result<Vec<usize>, Failure> {
    let points = tile.points();
    let mut doubtful = Vec::new();
    let mut run = |number: usize, scratch: &mut Scratch, piece: Piece| {
        if only.is_some_and(|only| only.binary_search(&number).is_err()) {
            return Ok(());
        }
        scratch.doubtful = false;
        one(schedule, sources, scratch, piece, consume)?;
        if scratch.doubtful {
            doubtful.push(number);
        }
        Ok(())
    };
    match &program.selector {
        None => {
            for (number, start) in (0..points).step_by(BLOCK).enumerate() {
                let piece = Piece::Range { start, len: BLOCK.min(points - start) };
                run(number, scratch, piece)?;
            }
        }
        Some(selector) => {
            let mut cursor = selector.cursor(tile.origin[0], points);
            for number in 0.. {
                let Some(piece) = cursor.next(BLOCK, &mut scratch.positions) else { break };
                run(number, scratch, piece)?;
            }
        }
    }
    Ok(doubtful)
}

/// Runs the schedule over a piece of the tile, of a block's length at most, and hands on what is
/// left of it. A piece that is a list is the scratch's list of positions.
fn one(
    schedule: &Schedule,
    sources: &Sources,
    scratch: &mut Scratch,
    piece: Piece,
    consume: &mut dyn FnMut(&Block) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (rows, filtered) = block(schedule, sources, scratch, piece)?;
    if rows == 0 {
        return Ok(());
    }
    for register in &schedule.outputs {
        let slot = &mut scratch.slots[*register];
        let data = sources.list.get(slot.source).map_or(&NOTHING, |s| &s.data);
        settle_single(slot, data, rows);
    }
    let positions = filtered.then_some(&scratch.positions[..]);
    let start = match piece {
        Piece::Range { start, .. } => start,
        Piece::Each => 0,
    };
    consume(&Block::new(start, rows, schedule, sources, &scratch.slots, positions))
}

/// Single values are repeated: what leaves a program has as many values as rows.
fn settle_single(slot: &mut Slot, data: &Data, rows: usize) {
    if matches!(slot.place, Place::Single(_)) {
        settle(data, &mut slot.register, slot.place, rows);
        slot.place = Place::Register;
    }
}

/// Runs the schedule over one block; how many rows are left, and whether they are the
/// scratch's positions: a filter has left some out.
fn block(
    schedule: &Schedule,
    sources: &Sources,
    scratch: &mut Scratch,
    piece: Piece,
) -> Result<(usize, bool), Failure> {
    let (start, mut rows, mut filtered) = match piece {
        Piece::Range { start, len } => (start, len, false),
        Piece::Each => (0, scratch.positions.len(), true),
    };
    for instruction in &schedule.instructions {
        match instruction {
            Instruction::Read { source, to } => {
                let points = match filtered {
                    true => Points::Each(&scratch.positions),
                    false => Points::Range { start, len: rows },
                };
                let loaded = &sources.list[*source];
                let slot = &mut scratch.slots[*to];
                slot.source = *source;
                slot.place = read(&loaded.data, &loaded.layout, points, &mut slot.register);
            }
            Instruction::Run { call, arguments, to, quick } => {
                if let Some(quick) = quick {
                    scratch.doubtful |= doubt(*quick, arguments, sources, scratch, rows)?;
                }
                compute(call, arguments, *to, sources, scratch, rows)?;
            }
            Instruction::Count { register, event } => {
                let origin = if filtered { None } else { Some(start) };
                count(*register, *event, sources, scratch, rows, origin)?;
            }
            Instruction::Twins { twins, argument, to } => {
                compute_twins(twins, *argument, *to, sources, scratch, rows)?;
            }
            Instruction::Fused { fused, arguments, to } => {
                compute_fused(fused, arguments, *to, sources, scratch, rows)?;
            }
            Instruction::Filter { predicate, keep } => {
                let origin = if filtered { 0 } else { start as u32 };
                select(*predicate, sources, scratch, rows, origin)?;
                let left = scratch.selection.len();
                // All pass: what is read later is still read from where it is.
                if left == rows {
                    continue;
                }
                for register in keep {
                    scratch.slots[*register].register.keep(&scratch.selection, origin);
                }
                advance(scratch, filtered);
                (rows, filtered) = (left, true);
                if rows == 0 {
                    break;
                }
            }
        }
    }
    Ok((rows, filtered))
}

/// Whether an argument in the block has a value that may meet an exception.
fn doubt(
    quick: Quick,
    arguments: &[usize],
    sources: &Sources,
    scratch: &Scratch,
    rows: usize,
) -> Result<bool, Failure> {
    let operand = |register: &usize| operand(&scratch.slots[*register], sources, rows);
    match arguments {
        [a] => quick.fails(&[operand(a)], rows),
        [a, b] => quick.fails(&[operand(a), operand(b)], rows),
        list => quick.fails(&list.iter().map(operand).collect::<Vec<Arg>>(), rows),
    }
}

/// Counts the rows at which a bool is true: points of the tile from `origin` on, or the scratch's
/// positions.
fn count(
    register: usize,
    event: usize,
    sources: &Sources,
    scratch: &mut Scratch,
    rows: usize,
    origin: Option<usize>,
) -> Result<(), Failure> {
    let Scratch { slots, positions, counts, .. } = scratch;
    let argument = operand(&slots[register], sources, rows);
    let Values::Bool(values) = argument.values else {
        return Err(Failure::internal("a count of what is not a bool"));
    };
    let by = usize::from(values.len() == rows);
    for row in (0..rows).filter(|row| values[row * by]) {
        counts.count(event, origin.map_or_else(|| positions[row] as usize, |origin| origin + row));
    }
    Ok(())
}

fn compute(
    call: &Call,
    arguments: &[usize],
    to: usize,
    sources: &Sources,
    scratch: &mut Scratch,
    rows: usize,
) -> Result<(), Failure> {
    put(to, scratch, |scratch, out| {
        let operand = |register: &usize| operand(&scratch.slots[*register], sources, rows);
        match arguments {
            [a] => run(call, &[operand(a)], out, rows),
            [a, b] => run(call, &[operand(a), operand(b)], out, rows),
            list => run(call, &list.iter().map(operand).collect::<Vec<Arg>>(), out, rows),
        }
    })
}

/// Calls `compute` with a slot's register to write to, which is never one of the arguments'.
#[inline(always)]
fn put(
    to: usize,
    scratch: &mut Scratch,
    compute: impl FnOnce(&mut Scratch, &mut Register) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let nothing = Register::new(base::DType::Bool);
    let mut out = std::mem::replace(&mut scratch.slots[to].register, nothing);
    let result = compute(scratch, &mut out);
    scratch.slots[to].register = out;
    scratch.slots[to].place = Place::Register;
    result
}

fn compute_fused(
    fused: &Fused,
    arguments: &[usize],
    to: usize,
    sources: &Sources,
    scratch: &mut Scratch,
    rows: usize,
) -> Result<(), Failure> {
    put(to, scratch, |Scratch { slots, pieces, .. }, out| {
        let operand = |register: &usize| operand(&slots[*register], sources, rows);
        let arguments: Vec<Arg> = arguments.iter().map(operand).collect();
        passes::run(fused, &arguments, pieces, out, rows)
    })
}

fn compute_twins(
    twins: &Twins,
    argument: usize,
    to: [usize; 2],
    sources: &Sources,
    scratch: &mut Scratch,
    rows: usize,
) -> Result<(), Failure> {
    let mut take = |slot: usize| {
        let nothing = Register::new(base::DType::Bool);
        std::mem::replace(&mut scratch.slots[slot].register, nothing)
    };
    let mut out = to.map(&mut take);
    let [a, b] = &mut out;
    let x = operand(&scratch.slots[argument], sources, rows);
    let result = twins.run(&x, [a, b], rows);
    for (slot, register) in to.into_iter().zip(out) {
        scratch.slots[slot].register = register;
        scratch.slots[slot].place = Place::Register;
    }
    result
}

/// The values in a slot.
pub(super) fn operand<'a>(slot: &'a Slot, sources: &'a Sources, rows: usize) -> Arg<'a> {
    match slot.place {
        Place::Register => slot.register.arg(),
        place => arg(&sources.list[slot.source].data, &slot.register, place, rows),
    }
}

/// Lists `origin + row` for the rows at which the predicate is there and true.
fn select(
    predicate: usize,
    sources: &Sources,
    scratch: &mut Scratch,
    rows: usize,
    origin: u32,
) -> Result<(), Failure> {
    let argument = operand(&scratch.slots[predicate], sources, rows);
    let Values::Bool(values) = argument.values else {
        return Err(Failure::internal("a filter by what is not a bool"));
    };
    let selection = &mut scratch.selection;
    if values.len() == 1 && rows != 1 {
        let kept = values[0] && argument.validity.is_none_or(|v| v[0]);
        selection.clear();
        selection.extend(origin..origin + if kept { rows as u32 } else { 0 });
    } else if let Some(validity) = argument.validity {
        let both: Vec<bool> = values.iter().zip(validity).map(|(x, v)| x & v).collect();
        kernels::select::select(&both, origin, selection);
    } else {
        kernels::select::select(values, origin, selection);
    }
    Ok(())
}

/// Makes the selected rows, which are points of the tile after the first filter, the positions.
fn advance(scratch: &mut Scratch, filtered: bool) {
    let Scratch { positions, selection, .. } = scratch;
    if filtered {
        kernels::keep(positions, selection, 0);
    } else {
        std::mem::swap(positions, selection);
    }
}
