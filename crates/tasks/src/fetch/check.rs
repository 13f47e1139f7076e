//! What can be told of downloads before they run.
use super::Spec;
use super::address::{Source, bare};
use super::job::{digest, header};
use super::place::{Folder, Place};
use crate::template::{Piece, Template};
use crate::work::Key;

/// A part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The address.
    Url,
    /// The file.
    To,
    /// The checksum.
    Sha256,
    /// This one of the headers, and of the secrets behind them.
    Header(usize),
}

/// What is wrong with a step whatever its rows hold: sentences that show nothing secret.
pub fn check(spec: &Spec) -> Vec<(Part, String)> {
    let mut wrong = Vec::new();
    let mut note = |part, why: Option<String>| wrong.extend(why.map(|why| (part, why)));
    note(Part::Url, url(&spec.url).err());
    if let Some(to) = spec.to.as_ref().and_then(Template::constant) {
        note(Part::To, Place::new(&Folder::Working, to, Key::default()).err());
    }
    let sum = spec.sha256.as_ref().and_then(Template::constant);
    if let Some(sum) = sum.filter(|sum| !sum.trim().is_empty()) {
        note(Part::Sha256, digest(sum).err());
    }
    let open = spec.headers.iter().map(|(name, value)| (name, value.constant()));
    let secret = spec.secrets.iter().map(|(name, value)| (name, Some(value.as_str())));
    for (i, (name, value)) in open.chain(secret).enumerate() {
        note(Part::Header(i), header(name, value.unwrap_or_default()).err());
    }
    wrong
}

/// An address that does not depend on the row, or one whose kind does not.
fn url(template: &Template) -> Result<(), String> {
    if let Some(text) = template.constant() {
        return Source::parse(text).map(|_| ());
    }
    let Some(Piece::Text(begin)) = template.0.first() else { return Ok(()) };
    match begin.split_once(':') {
        // What follows depends on the row: only the kind is looked at.
        Some((kind, _)) if !["http", "https", "file"].contains(&&*kind.to_lowercase()) => {
            Source::parse(begin).map(|_| ())
        }
        None if begin.contains('/') => Source::parse(begin).map(|_| ()),
        _ => Ok(()),
    }
}

/// An address for people, without its secrets: values of the row are `…`.
pub fn shown(template: &Template) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Column { .. } => "…".to_owned(),
    };
    bare(&template.0.iter().map(piece).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn row(begin: &str) -> Template {
        let column = Piece::Column { at: 0, format: Format::default() };
        Template(vec![Piece::Text(begin.to_owned()), column, Piece::Text("?key=secret".to_owned())])
    }

    #[test]
    fn addresses_are_told_without_secrets() {
        assert_eq!(shown(&row("https://me:secret@host/")), "https://host/…");
        assert_eq!(shown(&Template::text("http://host/x")), "http://host/x");
    }

    #[test]
    fn what_no_row_can_mend_is_told() {
        let of = |url: Template| check(&Spec { url, ..Spec::default() });
        for good in ["https://host/", "http://", "file:", "http", ""] {
            assert_eq!(of(row(good)), [], "{good}");
        }
        for bad in ["ftp://host/", "host/", "htps://host/"] {
            assert_eq!(of(row(bad)).len(), 1, "{bad}");
        }
        let text = Template::text;
        let spec = Spec {
            url: text("nothing"),
            to: Some(text("out/")),
            sha256: Some(text("ab")),
            headers: vec![("A".into(), text("1")), ("B B".into(), row("1"))],
            ..Spec::default()
        };
        let parts: Vec<Part> = check(&spec).into_iter().map(|(part, _)| part).collect();
        assert_eq!(parts, [Part::Url, Part::To, Part::Sha256, Part::Header(1)]);
    }
}
