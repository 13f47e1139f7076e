//! What the machine gives this job: cores and memory, as affinity, control groups and Slurm say.
mod address_space;
mod cgroup;

pub use address_space::{address_space, is_limited};

use cgroup::Cgroup;
use std::path::Path;

/// The cores that the job may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// How many, at least 1.
    pub count: usize,
    /// What says so: `affinity` or `cgroup`.
    pub by: &'static str,
}

/// The memory that the job may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// In bytes.
    pub bytes: u64,
    /// What says so, in words.
    pub by: &'static str,
}

/// The cores this process may use: those of its affinity, or fewer by its control group's quota.
pub fn cores() -> Cores {
    let affinity = affinity();
    match Cgroup::of_this_process(Path::new("/")).cpu_quota() {
        Some(quota) if (quota.ceil() as usize) < affinity => {
            Cores { count: (quota.ceil() as usize).max(1), by: "cgroup" }
        }
        _ => Cores { count: affinity, by: "affinity" },
    }
}

fn affinity() -> usize {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else { return 1 };
    let max = rustix::thread::CpuSet::MAX_CPU;
    (0..max).filter(|i| set.is_set(*i)).count().max(1)
}

/// The cores of this host that are switched on, whoever may use them.
pub fn all_cores() -> usize {
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    online.trim().split(',').filter_map(count).sum()
}

/// What so many processes on this host may use: the least of the control group's limit, what Slurm
/// gave the job, what is free, and their address spaces. `None` if nothing says anything.
pub fn memory(cores: usize, processes: usize) -> Option<MemoryLimit> {
    let limit = |bytes: Option<u64>, by| bytes.map(|bytes| MemoryLimit { bytes, by });
    let cgroup = Cgroup::of_this_process(Path::new("/")).memory_limit();
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|t| available(&t));
    let variable = |name: &str| std::env::var(name).ok();
    [
        limit(cgroup, "the control group's limit"),
        limit(slurm(&variable, cores), "what Slurm gave the job"),
        limit(free, "what is free"),
        address_space(processes),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|l| l.bytes)
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
}

/// What Slurm gave, in bytes: its variables count in megabytes; 0 stands for the whole node.
fn slurm(variable: &dyn Fn(&str) -> Option<String>, cores: usize) -> Option<u64> {
    let number = |name: &str| variable(name)?.parse::<u64>().ok().filter(|n| *n > 0);
    let megabytes = match number("SLURM_MEM_PER_NODE") {
        Some(node) => node,
        None => {
            let cpus = number("SLURM_CPUS_PER_TASK").unwrap_or(cores as u64);
            number("SLURM_MEM_PER_CPU")?.checked_mul(cpus)?
        }
    };
    megabytes.checked_mul(1 << 20)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_machine_has_cores_and_memory() {
        assert!(cores().count >= 1);
        assert!(memory(1, 1).unwrap().bytes > 1 << 20);
    }

    #[test]
    fn no_job_may_use_more_cores_than_there_are() {
        assert!(all_cores() >= affinity());
    }

    #[test]
    fn free_memory_is_read() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   4 kB\n"), Some(4096));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }

    #[test]
    fn slurm_says_how_much() {
        let with = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        assert_eq!(slurm(&with(&[("SLURM_MEM_PER_NODE", "10")]), 4), Some(10 << 20));
        assert_eq!(slurm(&with(&[("SLURM_MEM_PER_CPU", "10")]), 4), Some(40 << 20));
        let both = with(&[("SLURM_MEM_PER_CPU", "10"), ("SLURM_CPUS_PER_TASK", "2")]);
        assert_eq!(slurm(&both, 4), Some(20 << 20));
        assert_eq!(slurm(&with(&[("SLURM_MEM_PER_NODE", "0")]), 4), None);
        assert_eq!(slurm(&with(&[]), 4), None);
    }
}
