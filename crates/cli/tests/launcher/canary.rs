//! A tree of things of all kinds around a run, none of which it may touch.
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::collections::BTreeMap;
use std::fs::{self, Permissions, create_dir_all, hard_link, write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Who may make devices, and runs as anybody.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Fills a folder with a thing of each kind; their names.
pub fn plant(folder: &Path) -> Vec<&'static str> {
    let at = |name: &str| folder.join(name);
    create_dir_all(at("folder/deep/er")).unwrap();
    create_dir_all(at("empty_folder")).unwrap();
    create_dir_all(at("parts/year=2021")).unwrap();
    for name in ["file.csv", "folder/notes.txt", "folder/deep/er/x.nc", "parts/part-00000.parquet"]
    {
        write(at(name), format!("mine: {name}\n")).unwrap();
    }
    for name in ["parts/_SUCCESS", "parts/year=2021/part-00000.parquet", "read_only.csv"] {
        write(at(name), format!("mine: {name}\n")).unwrap();
    }
    fs::set_permissions(at("read_only.csv"), Permissions::from_mode(0o444)).unwrap();
    hard_link(at("file.csv"), at("hard.csv")).unwrap();
    symlink("file.csv", at("link.csv")).unwrap();
    symlink("folder", at("link_to_folder")).unwrap();
    symlink("parts", at("link_to_parts")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    let mut all = vec!["folder", "parts", "fifo", "socket", "link.csv"];
    all.extend(["link_to_folder", "link_to_parts", "dangling"]);
    // A copy of /dev/null, which not every container lets even root make.
    let mode = Mode::from_raw_mode(0o666);
    let device = mknodat(CWD, at("device"), FileType::CharacterDevice, mode, makedev(1, 3));
    all.extend(device.is_ok().then_some("device"));
    all
}

/// Everything below a folder, as it was.
pub struct Canary {
    root: PathBuf,
    /// Names below the root that may come, change and go, with all that is in them.
    free: Vec<PathBuf>,
    before: BTreeMap<PathBuf, String>,
}

impl Canary {
    /// What is there now, but for what lies under these names.
    pub fn of(root: &Path, free: &[&str]) -> Canary {
        let free: Vec<PathBuf> = free.iter().map(PathBuf::from).collect();
        let before = look(root, &free);
        Canary { root: root.to_owned(), free, before }
    }

    /// Fails if anything has come, gone or changed.
    pub fn assert_alive(&self, after: &str) {
        let now = look(&self.root, &self.free);
        let gone = self.before.iter().filter(|(path, _)| !now.contains_key(*path));
        let come = now.iter().filter(|(path, _)| !self.before.contains_key(*path));
        let changed = now
            .iter()
            .filter(|(path, what)| self.before.get(*path).is_some_and(|before| before != *what));
        let words = |word: &str, (path, what): (&PathBuf, &String)| {
            format!("{word}: {} {what}", path.display())
        };
        let all: Vec<String> = gone
            .map(|entry| words("gone", entry))
            .chain(come.map(|entry| words("come", entry)))
            .chain(changed.map(|entry| words("changed", entry)))
            .collect();
        assert!(all.is_empty(), "after `{after}`:\n{}", all.join("\n"));
    }
}

/// What tells each thing from any other: kind, owner, mode, number, and contents.
fn look(root: &Path, free: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if free.iter().any(|free| name.starts_with(free)) {
                continue;
            }
            let Ok(about) = path.symlink_metadata() else { continue };
            let kind = about.file_type();
            let (number, mode, owner) = (about.ino(), about.mode(), about.uid());
            let mut what = format!("{number} {mode:o} {owner}");
            if kind.is_file() {
                let text = fs::read(&path).unwrap_or_default();
                what += &format!(" {}.{} {text:?}", about.mtime(), about.mtime_nsec());
            } else if kind.is_symlink() {
                what += &format!(" -> {}", fs::read_link(&path).unwrap().display());
            } else if kind.is_char_device() || kind.is_block_device() {
                what += &format!(" device {:x}", about.rdev());
            } else if kind.is_dir() {
                folders.push(path);
            }
            all.insert(name, what);
        }
    }
    all
}

/// The guard itself notices.
#[test]
fn whatever_is_touched_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    plant(root);
    write(root.join("free.txt"), "").unwrap();
    let canary = Canary::of(root, &["free.txt", "out"]);
    write(root.join("free.txt"), "changed").unwrap();
    canary.assert_alive("nothing");
    let touches: [fn(&Path); 6] = [
        |root| write(root.join("folder/deep/er/x.nc"), "x").unwrap(),
        |root| fs::remove_file(root.join("parts/year=2021/part-00000.parquet")).unwrap(),
        |root| write(root.join("folder/new"), "").unwrap(),
        |root| {
            fs::remove_file(root.join("fifo")).unwrap();
            write(root.join("fifo"), "").unwrap();
        },
        |root| {
            fs::remove_file(root.join("dangling")).unwrap();
            symlink("elsewhere", root.join("dangling")).unwrap();
        },
        |root| fs::rename(root.join("empty_folder"), root.join("moved")).unwrap(),
    ];
    for touch in touches {
        let canary = Canary::of(root, &[]);
        touch(root);
        let noticed = std::panic::catch_unwind(|| canary.assert_alive("a touch"));
        assert!(noticed.is_err());
    }
}
