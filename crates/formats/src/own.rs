//! Files and folders that only their owner is trusted with, such as a ledger's and what is staged:
//! never opened through a link, and only if they belong to the user of this process.
use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Rights of a new file: nobody else may write, whatever the umask says.
const FILE: Mode = Mode::from_raw_mode(0o644);

/// The flags that keep links and devices from being followed or waited for.
fn guarded(flags: OFlags) -> OFlags {
    flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK
}

/// Opens a file as `options` say.
///
/// # Errors
/// If it is a link, no regular file, or belongs to another user.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = guarded(OFlags::empty()).bits() as i32;
    let opened = options.custom_flags(flags).open(path).map_err(|e| linked(path, e));
    regular(opened?, path.parent().unwrap_or(Path::new(".")))
}

/// Opens a folder that is there.
///
/// # Errors
/// If it is a link, no folder, or belongs to another user.
pub fn folder(path: &Path) -> io::Result<File> {
    checked(any_folder(path)?, path)
}

/// A folder of this name that is open, if it is one's own.
///
/// # Errors
/// If it belongs to another user.
pub fn checked(folder: File, path: &Path) -> io::Result<File> {
    let metadata = folder.metadata()?;
    match is_own(&metadata, path.parent())? {
        true => Ok(folder),
        false => Err(foreign(metadata.uid())),
    }
}

/// Opens a folder that is there, whoever owns it.
///
/// # Errors
/// If it is a link or no folder.
pub fn any_folder(path: &Path) -> io::Result<File> {
    let flags = guarded(OFlags::DIRECTORY).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.map_err(|e| linked(path, e))
}

/// Opens a file in a folder that is open.
///
/// # Errors
/// As [`open`].
pub fn file_in(folder: &File, name: &Path, flags: OFlags) -> io::Result<File> {
    let opened = openat(folder, name, guarded(flags), FILE);
    let file = File::from(opened.map_err(|e| match e {
        Errno::LOOP => link(),
        e => e.into(),
    })?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    match metadata.uid() == geteuid().as_raw() || metadata.uid() == here(folder)? {
        true => Ok(file),
        false => Err(foreign(metadata.uid())),
    }
}

/// Whether what is under a name, if anything is, may be replaced or removed: it belongs to the user
/// of this process. A link counts as itself.
///
/// # Errors
/// If it belongs to another user, or cannot be looked at.
pub fn check_owner(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(metadata) if is_own(&metadata, path.parent())? => Ok(()),
        Ok(metadata) => Err(foreign(metadata.uid())),
    }
}

fn regular(file: File, folder: &Path) -> io::Result<File> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    match is_own(&metadata, Some(folder))? {
        true => Ok(file),
        false => Err(foreign(metadata.uid())),
    }
}

/// Whether something in a folder belongs to the user of this process, as far as the file system
/// tells users apart.
fn is_own(metadata: &Metadata, folder: Option<&Path>) -> io::Result<bool> {
    if metadata.uid() == geteuid().as_raw() {
        return Ok(true);
    }
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(metadata.uid() == here(&File::open(folder)?)?)
}

/// To whom what this process makes in a folder belongs: some file systems (of other machines, of
/// other systems) give all files to one user.
fn here(folder: &File) -> io::Result<u32> {
    let me = geteuid().as_raw();
    let name = format!(".owner-{}", std::process::id());
    let flags = guarded(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL);
    // Where nothing can be made, nothing is known of it.
    let Ok(probe) = openat(folder, &*name, flags, FILE) else { return Ok(me) };
    let owner = fstat(&probe).map(|s| s.st_uid);
    unlinkat(folder, &*name, AtFlags::empty())?;
    Ok(owner?)
}

fn linked(path: &Path, error: io::Error) -> io::Error {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => link(),
        _ => error,
    }
}

fn link() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is a symbolic link, which is not followed here")
}

fn foreign(owner: u32) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, format!("it belongs to another user (uid {owner})"))
}

/// Whether an error of this module says that something belongs to another user.
pub fn is_foreign(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustix::fs::{Gid, Uid, chown};
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_others_files_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("mine"), "x").unwrap();
        symlink(at("mine"), at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink(at("folder"), at("away")).unwrap();
        let read = |name: &str| open(&at(name), OpenOptions::new().read(true));
        assert!(read("mine").is_ok());
        assert!(read("link").unwrap_err().to_string().contains("symbolic link"));
        assert!(read("folder").is_err());
        assert!(folder(&at("folder")).is_ok());
        assert!(folder(&at("away")).unwrap_err().to_string().contains("symbolic link"));
        let open = folder(dir.path()).unwrap();
        assert!(file_in(&open, Path::new("mine"), OFlags::RDONLY).is_ok());
        let linked = file_in(&open, Path::new("link"), OFlags::RDWR | OFlags::CREATE);
        assert!(linked.unwrap_err().to_string().contains("symbolic link"));
        assert!(check_owner(&at("nothing")).is_ok() && check_owner(&at("link")).is_ok());
        // Only root can give files away.
        if chown(at("mine"), Some(Uid::from_raw(65534)), None::<Gid>).is_ok() {
            let whose = |e: io::Error| is_foreign(&e) && e.to_string().contains("uid 65534");
            assert!(whose(read("mine").unwrap_err()));
            assert!(whose(check_owner(&at("mine")).unwrap_err()));
            assert!(whose(file_in(&open, Path::new("mine"), OFlags::RDONLY).unwrap_err()));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    }
}
