//! The words that all processes of a run were given.
use base::{Failure, FailureKind};
use engine::links::Secret;
use rustix::process::geteuid;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The variable that may hold them.
const VARIABLE: &str = "TIDEMILL_SECRET";

/// Fewer letters than this can be guessed.
const SHORTEST: usize = 16;

/// Those of the file, or of the variable; `None` if there are none.
///
/// # Errors
/// If the file cannot be read, or others than its owner can, or the words are too few.
pub fn given(file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let (words, place) = match file {
        Some(path) => (read(path)?, path.display().to_string()),
        None => match std::env::var(VARIABLE) {
            Ok(words) => (words, VARIABLE.to_owned()),
            Err(_) => return Ok(None),
        },
    };
    if words.trim().len() < SHORTEST {
        return Err(wrong(format!(
            "the secret in {place} has fewer than {SHORTEST} letters: {HOW}"
        )));
    }
    Ok(Some(Secret::from_words(&words)))
}

/// What is said where a secret is needed and none was given.
pub fn lacking() -> Failure {
    wrong(format!(
        "--hosts needs a secret that all processes know, in {VARIABLE} or --secret-file: {HOW}"
    ))
}

const HOW: &str = "make one with `(umask 077; head -c 32 /dev/urandom | base64 > FILE)`";

fn read(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let unreadable = |e: std::io::Error| wrong(format!("--secret-file {name}: {e}"));
    let mut file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.mode() & 0o077 != 0 {
        let message = format!("others can read {name}, so it is no secret: `chmod 600 {name}`");
        return Err(wrong(message));
    }
    if about.uid() != geteuid().as_raw() {
        return Err(wrong(format!("{name} belongs to another user, who may change it")));
    }
    let mut words = String::new();
    file.read_to_string(&mut words).map_err(unreadable)?;
    Ok(words)
}

fn wrong(message: String) -> Failure {
    Failure::new(FailureKind::Pipeline, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, "0123456789abcdef\n").unwrap();
        set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(given(Some(&path)).unwrap_err().message.contains("chmod 600"));
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let secret = given(Some(&path)).unwrap().unwrap();
        assert_eq!(secret.to_hex(), Secret::from_words("0123456789abcdef").to_hex());
        write(&path, "short").unwrap();
        assert!(given(Some(&path)).unwrap_err().message.contains("fewer"));
        assert!(given(Some(&folder.path().join("none"))).is_err());
    }
}
