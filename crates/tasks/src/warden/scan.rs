//! Processes that were called, found by their environment.
use super::VARIABLE;
use rustix::process::Pid;

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
