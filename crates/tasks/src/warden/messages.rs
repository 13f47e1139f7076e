//! What the warden is told: a letter, a text, and a byte 0.
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What the warden has to see to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Charges {
    pub(super) identity: String,
    /// Numbers of process groups.
    pub(super) groups: BTreeSet<i32>,
    pub(super) staged: BTreeSet<PathBuf>,
}

/// A change of it.
pub(super) enum Message<'a> {
    Identity(&'a str),
    Begun(i32),
    Ended(i32),
    Staged(&'a Path),
    Unstaged(&'a Path),
}

impl Message<'_> {
    /// Adds it to what is to be sent.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Message::Identity(identity) => {
                to.push(b'i');
                to.extend_from_slice(identity.as_bytes());
            }
            Message::Begun(group) => to.extend_from_slice(format!("b{group}").as_bytes()),
            Message::Ended(group) => to.extend_from_slice(format!("e{group}").as_bytes()),
            Message::Staged(path) => {
                to.push(b's');
                to.extend_from_slice(path.as_os_str().as_bytes());
            }
            Message::Unstaged(path) => {
                to.push(b'u');
                to.extend_from_slice(path.as_os_str().as_bytes());
            }
        }
        to.push(0);
    }
}

impl Charges {
    /// All of it, for a warden that knows nothing.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        Message::Identity(&self.identity).write(to);
        self.groups.iter().for_each(|group| Message::Begun(*group).write(to));
        self.staged.iter().for_each(|path| Message::Staged(path).write(to));
    }

    /// Takes the messages that are whole.
    pub(super) fn read(&mut self, bytes: &mut Vec<u8>) {
        let Some(end) = bytes.iter().rposition(|byte| *byte == 0) else { return };
        for message in bytes.drain(..=end).collect::<Vec<_>>().split(|byte| *byte == 0) {
            let Some((letter, text)) = message.split_first() else { continue };
            let word = String::from_utf8_lossy(text);
            let path = || PathBuf::from(OsString::from_vec(text.to_vec()));
            // Groups 0 and 1 are never those of a program: signals to them would go to us, or to all.
            let group = word.parse().ok().filter(|group| *group > 1);
            match (letter, group) {
                (b'i', _) => self.identity = word.into_owned(),
                (b'b', Some(group)) => drop(self.groups.insert(group)),
                (b'e', Some(group)) => drop(self.groups.remove(&group)),
                (b's', _) => drop(self.staged.insert(path())),
                (b'u', _) => drop(self.staged.remove(&path())),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written_however_they_are_cut() {
        let mut sent = Vec::new();
        Message::Identity("abc").write(&mut sent);
        for group in [7, 8, 9] {
            Message::Begun(group).write(&mut sent);
        }
        Message::Staged(Path::new("/a b\n/c")).write(&mut sent);
        Message::Staged(Path::new("/d")).write(&mut sent);
        Message::Unstaged(Path::new("/d")).write(&mut sent);
        Message::Ended(8).write(&mut sent);
        Message::Begun(0).write(&mut sent);
        let (mut charges, mut come) = (Charges::default(), Vec::new());
        for byte in sent {
            come.push(byte);
            charges.read(&mut come);
        }
        assert_eq!(charges.groups, [7, 9].into());
        assert_eq!(charges.staged, [PathBuf::from("/a b\n/c")].into());
        let mut again = Vec::new();
        charges.write(&mut again);
        let mut copy = Charges::default();
        copy.read(&mut again);
        assert_eq!((copy, again.len()), (charges, 0));
    }
}
