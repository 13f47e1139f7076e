//! All that can be listed and looked up: operators, functions, reductions, formats, rules, from
//! their tables.
use base::Entry;
use clap::ValueEnum;
use expr::FUNCTIONS;
use expr::reduce::REDUCTIONS;
use formats::FORMATS;
use plan::OPERATORS;
use plan::operator::{Inputs, Operator};
use plan::rules::RULES;

/// A table of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// What a step can do
    Operators,
    /// What expressions can call
    Functions,
    /// What `reduce` computes
    Reductions,
    /// Files that can be read and written
    Formats,
    /// Rewrites of the plan, which `--without` switches off
    Rules,
}

impl Kind {
    /// All tables, in the order of lists.
    pub const ALL: [Kind; 5] =
        [Kind::Operators, Kind::Functions, Kind::Reductions, Kind::Formats, Kind::Rules];

    /// The table's title.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Operators => "operators",
            Kind::Functions => "functions",
            Kind::Reductions => "reductions",
            Kind::Formats => "formats",
            Kind::Rules => "rules",
        }
    }
}

/// An entry of one of the tables, ready to be printed.
pub struct Item {
    /// The table.
    pub kind: Kind,
    /// The name users type.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub summary: &'static str,
    /// How it is called: `clip(x, low, high)`; the name, where nothing is called.
    pub signature: String,
    /// All that is known of it.
    pub text: String,
}

/// All entries, in the order of lists.
pub fn items() -> Vec<Item> {
    let operators = OPERATORS.iter().map(|o| operator(o));
    let functions = FUNCTIONS.iter().map(|f| {
        let title = f.signature.to_owned();
        let examples = f.examples.iter().map(|(e, v)| format!("{e} = {v}")).collect();
        let parts = vec![section("Examples", examples), section("Also called", list(f.aliases))];
        Item { aliases: f.aliases, ..item(Kind::Functions, *f, title, parts) }
    });
    let reductions =
        REDUCTIONS.iter().map(|r| item(Kind::Reductions, *r, r.signature().to_owned(), Vec::new()));
    let formats = FORMATS.iter().map(|f| format(*f));
    let rules = RULES.iter().map(|r| item(Kind::Rules, r, r.name.to_owned(), Vec::new()));
    operators.chain(functions).chain(reductions).chain(formats).chain(rules).collect()
}

fn operator(operator: &'static Operator) -> Item {
    let inputs = match operator.inputs {
        Inputs::None => "none: it is a source",
        Inputs::One => "one step",
        Inputs::Two => "two steps, named by `from:`: the left and the right one",
        Inputs::Many => "two or more steps, named by `from:`",
    };
    let keys = operator.keys.iter().map(|k| format!("{}: {}", k.name, k.doc)).collect();
    let example = operator.example.lines().map(str::to_owned).collect();
    let parts = vec![
        section("Fed by", vec![inputs.to_owned()]),
        section("Beside it", keys),
        section("Example", example),
    ];
    item(Kind::Operators, operator, operator.name.to_owned(), parts)
}

fn format(format: &'static dyn formats::Format) -> Item {
    let keys = |keys: &[formats::OptionKey]| {
        keys.iter().map(|k| format!("{}: {}", k.name, k.doc)).collect()
    };
    let endings = format.extensions().iter().map(|e| format!(".{e}")).collect::<Vec<_>>();
    let parts = vec![
        section("File endings", vec![endings.join(", ")]),
        section("Beside `read:`", keys(format.read_options())),
        section("Beside `write:`", keys(format.write_options())),
    ];
    item(Kind::Formats, format, format.name().to_owned(), parts)
}

fn item<E: Entry + ?Sized>(kind: Kind, entry: &E, title: String, parts: Vec<String>) -> Item {
    let what = kind.title().trim_end_matches('s');
    let mut text = format!("{title} ({what})\n\n{}\n", entry.doc().trim_end());
    parts.iter().for_each(|part| text += part);
    let (name, summary) = (entry.name(), entry.summary());
    Item { kind, name, aliases: &[], summary, signature: title, text }
}

fn list(names: &[&str]) -> Vec<String> {
    if names.is_empty() { Vec::new() } else { vec![names.join(", ")] }
}

/// A heading and indented lines; nothing if there are no lines.
fn section(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|l| format!("  {l}\n")).collect();
    format!("\n{title}:\n{lines}")
}
