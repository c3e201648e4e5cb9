//! The table of hosts: HAProxy's map, in memory and as the file that a restart reads. One line a host:
//! `demo.localhost 10.0.0.2|80`, or `demo.localhost none`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::routing::traffic::{Route, TrafficError};

/// More hosts than any one gateway will see; it bounds what the runtime socket may answer.
pub(super) const MOST_HOSTS: usize = 20_000;
/// What a host without a target leads to.
pub(super) const NO_TARGET: &str = "none";

/// Host to value, both in HAProxy's words and checked: neither can hold a space, a line end or a semicolon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table(pub(super) BTreeMap<String, String>);

impl Table {
    /// The file's table; empty where there is no file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self(text.lines().filter_map(entry).collect())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file: on disk and whole, or as it was.
    pub(super) fn write(&self, directory: &Path, name: &str) -> io::Result<()> {
        let text: String = self.0.iter().map(|(host, value)| format!("{host} {value}\n")).collect();
        let aside = directory.join(format!("{name}.new"));
        let mut file = File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, directory.join(name))?;
        File::open(directory)?.sync_all()
    }

    /// Sets routes and leaves the others.
    pub(super) fn set(&mut self, routes: &[Route]) -> Result<(), TrafficError> {
        for Route { hostname, target } in routes {
            check_host(hostname)?;
            let value = target.map(target_word).transpose()?;
            self.0.insert(hostname.clone(), value.unwrap_or_else(|| NO_TARGET.to_owned()));
        }
        if self.0.len() > MOST_HOSTS {
            return Err(TrafficError(format!("the gateway takes at most {MOST_HOSTS} host names")));
        }
        Ok(())
    }
}

fn entry(line: &str) -> Option<(String, String)> {
    let (host, value) = line.split_once(' ')?;
    Some((host.to_owned(), value.trim().to_owned()))
}

/// A target as it stands in the map. The bar parts address and port, since an IPv6 address is full of colons.
pub(super) fn target_word(target: SocketAddr) -> Result<String, TrafficError> {
    let ip: IpAddr = target.ip().to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || target.port() == 0 {
        return Err(TrafficError(format!("{target} is not an address that visitors can be sent to")));
    }
    Ok(format!("{ip}|{}", target.port()))
}

/// Whether a name can be in the map, and in a request's head.
pub(in crate::routing::providers) fn check_host(host: &str) -> Result<(), TrafficError> {
    let is_fine = (1..=253).contains(&host.len())
        && host.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
    if is_fine {
        return Ok(());
    }
    Err(TrafficError(format!(
        "«{}» is not a host name: it may have lower-case letters, digits, hyphens and dots, at most 253 in all",
        host.chars().take(80).flat_map(char::escape_default).collect::<String>()
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn route(host: &str, target: Option<&str>) -> Route {
        Route { hostname: host.to_owned(), target: target.map(|target| target.parse().unwrap()) }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut table = Table::default();
        let routes =
            [route("a.localhost", Some("10.0.0.2:80")), route("b.localhost", None), route("c", Some("[fd00::2]:8080"))];
        table.set(&routes).unwrap();
        table.write(directory.path(), "routes.map").unwrap();
        let text = fs::read_to_string(directory.path().join("routes.map")).unwrap();
        assert_eq!(text, "a.localhost 10.0.0.2|80\nb.localhost none\nc fd00::2|8080\n");
        assert_eq!(Table::read(&directory.path().join("routes.map")).unwrap(), table);
        assert_eq!(Table::read(&directory.path().join("missing")).unwrap(), Table::default());
    }

    #[test]
    fn refuses_what_is_no_host_or_no_target() {
        let long = "a".repeat(254);
        for host in ["", "A.localhost", "a b", "a;show info", "a\nb", ".a", "a.", "-a", "a..b", "a:80", "ä", &long] {
            assert!(Table::default().set(&[route(host, None)]).is_err(), "{host:?}");
        }
        for target in ["0.0.0.0:80", "10.0.0.1:0", "224.0.0.1:80"] {
            assert!(Table::default().set(&[route("a", Some(target))]).is_err(), "{target}");
        }
    }
}
