//! From the parser's events to the tree: anchors, merge keys, duplicate keys.
use super::{Key, Kind, Node, Scalar, align::align, cut, line, syntax, trap};
use base::{Code, Diagnostic, Diagnostics, Source, Span, Text};
use serde_saphyr::granit_parser::{Event, ScalarStyle, StructureStyle};
use std::collections::{HashMap, HashSet};

/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// How many values aliases may repeat in all: a short file can ask for billions.
const MAX_COPIES: usize = 100_000;
/// How many syntax errors are looked for.
const MAX_FAULTS: usize = 10;

/// Reads a pipeline file's YAML. The tree is missing if a mistake leaves its shape unclear; what
/// YAML merely cuts short is mended in it, so that checking can go on.
pub fn read(source: &Source) -> (Option<Node>, Vec<Diagnostic>) {
    let mut text = source.text.to_string();
    let mut found = Diagnostics::new();
    for _ in 0..MAX_FAULTS {
        let fault = match syntax::events(&text) {
            Ok(events) => {
                let whole = found.is_empty();
                let root = tree(&text, events, &mut found);
                return (root.filter(|_| whole), found.sorted());
            }
            Err(fault) => fault,
        };
        // What follows from a first mistake is not always one of its own: only traps are sure.
        if found.is_empty() || fault.error.code == Code::YamlTrap {
            found.push(fault.error);
        }
        match fault.skip.filter(|skip| !text[skip.range()].trim().is_empty()) {
            Some(skip) => {
                let blanks = " ".repeat(skip.range().len());
                text.replace_range(skip.range(), &blanks);
            }
            None => break,
        }
    }
    (None, found.sorted())
}

fn tree(text: &str, events: Vec<Spanned>, found: &mut Diagnostics) -> Option<Node> {
    let named = |e: &Spanned| if let Event::Alias(id) = e.event { Some(id) } else { None };
    let mut reader = Reader {
        source: text,
        named: events.iter().filter_map(named).collect(),
        events: events.into_iter(),
        anchors: HashMap::new(),
        copies: 0,
        broken: false,
        found: Diagnostics::new(),
    };
    let root = reader.document();
    let clear = !reader.broken;
    found.extend(reader.found.sorted());
    let Some(root) = root else {
        if found.is_empty() {
            found.push(empty());
        }
        return None;
    };
    let clear = trap::check(text, &root, found) && clear;
    clear.then_some(root)
}

fn empty() -> Diagnostic {
    Diagnostic::error(Code::YamlSyntax, Span::new(0, 0), "the file is empty").help(
        "a pipeline needs `steps:`, such as\nsteps:\n  - range: { k: 1..=10 }\n  \
         - reduce: { total: sum(k) }",
    )
}

/// An event with its place, its tag's place, and the indentation of a block scalar.
pub struct Spanned<'a> {
    /// What the parser saw.
    pub event: Event<'a>,
    /// Where.
    pub span: Span,
    /// The tag on it.
    pub tag: Option<Span>,
    /// Spaces that its lines lose.
    pub indent: Option<usize>,
}

