//! What runs over a block, in order, and in which registers.
use super::fuse::{Fused, Registers, fuse};
use super::place::{Place, Source};
use crate::dag::{Dag, NodeId, Op};
use crate::exceptions::Quick;
use crate::kernels::twins::{TWINS, Twins};
use base::{DType, Failure};
use std::collections::HashMap;

/// One instruction. Numbers of registers are physical: they are reused.
#[derive(Clone, Debug)]
pub enum Instruction {
    /// Reads a block of a source.
    Read {
        /// The source.
        source: usize,
        /// Where to.
        to: usize,
    },
    /// Runs the kernel of a node.
    Run {
        /// The node.
        call: crate::dag::Call,
        /// The registers of its arguments.
        arguments: Vec<usize>,
        /// Where to.
        to: usize,
        /// Whether a block may meet an exception in it.
        quick: Option<Quick>,
    },
    /// Runs the common kernel of two nodes.
    Twins {
        /// Their functions.
        twins: &'static Twins,
        /// The register of their argument.
        argument: usize,
        /// Where to, in their order.
        to: [usize; 2],
    },
    /// Runs passes over small pieces.
    Fused {
        /// The passes.
        fused: Fused,
        /// The registers of their arguments.
        arguments: Vec<usize>,
        /// Where to.
        to: usize,
    },
    /// Keeps the rows at which a bool is there and true.
    Filter {
        /// Its register.
        predicate: usize,
        /// The computed registers that are needed later.
        keep: Vec<usize>,
    },
    /// Counts the rows at which a bool is true.
    Count {
        /// Its register.
        register: usize,
        /// What is counted.
        event: usize,
    },
}

impl Instruction {
    /// The registers that it reads.
    pub fn uses(&self) -> Vec<usize> {
        match self {
            Instruction::Read { .. } => vec![],
            Instruction::Run { arguments, .. } | Instruction::Fused { arguments, .. } => {
                arguments.clone()
            }
            Instruction::Twins { argument, .. } => vec![*argument],
            Instruction::Filter { predicate, .. } => vec![*predicate],
            Instruction::Count { register, .. } => vec![*register],
        }
    }

    /// The registers that it fills.
    pub fn makes(&mut self) -> &mut [usize] {
        match self {
            Instruction::Read { to, .. }
            | Instruction::Run { to, .. }
            | Instruction::Fused { to, .. } => std::slice::from_mut(to),
            Instruction::Twins { to, .. } => to,
            Instruction::Filter { .. } | Instruction::Count { .. } => &mut [],
        }
    }
}

/// The instructions of a block.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    pub instructions: Vec<Instruction>,
    /// The types of the registers.
    pub registers: Vec<DType>,
    /// The registers of the outputs.
    pub outputs: Vec<usize>,
}

/// What a schedule is made of.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The graph.
    pub dag: &'a Dag,
    /// Where each node is evaluated.
    pub places: &'a [Place],
    /// What is read.
    pub sources: &'a [Source],
    /// For each node what tells whether a block may meet an exception in it.
    pub quick: &'a [Option<Quick>],
}

impl Schedule {
    /// Lists what the outputs need, each node as late as possible: after as many filters as can
    /// be. Bools that are counted have the number of filters before them.
    pub fn new(
        parts: &Parts,
        filters: &[NodeId],
        outputs: &[NodeId],
        counted: &[(usize, NodeId)],
    ) -> Result<Schedule, Failure> {
        if outputs.is_empty() && filters.is_empty() && counted.is_empty() {
            return Ok(Schedule::default());
        }
        let events = counted.iter().map(|(_, id)| *id);
        let needed = parts.dag.needed(filters.iter().chain(outputs).copied().chain(events));
        let mut lister = Lister {
            parts: *parts,
            sources: parts.sources.iter().enumerate().map(|(i, s)| (s.node, i)).collect(),
            instructions: Vec::new(),
            types: Vec::new(),
            nullable: Vec::new(),
            computed: HashMap::new(),
            read: HashMap::new(),
        };
        let mut stages: Vec<Vec<NodeId>> = vec![Vec::new(); filters.len() + 1];
        for id in (0..parts.dag.nodes.len()).filter(|id| needed[*id]) {
            if let Place::Point { stage } = parts.places[id] {
                stages[stage].push(id);
            }
        }
        for (stage, nodes) in stages.into_iter().enumerate() {
            for id in nodes {
                lister.run(id)?;
            }
            for (event, (_, id)) in counted.iter().enumerate().filter(|(_, c)| c.0 == stage) {
                let register = lister.operand(*id)?;
                lister.instructions.push(Instruction::Count { register, event });
            }
            if let Some(predicate) = filters.get(stage) {
                let predicate = lister.operand(*predicate)?;
                lister.instructions.push(Instruction::Filter { predicate, keep: Vec::new() });
                lister.read.clear();
            }
        }
        let outputs: Result<Vec<usize>, Failure> =
            outputs.iter().map(|id| lister.operand(*id)).collect();
        let outputs = outputs?;
        let computed: Vec<usize> = lister.computed.values().copied().collect();
        let Lister { instructions, types, nullable, .. } = lister;
        let registers = Registers { types: &types, nullable: &nullable, outputs: &outputs };
        let instructions = fuse(pair(instructions), registers);
        Ok(allocate(instructions, &types, outputs, &computed))
    }
}

