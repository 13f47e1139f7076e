//! Where a download comes from: an address of the web, or a file of this machine.
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Longer addresses are shown in part.
const SHOWN: usize = 200;

/// Where a download comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// `http://…` or `https://…`.
    Web(Address),
    /// `file:///folder/name`, or `file:folder/name` below the working folder.
    File(PathBuf),
}

/// An address of the web.
#[derive(Clone, PartialEq)]
pub(super) struct Address {
    /// Without the login and without what follows `#`.
    pub(super) url: Url,
    /// `user:password@`, as a header.
    pub(super) login: Option<HeaderValue>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Source {
    /// Reads an address.
    ///
    /// # Errors
    /// If it is none: a sentence that shows nothing secret.
    pub(super) fn parse(text: &str) -> Result<Source, String> {
        let text = text.trim();
        if let Some(path) = text.get(..5).filter(|s| s.eq_ignore_ascii_case("file:")) {
            return file(&text[path.len()..]).map(Source::File);
        }
        let url = Url::parse(text).map_err(|e| {
            let hint = "an address begins with `https://`, `http://` or `file:`";
            format!("`{}` is no address: {}; {hint}", bare(text), words(e))
        })?;
        match url.scheme() {
            "http" | "https" => Address::new(url).map(Source::Web),
            other => Err(format!(
                "`{}`: addresses of `{other}:` are not fetched; those of `https:`, `http:` and \
                 `file:` are",
                bare(text)
            )),
        }
    }

    /// As it is named in errors: without login and query, which may be secret.
    pub(super) fn shown(&self) -> String {
        match self {
            Source::Web(address) => address.shown(),
            Source::File(path) => path.display().to_string(),
        }
    }
}

impl Address {
    /// Takes the login out of an address.
    ///
    /// # Errors
    /// If the login is no text.
    pub(super) fn new(mut url: Url) -> Result<Address, String> {
        url.set_fragment(None);
        let mut login = None;
        if !url.username().is_empty() || url.password().is_some() {
            let mut plain = unescaped(url.username());
            plain.push(b':');
            plain.extend(unescaped(url.password().unwrap_or_default()));
            let cleared = url.set_username("").and_then(|()| url.set_password(None));
            cleared.map_err(|()| "its login cannot be used".to_owned())?;
            login = Some(basic(&plain)?);
        }
        Ok(Address { url, login })
    }

    /// As it is named in errors.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        let query = url.query().is_some();
        url.set_query(None);
        let mut text = shortened(url.as_str());
        if query {
            text.push_str("?…");
        }
        text
    }

    /// Whether what is secret may go from this address to that: scheme, host and port are the same,
    /// or the same host is asked with encryption instead of without.
    pub(super) fn trusts(&self, next: &Address) -> bool {
        let (from, to) = (&self.url, &next.url);
        let ports = (from.port_or_known_default(), to.port_or_known_default());
        let safer =
            (from.scheme(), to.scheme()) == ("http", "https") && ports == (Some(80), Some(443));
        from.host() == to.host() && (from.origin() == to.origin() || safer)
    }
}

/// The header for a login (RFC 7617).
fn basic(plain: &[u8]) -> Result<HeaderValue, String> {
    let text = format!("Basic {}", base64(plain));
    let mut value =
        HeaderValue::try_from(text).map_err(|_| "its login cannot be used".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let past = digit > three.len();
            out.push(if past { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    out
}

/// The path in what follows `file:` (RFC 8089).
fn file(rest: &str) -> Result<PathBuf, String> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => match rest.strip_prefix("localhost").unwrap_or(rest) {
            path if path.starts_with('/') => path,
            _ => {
                let hint = "write `file:///folder/name`, or `file:folder/name`";
                return Err(format!("`file:{rest}` names another machine: {hint}"));
            }
        },
    };
    let bytes = unescaped(path);
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(format!("`file:{}` names no file", shortened(rest)));
    }
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// The bytes of a text with `%41` for `A`.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// A text that should be an address, without what may be secret.
pub(super) fn bare(text: &str) -> String {
    let open = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match open.split_once("//") {
        Some((scheme, rest)) => (format!("{scheme}//"), rest),
        None => (String::new(), open),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let text = shortened(&format!("{scheme}{rest}"));
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The first characters of a text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn words(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    match text.as_str() {
        "relative URL without a base" => "it does not say which kind it is of".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn web(text: &str) -> Address {
        match Source::parse(text).unwrap() {
            Source::Web(address) => address,
            Source::File(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn a_login_is_sent_and_never_shown() {
        let address = web("https://me:s%40cret@host.org:8443/a/b?token=t#part");
        // printf 'me:s@cret' | base64
        assert_eq!(address.login.as_ref().unwrap().to_str().unwrap(), "Basic bWU6c0BjcmV0");
        assert_eq!(address.shown(), "https://host.org:8443/a/b?…");
        assert_eq!(address.url.as_str(), "https://host.org:8443/a/b?token=t");
        assert!(!format!("{address:?}").contains("cret"));
        assert_eq!(base64(b"a"), "YQ==");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b""), "");
    }

    #[test]
    fn what_is_no_address_is_named_without_its_secrets() {
        for (text, part) in [
            ("me:secret@host/x?secret", "`host/x`"),
            ("http://me:secret@ho st/x#secret", "`http://ho st/x`"),
            ("ftp://me:secret@host/x", "`ftp:`"),
            ("", "is no address"),
            ("http://", "empty host"),
            ("file://host/x", "another machine"),
            ("file:", "names no file"),
        ] {
            let why = Source::parse(text).unwrap_err();
            assert!(why.contains(part) && !why.contains("secret"), "{text}: {why}");
        }
    }

    #[test]
    fn files_are_named_from_the_root_or_from_here() {
        for (text, path) in [
            ("file:///tmp/a%20b", "/tmp/a b"),
            ("FILE://localhost/x", "/x"),
            ("file:data/x%zz.csv", "data/x%zz.csv"),
        ] {
            assert_eq!(Source::parse(text).unwrap(), Source::File(path.into()), "{text}");
        }
    }

    #[test]
    fn secrets_stay_with_the_host_that_was_named() {
        let trusts = |from: &str, to: &str| web(from).trusts(&web(to));
        assert!(trusts("http://a/x", "http://a/y"));
        assert!(trusts("http://a/x", "https://a/x"));
        assert!(!trusts("https://a/x", "http://a/x"));
        assert!(!trusts("https://a/x", "https://b/x"));
        assert!(!trusts("https://a/x", "https://a:8443/x"));
    }
}
