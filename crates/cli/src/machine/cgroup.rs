//! Control groups, version 1 and 2: the quotas of the groups that a process is in.
use std::fs;
use std::path::{Path, PathBuf};

/// The directories, innermost first, that may set limits for a process.
pub struct Cgroup {
    /// Of the only hierarchy of version 2.
    unified: Vec<PathBuf>,
    /// Of version 1's `cpu`.
    cpu: Vec<PathBuf>,
    /// Of version 1's `memory`.
    memory: Vec<PathBuf>,
}

impl Cgroup {
    /// The groups of this process; `root` is `/` except in tests.
    pub fn of_this_process(root: &Path) -> Cgroup {
        let text = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
        let mount = root.join("sys/fs/cgroup");
        let mut found = Cgroup { unified: Vec::new(), cpu: Vec::new(), memory: Vec::new() };
        for line in text.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            if controllers.is_empty() {
                found.unified = upwards(&mount, path);
            }
            for controller in controllers.split(',') {
                match controller {
                    "cpu" => found.cpu = upwards(&mount.join("cpu"), path),
                    "memory" => found.memory = upwards(&mount.join("memory"), path),
                    _ => {}
                }
            }
        }
        found
    }

    /// How many cores' worth of time the groups grant; `None` if they set no limit.
    pub fn cpu_quota(&self) -> Option<f64> {
        let new = self.unified.iter().filter_map(|d| {
            let text = fs::read_to_string(d.join("cpu.max")).ok()?;
            let (quota, period) = text.trim().split_once(' ')?;
            ratio(quota, period)
        });
        let old = self.cpu.iter().filter_map(|d| {
            let quota = fs::read_to_string(d.join("cpu.cfs_quota_us")).ok()?;
            ratio(&quota, &fs::read_to_string(d.join("cpu.cfs_period_us")).ok()?)
        });
        new.chain(old).min_by(f64::total_cmp)
    }

    /// How many bytes the groups grant; `None` if they set no limit.
    pub fn memory_limit(&self) -> Option<u64> {
        let limits = |dirs: &[PathBuf], file| -> Option<u64> {
            let read = |d: &PathBuf| fs::read_to_string(d.join(file)).ok()?.trim().parse().ok();
            dirs.iter().filter_map(read).min()
        };
        // Version 1 says "no limit" by a number near 2^63.
        [limits(&self.unified, "memory.max"), limits(&self.memory, "memory.limit_in_bytes")]
            .into_iter()
            .flatten()
            .filter(|n| *n < 1 << 60)
            .min()
    }
}

/// The group's directory and those around it. In a container the path may be that of the host:
/// then only the mount itself is there.
fn upwards(mount: &Path, path: &str) -> Vec<PathBuf> {
    let inner = mount.join(path.trim_start_matches('/'));
    inner.ancestors().take_while(|d| d.starts_with(mount)).map(Path::to_owned).collect()
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let quota: f64 = quota.trim().parse().ok()?;
    let period: f64 = period.trim().parse().ok()?;
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_2_takes_the_tightest_group() {
        let root = tree(&[
            ("proc/self/cgroup", "0::/slurm/job\n"),
            ("sys/fs/cgroup/slurm/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/slurm/job/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/slurm/memory.max", "max\n"),
            ("sys/fs/cgroup/slurm/job/memory.max", "1000000\n"),
        ]);
        let group = Cgroup::of_this_process(root.path());
        assert_eq!(group.cpu_quota(), Some(1.5));
        assert_eq!(group.memory_limit(), Some(1_000_000));
    }

    #[test]
    fn version_1_and_a_path_of_the_host() {
        let root = tree(&[
            ("proc/self/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        let group = Cgroup::of_this_process(root.path());
        assert_eq!(group.cpu_quota(), Some(2.0));
        assert_eq!(group.memory_limit(), None);
    }

    #[test]
    fn no_group_no_limit() {
        let root = tree(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "max 1\n")]);
        let group = Cgroup::of_this_process(root.path());
        assert_eq!((group.cpu_quota(), group.memory_limit()), (None, None));
    }
}
