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
        if let Some(text) = causes(error).find_map(tls) {
            return Trouble::last(text);
        }
        let begin = match () {
            () if error.is_dns() => "the host is not found",
            () if error.is_connect() => "cannot connect",
            () if error.is_builder() => "the request cannot be made",
            () => "no answer",
        };
        let text = format!("{begin}: {}", cause(error));
        Trouble { text, again: !error.is_builder(), after: None }
    }
}

/// What is wrong with the other side, where another attempt would find the same: it is not to be
/// trusted, or does not speak TLS.
fn tls(error: &(dyn Error + 'static)) -> Option<String> {
    use rustls::{CertificateError as Certificate, Error as Tls};
    // An error of the system holds that of TLS, and calls its cause its own.
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return tls(io.get_ref()?);
    }
    Some(match error.downcast_ref::<Tls>()? {
        Tls::InvalidCertificate(why) => match why {
            Certificate::UnknownIssuer => "its certificate is signed by nobody that this system \
                trusts; `SSL_CERT_FILE` may name a file of those that are trusted"
                .to_owned(),
            Certificate::Expired | Certificate::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "its certificate is that of another host".to_owned()
            }
            other => format!("its certificate is refused: {other:?}"),
        },
        Tls::InvalidMessage(_) => {
            "it does not speak TLS: is it an address of `http:`, not `https:`?".to_owned()
        }
        Tls::PeerIncompatible(why) => format!("it speaks another TLS: {why:?}"),
        _ => return None,
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
            let text = text.trim_start_matches("failed to lookup address information: ");
            lower(text.split(" (os error").next().unwrap_or(text))
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
