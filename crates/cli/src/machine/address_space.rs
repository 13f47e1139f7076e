//! The limit of a process's address space, which `ulimit -v` and some batch systems set.
use super::MemoryLimit;
use rustix::process::{Resource, getrlimit};

/// Of what is left of the address space so much is for data: the rest goes to stacks, mapped
/// inputs, and gaps between pieces.
const DATA: (u64, u64) = (3, 4);

/// Whether there is a limit.
pub fn is_limited() -> bool {
    getrlimit(Resource::As).current.is_some()
}

/// What so many processes may use together that have as much as this one; `None` without a limit.
pub fn address_space(processes: usize) -> Option<MemoryLimit> {
    let limit = getrlimit(Resource::As).current?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let left = limit.saturating_sub(mapped(&status).unwrap_or(0)) / DATA.1 * DATA.0;
    let bytes = left.saturating_mul(processes.max(1) as u64);
    Some(MemoryLimit { bytes, by: "the limit of the address space, ulimit -v" })
}

/// `VmSize` of `/proc/self/status`, in bytes.
fn mapped(status: &str) -> Option<u64> {
    let line = status.lines().find(|l| l.starts_with("VmSize:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::mapped;

    #[test]
    fn what_is_mapped_is_read() {
        assert_eq!(mapped("VmPeak:\t 9 kB\nVmSize:\t    4 kB\n"), Some(4096));
        assert_eq!(mapped("VmPeak: 9 kB\n"), None);
    }
}
