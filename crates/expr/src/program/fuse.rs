//! Puts arithmetic together: two operations in one pass where there is a form for both, and then
//! all passes that lead to one result, so that what is between them never leaves the first cache.
use super::schedule::Instruction;
use crate::dag::Nulls;
use crate::kernels::forms::{self, Form};
use base::DType;

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
    /// What is left of the instructions, each at its place.
    list: Vec<Option<Instruction>>,
    /// Those that are forms.
    items: Vec<Option<Item>>,
    /// For each register what makes it, and what uses it: places in the list.
    makers: Vec<usize>,
    users: Vec<Vec<usize>>,
    /// For each instruction the number of filters before it: none is moved behind another.
    stages: Vec<usize>,
}

impl<'a> Fuser<'a> {
    fn new(mut list: Vec<Instruction>, registers: Registers<'a>) -> Fuser<'a> {
        let count = registers.types.len();
        let (mut makers, mut users) = (vec![usize::MAX; count], vec![Vec::new(); count]);
        let (mut stage, mut stages) = (0, Vec::new());
        for (i, instruction) in list.iter_mut().enumerate() {
            instruction.makes().iter().for_each(|r| makers[*r] = i);
            instruction.uses().iter().for_each(|r| users[*r].push(i));
            stage += usize::from(matches!(instruction, Instruction::Filter { .. }));
            stages.push(stage);
        }
        let items = list.iter().map(|instruction| single(instruction, registers.types)).collect();
        let list = list.into_iter().map(Some).collect();
        Fuser { registers, list, items, makers, users, stages }
    }

    fn is_output(&self, register: usize) -> bool {
        self.registers.outputs.contains(&register)
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
            let only = self.users[*register] == [i] && !self.is_output(*register);
            let single = only && self.items[j].as_ref().is_some_and(|x| x.form.first.is_none());
            let is_bool = self.registers.types[*register] == DType::Bool;
            (fits && (single || is_bool)).then(|| {
                let rest = arguments.iter().enumerate().filter(|(k, _)| *k != place);
                let arguments = inner.iter().chain(rest.map(|(_, r)| r)).copied().collect();
                (j, *register, Item { form, arguments, to })
            })
        });
        let Some((j, register, item)) = found else { return };
        self.users[register].retain(|user| *user != i);
        for argument in &item.arguments {
            self.users[*argument].push(i);
        }
        self.items[i] = Some(item);
        if self.users[register].is_empty() && !self.is_output(register) {
            self.drop(j);
        }
    }

    /// Takes an instruction out.
    fn drop(&mut self, j: usize) {
        self.list[j] = None;
        self.items[j] = None;
        self.users.iter_mut().for_each(|users| users.retain(|user| *user != j));
    }

    /// Fuses an instruction with all that only it needs.
    fn gather(&mut self, i: usize) {
        let Some(last) = &self.items[i] else { return };
        let dtype = self.registers.types[last.to];
        let mut members = vec![i];
        for j in (0..i).rev().take_while(|j| self.stages[*j] == self.stages[i]) {
            let Some(item) = &self.items[j] else { continue };
            let users = &self.users[item.to];
            if self.registers.types[item.to] == dtype
                && !self.is_output(item.to)
                && !users.is_empty()
                && users.iter().all(|user| members.contains(user))
            {
                members.push(j);
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
    let mut arguments: Vec<usize> = Vec::new();
    let mut passes = Vec::new();
    // For each intermediate value in use the register that it stands for.
    let mut made: Vec<Option<usize>> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let operand = |register: &usize| {
            if let Some(place) = made.iter().position(|m| *m == Some(*register)) {
                return Operand::Made(place);
            }
            let place = arguments.iter().position(|a| a == register).unwrap_or_else(|| {
                arguments.push(*register);
                arguments.len() - 1
            });
            Operand::Argument(place)
        };
        let operands = item.arguments.iter().map(operand).collect();
        // Not one of the arguments' places: a pass does not write where it reads.
        let free = made.iter().position(Option::is_none).unwrap_or(made.len());
        if free == made.len() {
            made.push(None);
        }
        let needed = |r: usize| items[i + 1..].iter().any(|later| later.arguments.contains(&r));
        for slot in &mut made {
            *slot = slot.filter(|r| needed(*r));
        }
        made[free] = Some(item.to);
        passes.push(Pass { form: item.form, arguments: operands, to: free });
    }
    let to = items.last().map_or(0, |item| item.to);
    let fused = Fused { dtype, passes, intermediates: made.len() };
    Instruction::Fused { fused, arguments, to }
}
