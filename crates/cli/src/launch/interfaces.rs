//! The addresses of this host, for others that do not know its name.
use std::fs::read_to_string;
use std::net::Ipv4Addr;

/// Those of all its interfaces but the loopback, as the kernel lists them.
pub fn addresses() -> Vec<Ipv4Addr> {
    local(&read_to_string("/proc/net/fib_trie").unwrap_or_default())
}

/// The local addresses in the kernel's table of routes, each once: a line `|-- ADDRESS` with a line
/// `/32 host LOCAL` behind it.
fn local(table: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL"
            && let Some(address) = last.filter(|a| !a.is_loopback() && !found.contains(a))
        {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::local;

    #[test]
    fn local_addresses_are_read_each_once() {
        let half = "  +-- 127.0.0.0/8 2 0 2\n     |-- 127.0.0.1\n        /32 host LOCAL\n  \
                    +-- 192.0.2.0/24 2 0 2\n     |-- 192.0.2.0\n        /24 link UNICAST\n     \
                    |-- 192.0.2.2\n        /32 host LOCAL\n     |-- 192.0.2.255\n        \
                    /32 link BROADCAST\n";
        let table = format!("Main:\n{half}Local:\n{half}");
        assert_eq!(local(&table), ["192.0.2.2".parse::<std::net::Ipv4Addr>().unwrap()]);
        assert!(local("").is_empty());
    }
}
