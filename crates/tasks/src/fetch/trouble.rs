//! Why an attempt has failed, and whether another one may do better.
use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// What has gone wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    /// A sentence without its beginning, the address.
    pub(super) text: String,
    /// Whether another attempt may do better.
    pub(super) again: bool,
    /// How long the server wants one to wait.
    pub(super) after: Option<Duration>,
}

impl Trouble {
    /// That another attempt would not mend.
    pub(super) fn last(text: impl Into<String>) -> Trouble {
        Trouble { text: text.into(), again: false, after: None }
    }

    /// That may pass.
    pub(super) fn passing(text: impl Into<String>) -> Trouble {
        Trouble { text: text.into(), again: true, after: None }
    }

    /// Of a request that got no answer.
    pub(super) fn of_request(error: &reqwest::Error) -> Trouble {
        let begin = match () {
            () if error.is_dns() => "the host is not found",
            () if error.is_connect() => "cannot connect",
            () if error.is_builder() => "the request cannot be made",
            () => "no answer",
        };
        let text = format!("{begin}: {}", cause(error));
        let again = !error.is_builder() && !is_refused(error);
        Trouble { text, again, after: None }
    }
}

/// Whether the other side was reached and is not to be trusted, or sends no HTTP.
fn is_refused(error: &reqwest::Error) -> bool {
    causes(error).any(|e| {
        let tls = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        tls.is_some_and(|e| matches!(e.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
    })
}

/// An error and what caused it, but not reqwest's own words, which hold the whole address.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&e| e.source())
}

/// What was at the bottom of it.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let inner = causes(error).last();
    let io = causes(error).filter_map(|e| e.downcast_ref::<io::Error>()).last();
    match (io, inner) {
        (Some(io), _) => words(io),
        (None, Some(inner)) => lower(&inner.to_string()),
        (None, None) => "the connection was closed".to_owned(),
    }
}

/// An error of the system in words, without its number.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "it is read-only there".to_owned(),
        _ => {
            let text = error.to_string();
            lower(text.split(" (os error").next().unwrap_or(&text))
        }
    }
}

/// A sentence that does not begin one.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let plain = letters.clone().nth(1).is_some_and(|c| !c.is_uppercase());
    match letters.next() {
        Some(first) if plain => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
