//! What is started, what it is given, what it gives.
use crate::work::{Key, KeyHasher};
use arrow_schema::SchemaRef;
use base::Field;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program that batches go through.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file that is executed.
    pub file: PathBuf,
    /// Its name and its arguments, as the user wrote them.
    pub words: Vec<String>,
    /// Its arguments, those that are names of files beside the pipeline with their folder.
    pub arguments: Vec<String>,
    /// The columns of what it is given.
    pub takes: SchemaRef,
    /// The columns of what it gives; `None`: whatever comes.
    pub gives: Option<Vec<Field>>,
    /// For so long it may neither read nor write while an answer is waited for.
    pub timeout: Option<Duration>,
    /// How often one batch is tried again in a new process.
    pub retries: u32,
}

impl Program {
    /// The command as the user wrote it.
    pub fn shown(&self) -> String {
        let word = |word: &String| match word.contains(char::is_whitespace) || word.is_empty() {
            true => format!("\"{word}\""),
            false => word.clone(),
        };
        self.words.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// What its answers depend on beside its batches: its file, its arguments, the files that these
    /// name, and the columns.
    pub fn key(&self) -> Key {
        let mut hash = KeyHasher::default();
        hash.part("stream");
        // The same interpreter elsewhere has other libraries.
        hash.part(self.file.as_os_str().as_encoded_bytes()).part(contents(&self.file));
        for argument in &self.arguments {
            hash.part(argument).part(contents(Path::new(argument)));
        }
        hash.part(format!("{:?}", self.takes.fields()));
        let gives = |field: &Field| format!("{}: {}", field.name, field.dtype);
        let gives = self.gives.as_ref().map(|all| all.iter().map(gives).collect::<Vec<_>>());
        hash.part(format!("{gives:?}"));
        hash.key()
    }
}

/// A hash of what is in a file; nothing for what is no file.
fn contents(path: &Path) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let (mut file, mut hash) = (File::open(path)?, KeyHasher::default());
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(hash.key().0.to_vec()),
                n => hash.part(&piece[..n]),
            };
        }
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_schema::Schema;
    use std::sync::Arc;

    fn program(script: &Path) -> Program {
        let script = script.to_str().unwrap().to_owned();
        Program {
            file: "/bin/sh".into(),
            words: vec!["sh".into(), script.clone(), "a b".into()],
            arguments: vec![script, "a b".into()],
            takes: Arc::new(Schema::empty()),
            gives: None,
            timeout: None,
            retries: 0,
        }
    }

    #[test]
    fn the_key_follows_the_script_and_the_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, "one").unwrap();
        let one = program(&script);
        let key = one.key();
        assert_eq!(key, one.key());
        let other = Program { arguments: vec!["x".into()], ..one.clone() };
        assert_ne!(key, other.key());
        std::fs::write(&script, "two").unwrap();
        assert_ne!(key, one.key());
    }

    #[test]
    fn a_command_is_shown_as_it_was_written() {
        assert!(program(Path::new("x.py")).shown().ends_with("sh x.py \"a b\""));
    }
}
