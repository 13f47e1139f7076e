//! Fingerprints: what the tiles of a node depend on, in 128 bits.
//!
//! They stand for meaning: a source and its options, expressions in canonical form, types, tiles,
//! aggregates, the format and the attributes of an output. Comments, the title, names of steps and
//! what is in the input files are no part of them.
use crate::graph::{Call, FoldPlan, FoldPlanKind, Fused, PlanNode, PlanOp, ReadPlan, WritePlan};
use crate::physical::Dealt;
use arrow_array::ArrayRef;
use base::{Attribute, Attributes, DimMask, Field, Schema, Tiling};
use expr::{Given, Step};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// 128 bits of SHA-256: two that are equal were made of the same parts.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Print(pub [u8; 16]);

impl Print {
    /// Of some parts, each with its length.
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Print {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut print = [0; 16];
        print.copy_from_slice(&hash.finalize()[..16]);
        Print(print)
    }

    /// From the digits that it prints as.
    pub fn from_hex(text: &str) -> Option<Print> {
        let mut print = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in print.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Print(print))
    }
}

impl AsRef<[u8]> for Print {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Print {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Print {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Print, D::Error> {
        let text = String::deserialize(from)?;
        Print::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not a fingerprint"))
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a node means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The node and all before it, less how many points the domain has and how they are cut, and
    /// which columns may have missing values.
    pub formula: Print,
    /// The same with these.
    pub placed: Print,
    /// Whether what becomes of a row does not depend on where it stands among all rows.
    pub loose: bool,
    /// The same, but that a fold over dimensions depends on the place along those that stay.
    pub by_cell: bool,
    /// Whether files are listed before it: which they are is no part of its formula.
    pub listed: bool,
}

/// What the meaning of a node depends on beside the plan.
#[derive(Clone, Debug)]
pub(crate) struct Way<'a> {
    /// The title of the pipeline.
    pub title: &'a str,
    /// What the run does not put up with, if anything.
    pub wary: Option<String>,
}

/// The meaning of a node whose inputs mean `inputs`. `tiling` is how a reader is cut.
pub(crate) fn meaning(
    node: &PlanNode,
    inputs: &[Meaning],
    tiling: Option<&Tiling>,
    way: Way,
) -> Meaning {
    let mut text = match &node.op {
        PlanOp::Read(read) => reader(node, read),
        PlanOp::Apply(list) => format!("apply\n{}", steps(list)),
        PlanOp::Fold(fold) => folded(fold),
        PlanOp::Order(order) => format!("order {:?} {:?}\n", order.keys, order.limit),
        PlanOp::Stream(plan) => format!("stream {:?}\n", plan.key),
        PlanOp::Write(write) => written(write, &node.schema, way.title),
        PlanOp::Show(_) => "show\n".to_owned(),
        PlanOp::Concat => "concat\n".to_owned(),
        PlanOp::Task(task) => format!("task {}\n{:?}\n", task.identity, task.on_error),
        PlanOp::Join(join) => format!("{join:?}\n"),
        PlanOp::Partition(partition) => {
            let by = match &partition.by {
                Dealt::Bounds(bounds) => format!("bounds {}", values(bounds)),
                by => format!("{by:?}"),
            };
            format!("partition {:?} into {} by {by}\n", partition.keys, partition.into)
        }
    };
    text += &way.wary.unwrap_or_default();
    text += &fields(&node.schema);
    let _ = writeln!(text, "kept {:?}", node.kept);
    // Which columns may have missing values follows from the files.
    let missing: Vec<bool> = node.schema.fields.iter().map(|f| f.nullable).collect();
    let mut place = format!("{missing:?}");
    if let PlanOp::Read(_) = &node.op {
        let _ = write!(place, "{:?} cut {tiling:?}", node.schema.domain.dims);
        place += &listed(node);
    }
    let all = |before: fn(&Meaning) -> Print, own: &[&str]| {
        let before = inputs.iter().map(|m| before(m).0.to_vec());
        Print::of(before.chain(own.iter().map(|text| text.as_bytes().to_vec())))
    };
    // Of a join the rows are the left's, whatever the right is.
    let rows = match &node.op {
        PlanOp::Join(_) => &inputs[..inputs.len().min(1)],
        _ => inputs,
    };
    let by_cell = rows.iter().all(|m| m.loose) && is_loose(node);
    // What is joined with tiles of files is no part of what they are known by, unless it is a file.
    let aside = |m: &Meaning| m.listed && !rows.contains(m);
    let formula: fn(&Meaning) -> Print = match inputs.iter().any(aside) {
        true => |m| if m.listed { m.placed } else { m.formula },
        false => |m| m.formula,
    };
    Meaning {
        formula: all(formula, &[&text]),
        placed: all(|m| m.placed, &[&text, &place]),
        loose: by_cell && !is_over(node),
        by_cell,
        listed: !listed(node).is_empty() || inputs.iter().any(|m| m.listed),
    }
}

/// Whether it is a fold over dimensions.
fn is_over(node: &PlanNode) -> bool {
    matches!(&node.op, PlanOp::Fold(FoldPlan { kind: FoldPlanKind::Over(_), .. }))
}

/// Whether what a node makes of a row does not depend on the row's place.
fn is_loose(node: &PlanNode) -> bool {
    let indexed = |steps: &[Step]| {
        steps.iter().any(|step| match step {
            Step::Map(columns) => columns.iter().any(|(_, t)| t.needs_index()),
            Step::Filter(condition) => condition.needs_index(),
            Step::Prune { .. } => true,
            Step::Project(_) => false,
        })
    };
    let fused = |fused: &Option<Fused>| fused.as_ref().is_none_or(|f| !indexed(&f.steps));
    match &node.op {
        PlanOp::Read(read) => {
            // Coordinates that are known before are the files', too.
            read.source.is_some() && fused(&read.fused)
        }
        PlanOp::Apply(steps) => !indexed(steps),
        PlanOp::Fold(fold) => {
            let indexed = |c: &Call| c.reduction.needs_index() || c.once != DimMask::SCALAR;
            fused(&fold.fused) && !fold.calls.iter().any(indexed)
        }
        // Its rows are indexed by those of the left; who asks for the index is not loose.
        PlanOp::Join(_) => true,
        // A function of its batch: a tile is known by what it has.
        PlanOp::Stream(_) => true,
        // The same rows in another order, or among others.
        PlanOp::Order(order) => order.limit.is_none(),
        PlanOp::Concat => true,
        // Of these no fragment ends behind: nobody asks.
        _ => false,
    }
}

fn reader(node: &PlanNode, read: &ReadPlan) -> String {
    let mut text = format!("read {} from {:?}\n", read.request, read.offset);
    // The values of coordinates that stand in a file are the file's, and which files there are is
    // no part of the formula.
    if read.source.is_none() && read.request.is_empty() {
        text += &givens(read.fused.as_ref().map_or(&node.given, |f| &f.given));
    }
    text + &fused(read.fused.as_ref())
}

/// The rows of a reader that lists files.
fn listed(node: &PlanNode) -> String {
    match &node.op {
        PlanOp::Read(read) if read.source.is_none() && !read.request.is_empty() => {
            givens(read.fused.as_ref().map_or(&node.given, |f| &f.given))
        }
        _ => String::new(),
    }
}

fn folded(fold: &FoldPlan) -> String {
    let mut text = format!("fold {:?}\n", fold.kind);
    for call in &fold.calls {
        let name = call.reduction.name();
        let _ = writeln!(text, "{name} {:?} {:?}", call.columns, call.constants);
        if call.once != DimMask::SCALAR {
            let _ = writeln!(text, "once {:?}", call.once);
        }
        if call.reduction.form() > 0 {
            let _ = writeln!(text, "form {}", call.reduction.form());
        }
    }
    text + &fused(fold.fused.as_ref())
}

fn fused(fused: Option<&Fused>) -> String {
    fused.map_or(String::new(), |f| format!("from\n{}{}", fields(&f.schema), steps(&f.steps)))
}

fn steps(list: &[Step]) -> String {
    let mut text = String::new();
    for step in list {
        let _ = match step {
            Step::Map(columns) => columns
                .iter()
                .try_for_each(|(f, typed)| writeln!(text, "map {} = {typed}", field(f))),
            Step::Filter(condition) => writeln!(text, "filter {condition}"),
            Step::Prune { condition, .. } => writeln!(text, "prune {condition}"),
            Step::Project(columns) => {
                columns.iter().try_for_each(|(i, f)| writeln!(text, "keep {i} as {}", field(f)))
            }
        };
    }
    text
}

/// A column without its attributes: no value depends on them.
fn field(f: &Field) -> String {
    format!("{:?}:{:?}({})", f.name, f.dtype, f.mask.0)
}

fn fields(schema: &Schema) -> String {
    schema.fields.iter().map(|f| field(f) + "\n").collect()
}

fn givens(given: &[Given]) -> String {
    let mut text = String::new();
    for given in given {
        let _ = match given {
            Given::Loaded | Given::Loose(_) => writeln!(text, "loaded"),
            Given::Counter { start, step } => writeln!(text, "from {start} by {step}"),
            Given::Table(array) => writeln!(text, "{}", values(array)),
        };
    }
    text
}

/// All values of an array.
fn values(array: &ArrayRef) -> String {
    let values = (0..array.len()).map(|i| format!("{:?}", crate::tests::value(array, i)));
    format!("{} {}", array.data_type(), Print::of(values))
}

/// What an output is, less what tells when and by which text it was made.
fn written(write: &WritePlan, schema: &Schema, title: &str) -> String {
    let path = match tasks::store::is_remote(&write.path) {
        true => write.path.clone(),
        false => std::path::absolute(&write.path).unwrap_or_else(|_| write.path.clone()),
    };
    let own = |(name, value): &&(String, Attribute)| match name.as_str() {
        "history" | "tidemill_pipeline_sha256" => false,
        "title" => value.text() != Some(title),
        _ => true,
    };
    let global: Vec<_> = write.attributes.0.iter().filter(own).collect();
    let each: Vec<&Attributes> = schema.fields.iter().map(|f| &f.attributes).collect();
    let format = write.format.name();
    format!("write {format} {:?} {path:?}\n{global:?}\n{each:?}\n", write.options)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use crate::physical::{Op, Physical};
    use crate::{LoadOptions, load};
    use base::Source;

    use super::*;

    #[test]
    fn digits_and_back() {
        let print = Print::of(["a", "bc"]);
        assert_eq!(Print::from_hex(&print.to_string()), Some(print));
        assert_ne!(print, Print::of(["ab", "c"]));
        assert_eq!(Print::from_hex("12"), None);
    }

    fn physical(text: &str) -> Physical {
        let (plan, mistakes) = load(&Source::new("p.yaml", text), &LoadOptions::default());
        plan.unwrap_or_else(|| panic!("{mistakes:?}")).physical
    }

    /// The meaning of the last node.
    fn last(text: &str) -> Print {
        physical(text).meanings.last().unwrap().placed
    }

    const SUM: &str = "steps:\n  - range: { k: 1..=1000 }\n  - filter: k % 3 == 0\n  \
                       - reduce: { s: sum(sqrt(k)) }\n";

    #[test]
    fn words_mean_nothing() {
        let same = [
            SUM.replace("steps:", "# a comment\ntitle: Other\nsteps:"),
            SUM.replace(
                "reduce: { s: sum(sqrt(k)) }",
                "reduce: { s: sum( sqrt(k) ) }\n    as: last",
            ),
            SUM.replace("1..=1000", "1..=10**3"),
        ];
        for text in same {
            assert_eq!(last(&text), last(SUM), "{text}");
        }
    }

    #[test]
    fn all_else_does() {
        let other = [("1000", "1001"), ("% 3", "% 4"), ("sqrt", "exp"), ("sum(", "mean(")];
        for (from, to) in other {
            assert_ne!(last(&SUM.replace(from, to)), last(SUM), "{from} {to}");
        }
    }

    #[test]
    fn attributes_of_an_output_count_but_not_its_history() {
        let folder = std::env::temp_dir().join("never-made");
        let text = |more: &str| {
            let path = folder.join("x.nc");
            format!(
                "steps:\n  - grid: {{ x: \"linspace(0, 1, 5)\" }}\n  - map: {{ y: x }}\n  \
                 - write: {}\n    attributes: {{ y: {{ units: {more} }} }}\n",
                path.display()
            )
        };
        let options = |now: &str| LoadOptions { now: now.into(), ..LoadOptions::default() };
        let last = |text: &str, now: &str| {
            let plan = load(&Source::new("p.yaml", text), &options(now)).0.unwrap();
            let (nodes, meanings) = (&plan.physical.nodes, &plan.physical.meanings);
            let write = nodes.iter().position(|n| matches!(n.op, Op::Write(_))).unwrap();
            meanings[write].placed
        };
        let one = last(&text("K"), "2026");
        assert_eq!(one, last(&text("K"), "2027"));
        assert_eq!(one, last(&text("K # kelvin").replace("# kelvin } }", "} } # kelvin"), "2026"));
        assert_ne!(one, last(&text("m"), "2026"));
    }
}
