//! Processes that were called, found by their environment.
use super::VARIABLE;
use rustix::process::Pid;
use std::collections::BTreeSet;

/// All processes whose environment has the variable with this value, as far as they may be looked at.
#[cfg(target_os = "linux")]
pub(super) fn marked(identity: &str) -> Vec<Pid> {
    let mark = format!("{VARIABLE}={identity}");
    let is_marked = |pid: &Pid| {
        let environ = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
        environ.is_ok_and(|e| e.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()))
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    match identity.is_empty() {
        true => Vec::new(),
        false => numbers.filter_map(Pid::from_raw).filter(is_marked).collect(),
    }
}

/// Only Linux shows environments.
#[cfg(not(target_os = "linux"))]
pub(super) fn marked(_: &str) -> Vec<Pid> {
    let _ = VARIABLE;
    Vec::new()
}

/// The process groups that have a process which is not dead; `None` if the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn living() -> Option<BTreeSet<i32>> {
    let entries = std::fs::read_dir("/proc").ok()?.flatten();
    let stat = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    Some(stat.filter_map(|stat| group(&stat)).collect())
}

/// Only Linux shows groups.
#[cfg(not(target_os = "linux"))]
pub(super) fn living() -> Option<BTreeSet<i32>> {
    None
}

/// The group of a process that is not dead, by its `stat` (proc_pid_stat(5)): the state stands behind
/// the name, which may have any characters and is in brackets, then the parent, then the group.
#[cfg(target_os = "linux")]
fn group(stat: &str) -> Option<i32> {
    let mut words = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let living = !matches!(words.next()?, "Z" | "X");
    words.nth(1)?.parse().ok().filter(|_| living)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_a_process_that_lives_is_told() {
        assert_eq!(group("12 (a b) c) S 1 345 12 0 -1"), Some(345));
        assert_eq!(group("12 (sleep) Z 1 345 12 0 -1"), None);
        assert_eq!(group("12 (sleep"), None);
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        assert!(living().is_some_and(|groups| groups.contains(&own)));
    }
}
