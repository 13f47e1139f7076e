//! Files that a program makes: under another name in the same folder, until it has ended well.
use super::spec::{Place, Spec};
use super::start::Start;
use crate::mark;
use crate::rename::rename_new;
use crate::{Made, warden};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The longest name that a file may have: that of ext4, XFS, Lustre, NFS.
const LONGEST: usize = 255;

/// The outputs of a start. What has not got its name goes with this value.
pub(super) struct Staged {
    outputs: Vec<Output>,
    maker: Option<String>,
}

struct Output {
    /// As it stands in the words of the program.
    name: String,
    staged_name: String,
    path: PathBuf,
    staged: PathBuf,
    replace: bool,
}

impl Staged {
    /// Chooses names, makes folders, and puts the names into the words of the program.
    ///
    /// # Errors
    /// If an output is there that may not be replaced, or stands nowhere in the words: a sentence.
    pub(super) fn prepare(
        start: &mut Start,
        spec: &Spec,
        may_replace: impl Fn(&Path) -> bool,
    ) -> Result<Staged, String> {
        let mut staged = Staged { outputs: Vec::new(), maker: spec.maker.clone() };
        for name in std::mem::take(&mut start.outputs) {
            let output = Output::new(start, &spec.place, name.trim_end_matches('/'), &may_replace)?;
            if staged.outputs.iter().any(|other| other.path == output.path) {
                return Err(format!("two outputs of one start have the name `{}`", output.name));
            }
            staged.outputs.push(output);
        }
        // Longer ones first: one name may begin with another.
        staged.outputs.sort_by_key(|output| std::cmp::Reverse(output.name.len()));
        staged.outputs.iter().try_for_each(|output| output.tell(start))?;
        for output in &staged.outputs {
            warden::staged(&output.staged)
                .map_err(|e| format!("cannot begin the process that ends programs: {e}"))?;
        }
        Ok(staged)
    }

    /// Removes what a failed start has left, before the next.
    pub(super) fn clear(&self) {
        self.outputs.iter().for_each(|output| remove(&output.staged));
    }

    /// Gives all outputs their names.
    ///
    /// # Errors
    /// If one has not been made, or its name has been taken meanwhile: a sentence.
    pub(super) fn finish(&self, program: &str) -> Result<Vec<Made>, String> {
        for output in &self.outputs {
            if output.staged.symlink_metadata().is_err() {
                let name = &output.name;
                return Err(match output.path.symlink_metadata() {
                    Ok(_) if !output.replace => format!(
                        "`{program}` has written `{name}` under that name and not under the one that \
                         it was given until its end"
                    ),
                    _ => format!("`{program}` has ended well, but has not made `{name}`"),
                });
            }
        }
        self.outputs.iter().map(|output| output.name_it(self.maker.as_deref())).collect()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.clear();
        self.outputs.iter().for_each(|output| warden::unstaged(&output.staged));
    }
}

impl Output {
    /// Of a name that is not there yet, or that may be replaced.
    fn new(
        start: &Start,
        place: &Place,
        name: &str,
        may_replace: impl Fn(&Path) -> bool,
    ) -> Result<Output, String> {
        let path = absolute(&placed(start, place, name))?;
        let replace = may_go(&path, name, may_replace)?;
        let staged = absolute(&placed(start, place, &beside(name)))?;
        // Where names are meant as the program means them, it sees one of the same kind.
        let staged_name = match (*place == Place::Here, staged.file_name()) {
            (true, Some(file)) => match name.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{}", file.to_string_lossy()),
                None => file.to_string_lossy().into_owned(),
            },
            _ => staged.to_string_lossy().into_owned(),
        };
        let output = Output { name: name.to_owned(), staged_name, path, staged, replace };
        output.make_folder().map(|()| output)
    }

    fn make_folder(&self) -> Result<(), String> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .map_err(|e| format!("cannot make the folder `{}`: {e}", folder.display()))
    }

    /// Puts the staged name in the place of the name.
    fn tell(&self, start: &mut Start) -> Result<(), String> {
        let words = start.arguments.iter_mut().chain(start.env.iter_mut().map(|(_, value)| value));
        let mut told = false;
        for word in words.chain(&mut start.stdin) {
            told |= replace_name(word, &self.name, &self.staged_name);
        }
        match told {
            true => Ok(()),
            false => Err(format!(
                "the output `{}` stands in no argument, variable or input of `{}`, which so cannot be \
                 told the name that it has until the end",
                self.name, start.program
            )),
        }
    }

    fn name_it(&self, maker: Option<&str>) -> Result<Made, String> {
        if let Some(maker) = maker {
            mark::mark(&self.staged, maker);
        }
        let renamed = match self.replace {
            true => fs::rename(&self.staged, &self.path),
            false => rename_new(&self.staged, &self.path),
        };
        renamed.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.name),
            _ => format!("cannot give `{}` its name: {e}", self.name),
        })?;
        Made::at(&self.path).ok_or_else(|| format!("`{}` is gone again", self.name))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("`{}`: {e}", path.display()))
}

fn exists(name: &str) -> String {
    format!(
        "`{name}` exists already, and not as this pipeline has made it: `--overwrite` would replace it"
    )
}