/// Lists instructions over registers that are never reused.
struct Lister<'a> {
    parts: Parts<'a>,
    /// The source of each node that has one.
    sources: HashMap<NodeId, usize>,
    instructions: Vec<Instruction>,
    /// The types of the registers.
    types: Vec<DType>,
    /// Whether values in them may be missing.
    nullable: Vec<bool>,
    computed: HashMap<NodeId, usize>,
    /// What was read since the last filter.
    read: HashMap<NodeId, usize>,
}

impl Lister<'_> {
    fn register(&mut self, id: NodeId) -> usize {
        self.types.push(self.parts.dag.nodes[id].dtype);
        self.nullable.push(self.parts.dag.nodes[id].nullable);
        self.types.len() - 1
    }

    fn run(&mut self, id: NodeId) -> Result<(), Failure> {
        let node = &self.parts.dag.nodes[id];
        let Op::Call(call) = &node.op else {
            return Err(Failure::internal("only calls are computed at points"));
        };
        let arguments: Result<Vec<usize>, Failure> =
            node.arguments.iter().map(|a| self.operand(*a)).collect();
        let to = self.register(id);
        self.computed.insert(id, to);
        let quick = self.parts.quick.get(id).copied().flatten();
        let run = Instruction::Run { call: call.clone(), arguments: arguments?, to, quick };
        self.instructions.push(run);
        Ok(())
    }

    fn operand(&mut self, id: NodeId) -> Result<usize, Failure> {
        if let Some(register) = self.computed.get(&id).or_else(|| self.read.get(&id)) {
            return Ok(*register);
        }
        let source = self.sources.get(&id).copied();
        let source = source.ok_or_else(|| {
            Failure::internal(format!("node {id} at {:?} was not computed", self.parts.places[id]))
        })?;
        let to = self.register(id);
        self.read.insert(id, to);
        self.instructions.push(Instruction::Read { source, to });
        Ok(to)
    }
}

/// Puts nodes together that have a common kernel and the same argument, if no filter is between.
fn pair(list: Vec<Instruction>) -> Vec<Instruction> {
    // The first call of each name and argument since the last filter, and which was put to it.
    let mut first: HashMap<(&str, usize), usize> = HashMap::new();
    let mut out: Vec<Instruction> = Vec::with_capacity(list.len());
    for instruction in list {
        match &instruction {
            Instruction::Filter { .. } => first.clear(),
            Instruction::Run { call, arguments, to, .. } => {
                if let ([argument], Some((twins, place))) = (&arguments[..], twins(call.name)) {
                    let twin = first.remove(&(twins.names[1 - place], *argument));
                    if let Some(i) = twin
                        && let Instruction::Run { to: other, .. } = &out[i]
                    {
                        let to = if place == 0 { [*to, *other] } else { [*other, *to] };
                        out[i] = Instruction::Twins { twins, argument: *argument, to };
                        continue;
                    }
                    first.entry((call.name, *argument)).or_insert(out.len());
                }
            }
            _ => {}
        }
        out.push(instruction);
    }
    out
}

/// The common kernel that a function has a part in, and which.
fn twins(name: &str) -> Option<(&'static Twins, usize)> {
    TWINS.iter().find_map(|twins| Some((twins, twins.names.iter().position(|n| *n == name)?)))
}

/// Gives registers whose last use is past to what comes after.
fn allocate(
    mut instructions: Vec<Instruction>,
    types: &[DType],
    outputs: Vec<usize>,
    computed: &[usize],
) -> Schedule {
    let mut last = vec![0; types.len()];
    for (i, instruction) in instructions.iter().enumerate() {
        instruction.uses().iter().for_each(|r| last[*r] = i);
    }
    outputs.iter().for_each(|r| last[*r] = usize::MAX);
    let mut made = vec![usize::MAX; types.len()];
    let mut physical = vec![usize::MAX; types.len()];
    let mut registers: Vec<DType> = Vec::new();
    let mut free: HashMap<DType, Vec<usize>> = HashMap::new();
    for (i, instruction) in instructions.iter_mut().enumerate() {
        let uses = instruction.uses();
        for to in instruction.makes() {
            let virtual_register = *to;
            let dtype = types[virtual_register];
            let register = free.get_mut(&dtype).and_then(Vec::pop).unwrap_or_else(|| {
                registers.push(dtype);
                registers.len() - 1
            });
            made[virtual_register] = i;
            physical[virtual_register] = register;
            *to = register;
        }
        match instruction {
            Instruction::Run { arguments, .. } | Instruction::Fused { arguments, .. } => {
                arguments.iter_mut().for_each(|r| *r = physical[*r]);
            }
            Instruction::Filter { predicate, keep } => {
                *predicate = physical[*predicate];
                let alive = |r: &&usize| made[**r] < i && last[**r] > i;
                *keep = computed.iter().filter(alive).map(|r| physical[*r]).collect();
                keep.sort_unstable();
            }
            Instruction::Twins { argument, .. } => *argument = physical[*argument],
            Instruction::Count { register, .. } => *register = physical[*register],
            Instruction::Read { .. } => {}
        }
        let mut done: Vec<usize> = uses.into_iter().filter(|r| last[*r] == i).collect();
        done.sort_unstable();
        done.dedup();
        for register in done {
            free.entry(types[register]).or_default().push(physical[register]);
        }
    }
    let outputs = outputs.into_iter().map(|r| physical[r]).collect();
    Schedule { instructions, registers, outputs }
}
