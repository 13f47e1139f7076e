//! Puts arithmetic together: two operations in one pass where there is a form for both, and then
//! all passes that lead to one result, so that what is between them never leaves the first cache.
use super::schedule::Instruction;
use crate::dag::Nulls;
use crate::kernels::forms::{self, Form};
use base::DType;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

/// Passes that run one after the other over pieces of a block. All values are of one float type.
#[derive(Clone, Debug)]
pub struct Fused {
    /// float32 or float64.
    pub dtype: DType,
    /// In order; the last one makes the result.
    pub passes: Vec<Pass>,
    /// How many intermediate values are alive at a time.
    pub intermediates: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Pass {
    /// What it computes.
    pub form: &'static Form,
    /// Its arguments.
    pub arguments: Vec<Operand>,
    /// The intermediate value that it makes; the last pass makes the result.
    pub to: usize,
}

/// What a pass reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// An argument of the whole.
    Argument(usize),
    /// An intermediate value.
    Made(usize),
}

/// What is known of registers that are never reused.
#[derive(Clone, Copy, Debug)]
pub struct Registers<'a> {
    /// Their types.
    pub types: &'a [DType],
    /// Whether values may be missing.
    pub nullable: &'a [bool],
    /// Those that the program gives out.
    pub outputs: &'a [usize],
}

/// A form in the place of an instruction.
#[derive(Clone, Debug)]
struct Item {
    form: &'static Form,
    arguments: Vec<usize>,
    to: usize,
}

/// Replaces instructions by fused ones.
pub fn fuse(list: Vec<Instruction>, registers: Registers) -> Vec<Instruction> {
    let mut fuser = Fuser::new(list, registers);
    for i in 0..fuser.list.len() {
        fuser.join(i);
    }
    for i in (0..fuser.list.len()).rev() {
        fuser.gather(i);
    }
    fuser.list.into_iter().flatten().collect()
}

struct Fuser<'a> {
    registers: Registers<'a>,
    /// Whether the program gives a register out.
    outputs: Vec<bool>,
    /// What is left of the instructions, each at its place.
    list: Vec<Option<Instruction>>,
    /// Those that are forms.
    items: Vec<Option<Item>>,
    /// For each register what makes it: a place in the list.
    makers: Vec<usize>,
    /// And what uses it, and how many times.
    users: Vec<BTreeMap<usize, usize>>,
    /// For each instruction the number of filters before it: none is moved behind another.
    stages: Vec<usize>,
}

