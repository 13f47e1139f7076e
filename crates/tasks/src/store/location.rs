//! Addresses of objects. They stand where names of files do, as the text that the user wrote.
use object_store::path::Path as Key;
use reqwest::Url;
use std::path::{Path, PathBuf};

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The store: `s3://bucket`, `https://host:port`.
    pub store: String,
    /// The name in it.
    pub key: Key,
}

/// What stands before `://`, if a text is an address.
pub fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let good = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(name);
    good.then_some(scheme)
}

/// Whether a name is the address of something that lies elsewhere.
pub fn is_remote(path: &Path) -> bool {
    path.to_str().and_then(scheme).is_some_and(|scheme| scheme != "file")
}

/// The local file of an address `file://…`; `None` if it is no such address.
///
/// # Errors
/// If it names another machine, or is no name.
pub fn local(text: &str) -> Result<Option<PathBuf>, String> {
    if scheme(text) != Some("file") {
        return Ok(None);
    }
    let url = Url::parse(text).map_err(|e| format!("`{text}` is no address: {e}"))?;
    let path = url.to_file_path();
    path.map(Some).map_err(|()| format!("`{text}` names no file here: write `file:///folder/name`"))
}

impl Location {
    /// Reads an address.
    ///
    /// # Errors
    /// A sentence, if it is of no kind that is read, or cannot be an object's.
    pub fn parse(text: &str) -> Result<Location, String> {
        let location = match scheme(text) {
            Some("s3") => Location::in_s3(text)?,
            Some("http" | "https") => Location::on_a_server(text)?,
            Some(other) => {
                return Err(format!(
                    "`{text}`: there is no `{other}://` here, only s3://, https://, http:// and \
                     file://"
                ));
            }
            None => return Err(format!("`{text}` is no address")),
        };
        if location.key.as_ref().is_empty() || text.ends_with('/') {
            return Err(format!("`{text}` names no object: its name is missing"));
        }
        Ok(location)
    }

    /// A key stands as it is: nothing in it is decoded.
    fn in_s3(text: &str) -> Result<Location, String> {
        let rest = text.trim_start_matches("s3://");
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.is_empty() || !bucket.chars().all(name) {
            return Err(format!("`{text}` names no bucket: write `s3://bucket/name`"));
        }
        Ok(Location { store: format!("s3://{bucket}"), key: key_of(text, key)? })
    }

    fn on_a_server(text: &str) -> Result<Location, String> {
        let url = Url::parse(text).map_err(|e| format!("`{text}` is no address: {e}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "an address of {} has a name or a password in it, which would stand in reports",
                url.host_str().unwrap_or_default()
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "`{}?…` has a query, and cannot be read in parts: download it first, with `fetch`",
                text.split(['?', '#']).next().unwrap_or_default()
            ));
        }
        let Some(host) = url.host_str() else { return Err(format!("`{text}` names no host")) };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let key = Key::from_url_path(url.path()).map_err(|_| bad_key(text))?;
        // What a path of a file would make one of: `a//b` and `a/./b`.
        key_of(text, url.path().trim_start_matches('/'))?;
        Ok(Location { store: format!("{}://{host}{port}", url.scheme()), key })
    }

    /// Of what is named as a file is.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn of(path: &Path) -> Result<Location, String> {
        let text = path.to_str().ok_or("an address is not UTF-8")?;
        Location::parse(text)
    }

    /// Whether the store can tell what it has.
    pub fn lists(&self) -> bool {
        self.store.starts_with("s3://")
    }
}

fn key_of(text: &str, key: &str) -> Result<Key, String> {
    if key.starts_with('/') {
        return Err(bad_key(text));
    }
    Key::parse(key).map_err(|_| bad_key(text))
}

fn bad_key(text: &str) -> String {
    format!("`{text}`: the parts of a name between `/` may not be empty, `.` or `..`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_have_a_store_and_a_name() {
        let at = |text: &str| Location::parse(text).map(|l| (l.store, l.key.to_string()));
        let is = |store: &str, key: &str| Ok((store.to_string(), key.to_string()));
        assert_eq!(at("s3://b/a b/c%20.nc"), is("s3://b", "a b/c%20.nc"));
        assert_eq!(at("https://host:81/a%20b.csv"), is("https://host:81", "a b.csv"));
        assert_eq!(at("http://127.0.0.1/x/y.arrow"), is("http://127.0.0.1", "x/y.arrow"));
        for bad in ["s3://", "s3://b", "s3://b/", "s3:///k", "s3://b/a//c", "s3://b//c"] {
            assert!(at(bad).is_err(), "{bad}");
        }
        for bad in
            ["https://h/", "https://h/a//b", "https://u:secret@h/a", "https://h/a?sig=secret"]
        {
            let error = at(bad).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(at("gs://b/k").unwrap_err().contains("only s3://"));
    }

    #[test]
    fn only_what_has_a_scheme_is_elsewhere() {
        assert!(is_remote(Path::new("s3://b/k")) && is_remote(Path::new("gs://b/k")));
        for here in ["a.nc", "s3:/b/k", "file:///a", "/a://b", "1s://x"] {
            assert!(!is_remote(Path::new(here)), "{here}");
        }
        assert_eq!(local("file:///a%20b/c.nc"), Ok(Some(PathBuf::from("/a b/c.nc"))));
        assert!(local("file://elsewhere/c.nc").is_err());
        assert_eq!(local("/c.nc"), Ok(None));
    }
}
