//! Giving what is staged its final name: nothing that is not of the same kind is ever lost by it.
use crate::recognise::{refusal, remove_output};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tasks::rename::exchange;
pub(crate) use tasks::rename::rename_new;

/// Puts `from`, a file or a folder of parts, in the place of `to`, which goes. The two exchange
/// their names in one step where the file system can; then what was there is looked at once more
/// before it is removed, and gets its name back if it is not what may be replaced.
pub(crate) fn replace(from: &Path, to: &Path, parts: bool) -> io::Result<()> {
    refuse(to, parts)?;
    if !exchange(from, to)? {
        return replace_in_steps(from, to, parts);
    }
    if from.symlink_metadata().is_err() {
        // There was nothing to replace any more.
        return Ok(());
    }
    if let Err(why) = refuse(from, parts) {
        exchange(from, to)?;
        return Err(why);
    }
    remove_old(from, parts)
}

/// Removes what was replaced.
fn remove_old(path: &Path, parts: bool) -> io::Result<()> {
    remove_output(path, parts).map_err(|e| {
        let text =
            format!("it has its name, but what it replaced is left in `{}`: {e}", path.display());
        io::Error::new(e.kind(), text)
    })
}

fn refuse(path: &Path, parts: bool) -> io::Result<()> {
    refusal(path, parts).map_or(Ok(()), |why| Err(io::Error::other(why)))
}

/// The same where names cannot be exchanged: a folder steps aside first.
fn replace_in_steps(from: &Path, to: &Path, parts: bool) -> io::Result<()> {
    if !parts {
        return fs::rename(from, to);
    }
    let mut aside = from.as_os_str().to_owned();
    aside.push(".old");
    let aside = PathBuf::from(aside);
    rename_new(to, &aside)?;
    if let Err(why) = refuse(&aside, parts).and_then(|()| rename_new(from, to)) {
        rename_new(&aside, to)?;
        return Err(why);
    }
    remove_old(&aside, parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn folder(path: &Path, names: &[&str]) {
        fs::create_dir(path).unwrap();
        names.iter().for_each(|name| fs::write(path.join(name), "").unwrap());
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Both ways have the same outcome.
    #[test]
    fn parts_replace_parts_and_nothing_else() {
        for way in [replace, |from: &Path, to: &Path, parts: bool| {
            refuse(to, parts)?;
            replace_in_steps(from, to, parts)
        }] {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("x.partial-1"), dir.path().join("x"));
            folder(&from, &["part-00007.parquet", "_SUCCESS"]);
            folder(&to, &["part-00000.parquet", "_SUCCESS", "notes.txt"]);
            let why = way(&from, &to, true).unwrap_err().to_string();
            assert!(why.contains("`notes.txt`"), "{why}");
            assert_eq!(names(&to), ["_SUCCESS", "notes.txt", "part-00000.parquet"]);
            assert_eq!(names(dir.path()), ["x", "x.partial-1"]);
            fs::remove_file(to.join("notes.txt")).unwrap();
            way(&from, &to, true).unwrap();
            assert_eq!(names(&to), ["_SUCCESS", "part-00007.parquet"]);
            assert_eq!(names(dir.path()), ["x"]);
        }
    }

    #[test]
    fn what_is_not_to_go_gets_its_name_back() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("x.partial-1"), dir.path().join("x"));
        fs::write(&from, "new").unwrap();
        // As if it had come between the look and the exchange.
        std::os::unix::fs::symlink("elsewhere", &to).unwrap();
        assert!(exchange(&from, &to).unwrap());
        assert!(refuse(&from, false).is_err());
        exchange(&from, &to).unwrap();
        assert_eq!((to.is_symlink(), fs::read(&from).unwrap()), (true, b"new".to_vec()));
        assert!(replace(&from, &to, false).is_err() && to.is_symlink());
        fs::remove_file(&to).unwrap();
        assert!(exchange(&from, &to).unwrap());
        assert_eq!(names(dir.path()), ["x"]);
    }
}