struct Reader<'a> {
    source: &'a str,
    /// The anchors that aliases name.
    named: HashSet<usize>,
    events: std::vec::IntoIter<Spanned<'a>>,
    anchors: HashMap<usize, Node>,
    copies: usize,
    broken: bool,
    found: Diagnostics,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        let mut first: Option<Span> = None;
        while let Some(next) = self.events.next() {
            match (next.event, first) {
                (Event::DocumentStart(..), None) => {
                    first = Some(next.span);
                    root = self.node(next.span, 0);
                }
                (Event::DocumentStart(..), Some(first)) => {
                    self.several_documents(next.span, first);
                    return None;
                }
                _ => {}
            }
        }
        root.filter(|root| !root.is_null())
    }

    fn several_documents(&mut self, span: Span, first: Span) {
        let error = Diagnostic::error(Code::YamlSyntax, span, "a second YAML document starts here")
            .help("a pipeline file holds one pipeline: take the `---` away, or make two files");
        self.found.push(if self.source[first.range()].is_empty() {
            error
        } else {
            error.other(first, "the first one starts here")
        });
    }

    /// The next value; `place` is where nothing would stand.
    fn node(&mut self, place: Span, depth: usize) -> Option<Node> {
        let next = self.events.next()?;
        self.refuse_tag(&next);
        if depth > MAX_DEPTH {
            self.refuse(Diagnostic::error(
                Code::YamlSyntax,
                next.span,
                format!("lists and mappings are nested more than {MAX_DEPTH} deep"),
            ));
            return None;
        }
        let (node, anchor) = match next.event {
            Event::Scalar(ref text, style, anchor, _) => {
                (self.scalar(text, style, &next, place), anchor)
            }
            Event::SequenceStart(style, anchor, _) => (self.list(next.span, style, depth), anchor),
            Event::MappingStart(style, anchor, _) => (self.map(next.span, style, depth), anchor),
            Event::Alias(id) => (self.alias(id, next.span, depth)?, 0),
            Event::UnresolvedAlias(name) => {
                self.refuse(trap::unknown_alias(self.source, &name, next.span));
                (Node { span: next.span, kind: Kind::Null }, 0)
            }
            _ => return None,
        };
        if anchor != 0 && !self.named.contains(&anchor) && node.scalar().is_some_and(|s| !s.quoted)
        {
            // `&x + 1`: nothing names this anchor, so it is more likely the start of an expression.
            let before = &self.source[..node.span.start as usize];
            if let Some(at) = before.rfind('&').filter(|at| !before[*at..].contains('\n')) {
                self.found.push(trap::start(self.source, cut::value(self.source, at)));
            }
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    fn refuse(&mut self, error: Diagnostic) {
        self.broken = true;
        self.found.push(error);
    }

    fn refuse_tag(&mut self, next: &Spanned) {
        if let Some(span) = next.tag {
            self.refuse(trap::tag(self.source, span));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, next: &Spanned, place: Span) -> Node {
        let raw = &self.source[next.span.range()];
        let plain = style == ScalarStyle::Plain;
        if plain && (raw.is_empty() || raw == "~") {
            let span = if raw.is_empty() { place } else { next.span };
            return Node { span, kind: Kind::Null };
        }
        if plain && let Some((sign, whole)) = cut::comment_inside(self.source, next.span) {
            self.found.push(trap::comment(self.source, sign, whole));
            return cut::plain(self.source, whole);
        }
        let text = align(self.source, next.span, style, next.indent, text);
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let span = if block { self.block(next.span, &text) } else { next.span };
        Node { span, kind: Kind::Scalar(Scalar { text, quoted: !plain }) }
    }

    /// A block's place without the line breaks behind it. An empty one is taken for a comparison
    /// (`filter: >3`) and stands at its `|` or `>`.
    fn block(&mut self, span: Span, text: &Text) -> Span {
        if !text.text.is_empty() {
            return text.whole();
        }
        let sign = self.source[..span.end as usize].rfind(['|', '>']);
        let Some(sign) = sign else { return span };
        let value = line::rest(self.source, sign);
        if !self.source[value.range()].trim_matches(['|', '>', '+', '-']).is_empty() {
            self.refuse(trap::start(self.source, value));
        }
        value
    }

    fn list(&mut self, open: Span, style: StructureStyle, depth: usize) -> Node {
        let (mut items, mut span) = (Vec::new(), open);
        while let Some(next) = self.events.as_slice().first() {
            if matches!(next.event, Event::SequenceEnd) {
                span = self.close(open, items.last().map(|i: &Node| i.span), style);
                break;
            }
            let place = next.span;
            let Some(item) = self.node(place, depth + 1) else { break };
            items.push(item);
        }
        if style == StructureStyle::Flow {
            self.found.extend(cut::mend_list(self.source, &mut items, span));
        }
        Node { span, kind: Kind::List(items) }
    }

    fn map(&mut self, open: Span, style: StructureStyle, depth: usize) -> Node {
        let (mut entries, mut span) = (Vec::new(), open);
        while let Some(next) = self.events.as_slice().first() {
            if matches!(next.event, Event::MappingEnd) {
                span = self.close(open, entries.last().map(|(_, v): &(Key, Node)| v.span), style);
                break;
            }
            let place = next.span;
            let Some(key) = self.node(place, depth + 1) else { break };
            let key = self.key(key);
            let Some(value) = self.node(key.span, depth + 1) else { break };
            entries.push((key, value));
        }
        if style == StructureStyle::Flow {
            self.found.extend(cut::mend_map(self.source, &mut entries, span));
        }
        let entries = self.unique(entries);
        Node { span, kind: Kind::Map(self.merge(entries)) }
    }

    /// Takes the end of a collection. A block ends where its last value does, not at the next
    /// token.
    fn close(&mut self, open: Span, last: Option<Span>, style: StructureStyle) -> Span {
        let end = self.events.next().map_or(open, |next| next.span);
        match (style, last) {
            (StructureStyle::Block, Some(last)) if last.start >= open.start => open.to(last),
            (StructureStyle::Block, _) => open,
            (StructureStyle::Flow, _) => open.to(end),
        }
    }

    fn key(&mut self, node: Node) -> Key {
        match node.kind {
            Kind::Scalar(scalar) => Key { name: scalar.text.text.to_string(), span: node.span },
            Kind::Null => {
                self.refuse(
                    Diagnostic::error(Code::YamlSyntax, node.span, "a name is missing before `:`")
                        .label("expected a key"),
                );
                Key { name: String::new(), span: node.span }
            }
            Kind::List(_) | Kind::Map(_) => {
                let what = node.describe();
                self.refuse(
                    Diagnostic::error(
                        Code::WrongShape,
                        node.span,
                        format!("a key cannot be {what}"),
                    )
                    .label("expected a name"),
                );
                Key { name: String::new(), span: node.span }
            }
        }
    }

    /// Keeps the first of equal keys.
    fn unique(&mut self, entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let mut first: HashMap<String, Span> = HashMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match first.get(&key.name) {
                Some(_) if key.name.is_empty() => {}
                Some(first) => {
                    let message = format!("the key `{}` stands twice in one mapping", key.name);
                    self.found.push(
                        Diagnostic::error(Code::DuplicateKey, key.span, message)
                            .label("again here")
                            .other(*first, "first here")
                            .help("take one of them away, or rename it"),
                    );
                }
                None => {
                    first.insert(key.name.clone(), key.span);
                    kept.push((key, value));
                }
            }
        }
        kept
    }

    /// Replaces `<<` by the entries it stands for; what is written here wins.
    fn merge(&mut self, entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        if !entries.iter().any(|(key, _)| is_merge(self.source, key)) {
            return entries;
        }
        let mut merged: Vec<(Key, Node)> = Vec::new();
        let own: Vec<String> = entries.iter().map(|(key, _)| key.name.clone()).collect();
        for (key, value) in entries {
            if !is_merge(self.source, &key) {
                merged.push((key, value));
                continue;
            }
            for (key, value) in self.merged(value) {
                if !own.contains(&key.name) && !merged.iter().any(|(k, _)| k.name == key.name) {
                    merged.push((key, value));
                }
            }
        }
        merged
    }

    fn merged(&mut self, value: Node) -> Vec<(Key, Node)> {
        match value.kind {
            Kind::Map(entries) => entries,
            Kind::List(items) => items.into_iter().flat_map(|item| self.merged(item)).collect(),
            Kind::Null | Kind::Scalar(_) => {
                let message = format!("`<<` takes in mappings, but here is {}", value.describe());
                self.refuse(
                    Diagnostic::error(Code::WrongShape, value.span, message)
                        .help("name a mapping: `<<: *defaults`, with `&defaults` before it"),
                );
                Vec::new()
            }
        }
    }

    /// A copy of what the anchor stands for; its places are those of the anchor's value.
    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Option<Node> {
        let Some(node) = self.anchors.get(&id) else {
            self.refuse(
                Diagnostic::error(Code::YamlSyntax, span, "the alias stands inside its own anchor")
                    .label("this would never end"),
            );
            return Some(Node { span, kind: Kind::Null });
        };
        let (size, height) = measure(node);
        if self.copies + size > MAX_COPIES || depth + height > MAX_DEPTH {
            self.refuse(
                Diagnostic::error(Code::YamlSyntax, span, "the aliases make the file too large")
                    .label(format!("more than {MAX_COPIES} values, or {MAX_DEPTH} levels")),
            );
            // The rest of the events would only repeat this.
            self.events = Vec::new().into_iter();
            return None;
        }
        self.copies += size;
        Some(node.clone())
    }
}

/// How many values a tree has, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.kind {
        Kind::Null | Kind::Scalar(_) => Vec::new(),
        Kind::List(items) => items.iter().collect(),
        Kind::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
    };
    let (mut size, mut height) = (1, 0);
    for (s, h) in children.into_iter().map(measure) {
        (size, height) = (size + s, height.max(h + 1));
    }
    (size, height)
}

fn is_merge(source: &str, key: &Key) -> bool {
    source.get(key.span.range()) == Some("<<")
}
