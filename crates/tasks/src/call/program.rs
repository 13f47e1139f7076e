//! Where a program is.
use rustix::fs::{Access, access};
use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// Finds a program as a shell does: by `PATH`, or, if a `/` is in its name, in its folder. The path
/// is absolute.
///
/// # Errors
/// If there is none, or it cannot be executed: a sentence.
pub fn find(name: &str, folder: Option<&Path>) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = folder.unwrap_or(Path::new("")).join(name);
        let path = std::path::absolute(path).map_err(|e| format!("`{name}`: {e}"))?;
        return look(&path).map(|()| path).map_err(|why| format!("the program `{name}` {why}"));
    }
    let mut refused = None;
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        let Ok(path) = std::path::absolute(folder.join(name)) else { continue };
        match look(&path) {
            Ok(()) => return Ok(path),
            Err(why) if why != GONE => {
                refused = refused.or(Some(format!("`{}` {why}", path.display())))
            }
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| {
        format!("there is no program `{name}` in the folders of PATH: install it, or give its path")
    }))
}

const GONE: &str = "does not exist";

fn look(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(m) if m.is_dir() => Err("is a folder".to_owned()),
        Ok(_) if access(path, Access::EXEC_OK).is_err() => {
            Err("may not be executed: `chmod +x` would allow it".to_owned())
        }
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(GONE.to_owned()),
        Err(e) => Err(format!("cannot be looked at: {e}")),
    }
}