impl<'a> Fuser<'a> {
    fn new(mut list: Vec<Instruction>, registers: Registers<'a>) -> Fuser<'a> {
        let count = registers.types.len();
        let (mut makers, mut users) = (vec![usize::MAX; count], vec![BTreeMap::new(); count]);
        let (mut stage, mut stages) = (0, Vec::new());
        for (i, instruction) in list.iter_mut().enumerate() {
            instruction.makes().iter().for_each(|r| makers[*r] = i);
            instruction.uses().iter().for_each(|r| *users[*r].entry(i).or_insert(0) += 1);
            stage += usize::from(matches!(instruction, Instruction::Filter { .. }));
            stages.push(stage);
        }
        let items = list.iter().map(|instruction| single(instruction, registers.types)).collect();
        let list = list.into_iter().map(Some).collect();
        let mut outputs = vec![false; count];
        registers.outputs.iter().for_each(|r| outputs[*r] = true);
        Fuser { registers, outputs, list, items, makers, users, stages }
    }

    fn is_output(&self, register: usize) -> bool {
        self.outputs[register]
    }

    /// Joins an instruction and the one that makes one of its arguments, if a form does both.
    fn join(&mut self, i: usize) {
        let Some(Instruction::Run { call, arguments, to, .. }) = &self.list[i] else { return };
        let (to, dtype) = (*to, self.registers.types[*to]);
        let nullable = arguments.iter().any(|r| self.registers.nullable[*r]);
        if !is_float(dtype) || call.nulls != Nulls::Propagate && nullable {
            return;
        }
        let found = arguments.iter().enumerate().find_map(|(place, register)| {
            let j = self.makers[*register];
            let Some(Instruction::Run { call: before, arguments: inner, .. }) = self.list.get(j)?
            else {
                return None;
            };
            let form = forms::two(before.name, place, call.name)?;
            let fits = inner.len() + arguments.len() == form.arity + 1
                && inner.iter().all(|r| self.registers.types[*r] == dtype)
                && self.stages[j] == self.stages[i];
            // A comparison that others need too is done again.
            let users = &self.users[*register];
            let only = users.len() == 1 && users.get(&i) == Some(&1) && !self.is_output(*register);
            let single = only && self.items[j].as_ref().is_some_and(|x| x.form.first.is_none());
            let is_bool = self.registers.types[*register] == DType::Bool;
            (fits && (single || is_bool)).then(|| {
                let rest = arguments.iter().enumerate().filter(|(k, _)| *k != place);
                let arguments = inner.iter().chain(rest.map(|(_, r)| r)).copied().collect();
                (j, *register, Item { form, arguments, to })
            })
        });
        let Some((j, register, item)) = found else { return };
        self.users[register].remove(&i);
        for argument in &item.arguments {
            *self.users[*argument].entry(i).or_insert(0) += 1;
        }
        self.items[i] = Some(item);
        if self.users[register].is_empty() && !self.is_output(register) {
            self.drop(j);
        }
    }

    /// Takes an instruction out.
    fn drop(&mut self, j: usize) {
        let uses = self.list[j].take().map(|instruction| instruction.uses());
        let item = self.items[j].take().map(|item| item.arguments);
        for register in uses.into_iter().chain(item).flatten() {
            self.users[register].remove(&j);
        }
    }

    /// Fuses an instruction with all that only it needs.
    fn gather(&mut self, i: usize) {
        let Some(last) = &self.items[i] else { return };
        let dtype = self.registers.types[last.to];
        let (mut members, mut known) = (vec![i], HashSet::from([i]));
        // What makes arguments of members, the last first: all that uses it was looked at before.
        let mut next: BinaryHeap<usize> = last.arguments.iter().map(|r| self.makers[*r]).collect();
        while let Some(j) = next.pop() {
            if self.stages[j] != self.stages[i] || known.contains(&j) {
                continue;
            }
            let Some(item) = &self.items[j] else { continue };
            let users = &self.users[item.to];
            if self.registers.types[item.to] == dtype
                && !self.is_output(item.to)
                && users.keys().all(|user| known.contains(user))
            {
                members.push(j);
                known.insert(j);
                next.extend(item.arguments.iter().map(|r| self.makers[*r]));
            }
        }
        members.reverse();
        let items: Vec<Item> = members.iter().filter_map(|j| self.items[*j].take()).collect();
        if let [one] = &items[..]
            && one.form.first.is_none()
        {
            return;
        }
        for j in &members {
            self.list[*j] = None;
        }
        self.list[i] = Some(passes(&items, dtype));
    }
}

fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::Float32 | DType::Float64)
}

/// An instruction that is a form by itself.
fn single(instruction: &Instruction, types: &[DType]) -> Option<Item> {
    let Instruction::Run { call, arguments, to, .. } = instruction else { return None };
    let form = forms::one(call.name, arguments.len())?;
    let fits = is_float(types[*to]) && arguments.iter().all(|r| types[*r] == types[*to]);
    (fits && call.constants.is_empty()).then(|| Item {
        form,
        arguments: arguments.clone(),
        to: *to,
    })
}

/// The passes of these items, of which the last makes the result.
fn passes(items: &[Item], dtype: DType) -> Instruction {
    let mut last: HashMap<usize, usize> = HashMap::new();
    for (i, item) in items.iter().enumerate() {
        item.arguments.iter().for_each(|register| _ = last.insert(*register, i));
    }
    let mut arguments: Vec<usize> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut passes = Vec::new();
    // The places of intermediate values in use, and those that are free again.
    let mut made: HashMap<usize, usize> = HashMap::new();
    let (mut count, mut free) = (0, BinaryHeap::new());
    for (i, item) in items.iter().enumerate() {
        let operand = |register: &usize| {
            if let Some(place) = made.get(register) {
                return Operand::Made(*place);
            }
            let place = places.entry(*register).or_insert_with(|| {
                arguments.push(*register);
                arguments.len() - 1
            });
            Operand::Argument(*place)
        };
        let operands = item.arguments.iter().map(operand).collect();
        // Not one of the arguments' places: a pass does not write where it reads.
        let to = free.pop().map_or(count, |Reverse(place)| place);
        count = count.max(to + 1);
        for register in item.arguments.iter().filter(|r| last.get(r) == Some(&i)) {
            free.extend(made.remove(register).map(Reverse));
        }
        made.insert(item.to, to);
        passes.push(Pass { form: item.form, arguments: operands, to });
    }
    let to = items.last().map_or(0, |item| item.to);
    let fused = Fused { dtype, passes, intermediates: count };
    Instruction::Fused { fused, arguments, to }
}