/// Where an output of this name is.
fn placed(start: &Start, place: &Place, name: &str) -> PathBuf {
    let path = start.path(name);
    match place {
        Place::Here => path,
        Place::Of(folder) => folder.join(path),
        Place::Within(folder) => {
            let down = path.components().filter(|part| matches!(part, Component::Normal(_)));
            folder.join(down.collect::<PathBuf>())
        }
    }
}

/// Whether a file is there that is to be replaced.
fn may_go(path: &Path, name: &str, may_replace: impl Fn(&Path) -> bool) -> Result<bool, String> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(false) };
    match () {
        () if !may_replace(path) => Err(exists(name)),
        () if metadata.is_file() => Ok(true),
        () => Err(format!("`{name}` is there and is not a file, and only files are replaced")),
    }
}

/// `out/scan.tif` → `out/.scan.partial-1a2b3c4d.tif`: programs look at the ending.
fn beside(name: &str) -> String {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let bare = file.trim_start_matches('.');
    let (stem, ending) = match bare.split_once('.') {
        Some((stem, ending)) => (stem, format!(".{ending}")),
        None => (bare, String::new()),
    };
    // Two that begin at the same time never have the same: 32 bits, and the names differ too.
    let tag = format!(".partial-{:08x}", getrandom::u32().unwrap_or(std::process::id()));
    let mut room = LONGEST.saturating_sub(1 + tag.len() + ending.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    let slash = if name.contains('/') { "/" } else { "" };
    format!("{folder}{slash}.{}{tag}{ending}", &stem[..room])
}

/// Replaces a name wherever it stands for itself, and not as a part of a longer one.
fn replace_name(word: &mut String, name: &str, other: &str) -> bool {
    let mut out = String::with_capacity(word.len());
    let (mut rest, mut done, mut found) = (0, 0, false);
    while let Some(at) = word[rest..].find(name).map(|at| at + rest) {
        let end = at + name.len();
        if begins(&word[..at]) && ends(&word[end..]) {
            let before = &word[done..at];
            let whole = if other.starts_with('/') { before.strip_suffix("./") } else { None };
            out.push_str(whole.unwrap_or(before));
            out.push_str(other);
            (done, rest, found) = (end, end, true);
        } else {
            rest = at + name.chars().next().map_or(1, char::len_utf8);
        }
    }
    if found {
        out.push_str(&word[done..]);
        *word = out;
    }
    found
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether a name may begin behind this: nothing, `--out=`, `-o`, `./`.
fn begins(before: &str) -> bool {
    let before = match before.strip_suffix("./") {
        Some(shorter) => shorter,
        None if before.ends_with('/') => return false,
        None => before,
    };
    let mut back = before.chars().rev();
    match back.next() {
        None => true,
        Some(c) if !is_of_name(c) => c != '/',
        // An option of one letter.
        Some(c) => c.is_alphabetic() && back.next() == Some('-') && back.next().is_none(),
    }
}

/// Whether a name may end before this: nothing, `/part`, `:2`, `'`, the point of a sentence.
fn ends(behind: &str) -> bool {
    let mut ahead = behind.chars();
    match ahead.next() {
        Some('.') => !ahead.next().is_some_and(is_of_name),
        Some(c) => !is_of_name(c),
        None => true,
    }
}

/// A file, or a folder and all that the program has put there.
fn remove(path: &Path) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    drop(if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_name_keeps_folder_and_ending() {
        let mask = |name: &str| {
            let beside = beside(name);
            let at = beside.find("partial-").unwrap_or(0) + 8;
            format!("{}#{}", &beside[..at], &beside[at + 8..])
        };
        assert_eq!(mask("out/scan.tif"), "out/.scan.partial-#.tif");
        assert_eq!(mask("/a b/x.nii.gz"), "/a b/.x.partial-#.nii.gz");
        assert_eq!(mask("/run"), "/.run.partial-#");
        assert_eq!(mask(".hidden"), ".hidden.partial-#");
        let long = format!("{}.tif", "ü".repeat(125));
        assert!(beside(&long).len() <= LONGEST && beside(&long).ends_with(".tif"));
    }

    #[test]
    fn a_name_is_replaced_where_it_stands_for_itself() {
        let replaced = |word: &str| {
            let mut word = word.to_owned();
            replace_name(&mut word, "out/a.tif", "NEW");
            word
        };
        for (word, after) in [
            ("out/a.tif", "NEW"),
            ("--to=out/a.tif", "--to=NEW"),
            ("-oout/a.tif", "-oNEW"),
            ("./out/a.tif", "./NEW"),
            ("out/a.tif,out/a.tif", "NEW,NEW"),
            ("open('out/a.tif').", "open('NEW')."),
            ("Into out/a.tif.", "Into NEW."),
            ("out/a.tif/part", "NEW/part"),
            ("out/a.tiff", "out/a.tiff"),
            ("out/a.tif.gz", "out/a.tif.gz"),
            ("../out/a.tif", "../out/a.tif"),
            ("/out/a.tif", "/out/a.tif"),
            ("layout/a.tif", "layout/a.tif"),
        ] {
            assert_eq!(replaced(word), after);
        }
    }
}
