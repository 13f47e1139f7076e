//! `--hosts`: where the processes of a run listen.
use base::{Failure, FailureKind};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};

/// The port of a host's first process where none is said; its next ones count on.
const PORT: u16 = 2101;

/// The addresses, `host:port`, of a list with commas, or of a file with one in each line.
///
/// # Errors
/// If there is no such file, or an address is not one, or two are the same.
pub fn addresses(list: &str) -> Result<Vec<String>, Failure> {
    let is_file = std::path::Path::new(list).is_file();
    let text = match is_file {
        true => std::fs::read_to_string(list).map_err(|e| wrong(&format!("{list}: {e}")))?,
        false => list.replace(',', "\n"),
    };
    let mut next: BTreeMap<String, u16> = BTreeMap::new();
    let mut addresses: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let place = match is_file {
            true => format!("{list}:{}: ", number + 1),
            false => String::new(),
        };
        let address = complete(entry, &mut next)
            .ok_or_else(|| wrong(&format!("{place}`{entry}` is not HOST or HOST:PORT")))?;
        if addresses.contains(&address) {
            return Err(wrong(&format!("{place}two processes cannot both listen at {address}")));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

/// With a port, if it has none.
fn complete(entry: &str, next: &mut BTreeMap<String, u16>) -> Option<String> {
    if entry.contains(char::is_whitespace) || entry.contains('/') {
        return None;
    }
    // IPv6 addresses have colons of their own, and stand in brackets before a port.
    let bare = !entry.contains(':') || entry.ends_with(']');
    if bare {
        let port = next.entry(entry.to_owned()).or_insert(PORT);
        let address = format!("{entry}:{port}");
        *port = port.checked_add(1)?;
        return Some(address);
    }
    let (host, port) = entry.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|p| *p > 0)?;
    let fits = !host.is_empty() && (!host.contains(':') || host.starts_with('['));
    fits.then(|| format!("{host}:{port}"))
}

/// The host of an address.
pub fn name(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

/// Where to listen for those who dial this address: at an address that is given as a number, if it
/// is one of this host, at no other; port 0, any that is free, where none is known yet.
pub fn listening(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
    let number = match host {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host => host.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
    };
    // Behind a router that translates addresses others dial one that this host does not have.
    let ours = number.filter(|ip| TcpListener::bind((*ip, 0)).is_ok());
    match ours {
        Some(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
        Some(IpAddr::V4(ip)) => format!("{ip}:{port}"),
        None => format!("0.0.0.0:{port}"),
    }
}

fn wrong(message: &str) -> Failure {
    Failure::new(FailureKind::Pipeline, format!("--hosts: {message}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ports_are_added_where_they_lack() {
        let found = addresses("a, a,b:9000,[::1],10.0.0.1:7").unwrap();
        assert_eq!(found, ["a:2101", "a:2102", "b:9000", "[::1]:2101", "10.0.0.1:7"]);
        assert_eq!(name(&found[3]), "[::1]");
    }

    #[test]
    fn who_names_an_address_listens_there_alone() {
        assert_eq!(listening("127.0.0.1:7000"), "127.0.0.1:7000");
        assert_eq!(listening("localhost:7000"), "127.0.0.1:7000");
        assert_eq!(listening("a.example:7000"), "0.0.0.0:7000");
        // Of a network for documents: no host's (RFC 5737).
        assert_eq!(listening("203.0.113.7:7000"), "0.0.0.0:7000");
        assert_eq!(listening(""), "0.0.0.0:0");
    }

    #[test]
    fn a_file_has_a_line_for_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts");
        std::fs::write(&path, "# ours\na:1\n\nb   # the big one\n").unwrap();
        assert_eq!(addresses(path.to_str().unwrap()).unwrap(), ["a:1", "b:2101"]);
        std::fs::write(&path, "a:1\na b\n").unwrap();
        let failure = addresses(path.to_str().unwrap()).unwrap_err();
        assert!(failure.message.contains("hosts:2: `a b` is not"), "{failure}");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for list in ["a:0", "a:99999", ":1", "::1", "a:b", "a/b"] {
            assert!(addresses(list).is_err(), "{list}");
        }
        assert!(addresses("a:1,a:1").unwrap_err().message.contains("cannot both"));
    }
}
