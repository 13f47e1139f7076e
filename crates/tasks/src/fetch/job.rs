//! What one row asks for.
use super::Spec;
use super::address::Source;
use super::place::Place;
use crate::template::Template;
use crate::work::{Key, KeyHasher, Rows};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION};

/// Changes when the same row would give something else.
const VERSION: &str = "fetch 1";

/// What one row asks for.
pub(super) struct Job {
    pub(super) source: Source,
    /// What is downloaded, whoever asks.
    pub(super) of: Key,
    pub(super) headers: HeaderMap,
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) place: Option<Place>,
}

impl Job {
    /// That of a row.
    ///
    /// # Errors
    /// If it cannot be done as it is written: a sentence.
    pub(super) fn of(spec: &Spec, rows: &Rows, row: usize) -> Result<Job, String> {
        let render = |name: &str, template: &Template| {
            template.render(rows, row).map_err(|why| format!("{name}: {why}"))
        };
        let mut source = Source::parse(&render("url", &spec.url)?)?;
        if let (Source::File(path), Some(folder)) = (&mut source, &spec.beside)
            && !path.exists()
            && folder.join(&path).exists()
        {
            *path = folder.join(&path);
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &spec.headers {
            let value = render(&format!("header `{name}`"), template)?;
            let (name, value) = header(name, &value)?;
            headers.append(name, value);
        }
        let sum = spec.sha256.as_ref().map(|sum| render("sha256", sum)).transpose()?;
        // Of a list of files, the sums of some are known.
        let sum = sum.filter(|sum| !sum.trim().is_empty());
        let sha256 = sum.as_deref().map(digest).transpose()?;
        let to = spec.to.as_ref().map(|to| render("to", to)).transpose()?;
        let of = content(&source, &headers, sha256);
        for (name, value) in &spec.secrets {
            let (name, value) = header(name, value)?;
            headers.append(name, value);
        }
        let place = to.map(|to| Place::new(&spec.folder, &to, of)).transpose()?;
        Ok(Job { source, of, headers, sha256, place })
    }
}

/// What the answer to rows depends on; `None` if one of them cannot be done.
///
/// Logins, secrets and the header `Authorization` say who asks, and not what for: they are no part of it, so
/// that a new password or token repeats nothing.
pub(super) fn key(spec: &Spec, rows: &Rows) -> Option<Key> {
    let mut hasher = KeyHasher::default();
    for row in rows.first..rows.first + rows.count {
        let job = Job::of(spec, rows, row).ok()?;
        hasher.part(job.of.0);
        match &job.place {
            Some(place) => hasher.part(place.target.as_os_str().as_encoded_bytes()),
            None => hasher.part(spec.longest_body.to_le_bytes()),
        };
    }
    Some(hasher.key())
}

/// What is downloaded.
fn content(source: &Source, headers: &HeaderMap, sha256: Option<[u8; 32]>) -> Key {
    let mut hasher = KeyHasher::default();
    hasher.part(VERSION);
    match source {
        Source::Web(address) => hasher.part("web").part(address.url.as_str()),
        Source::File(path) => hasher.part("file").part(path.as_os_str().as_encoded_bytes()),
    };
    if let Source::File(path) = source {
        // A file that is another one by now is copied again.
        let made = crate::work::Made::at(path);
        let told = made.map(|made| (made.bytes.to_le_bytes(), made.modified.to_le_bytes()));
        let (bytes, modified) = told.unwrap_or_default();
        hasher.part(bytes).part(modified);
    }
    for (name, value) in headers {
        if ![AUTHORIZATION, PROXY_AUTHORIZATION].contains(name) {
            hasher.part(name).part(value);
        }
    }
    hasher.part("sha256").part(sha256.as_ref().map_or(&[][..], |sum| sum));
    hasher.key()
}

/// A header; errors show no value, which may be secret.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = |what: &str| format!("header `{}`: {what}", name.escape_debug());
    let key = HeaderName::try_from(name).map_err(|_| wrong("this is not the name of a header"))?;
    if ["range", "if-range", "host", "content-length", "connection"].contains(&key.as_str()) {
        return Err(wrong("it is set by the download itself"));
    }
    let value = HeaderValue::try_from(value.trim());
    let mut value = value.map_err(|_| wrong("the value has a character that no header has"))?;
    value.set_sensitive(true);
    Ok((key, value))
}

/// The bytes of a SHA-256.
pub(super) fn digest(text: &str) -> Result<[u8; 32], String> {
    let text = text.trim();
    let wrong = || format!("sha256: `{}` is not 64 hexadecimal digits", text.escape_debug());
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut sum = [0; 32];
    for (i, byte) in sum.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
    }
    Ok(sum)
}
