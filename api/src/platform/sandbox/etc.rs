//! What a run sees as `/etc`: public parts of the host's, and generated files.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use crate::platform::addresses::name_server;

/// The user in the sandbox; its number on the host is another one.
pub(super) const USER: &str = "ocim";
/// The number of that user in the sandbox.
pub(super) const UID: &str = "1000";
/// Its home, unless the program is given another.
pub(super) const HOME: &str = "/home/ocim";

/// Stands for a name server on the host's loopback interface, which a run cannot reach: pasta forwards its questions.
pub(super) const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 0, 53));

/// Parts of the host's `/etc` that hold no secret and that programs need, if they exist.
pub(super) const SHOWN: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "gai.conf",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "pki",
    "protocols",
    "services",
    "ssh/ssh_known_hosts",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
];

/// `/etc/gitconfig`: that of the host, and repositories of another user, which all are here.
pub(super) const GITCONFIG: &str = "[safe]\n\tdirectory = *\n[include]\n\tpath = /etc/gitconfig.host\n";

/// `/etc/passwd`: without a line for its user, ssh does not start.
pub(super) fn passwd() -> String {
    format!(
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n{USER}:x:{UID}:{UID}:{USER}:{HOME}:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
}

/// `/etc/group`.
pub(super) fn group() -> String {
    format!("root:x:0:\n{USER}:x:{UID}:\nnogroup:x:65534:\n")
}

/// The host's name servers, and `/etc/resolv.conf` with those that a run can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Resolvers {
    /// Those that runs ask; [`RESOLVER`] for one on the loopback interface.
    pub(super) servers: Vec<IpAddr>,
    pub(super) file: String,
}

impl Resolvers {
    pub(super) fn of_host() -> Self {
        Self::parse(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let Some(address) = name_server(line) {
                let address = if address.is_loopback() { RESOLVER } else { address };
                if !found.servers.contains(&address) {
                    found.servers.push(address);
                    found.file.push_str(&format!("nameserver {address}\n"));
                }
            } else if let (Some("search" | "domain" | "options"), Some(_)) = (words.next(), words.next()) {
                found.file.push_str(&format!("{line}\n"));
            }
        }
        found
    }

    /// Whether the host's own name server is on its loopback interface.
    pub(super) fn needs_forwarding(&self) -> bool {
        self.servers.contains(&RESOLVER)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_server_on_the_loopback_interface_is_asked_through_pasta() {
        let text = "# x\nnameserver 127.0.0.53\nnameserver ::1\noptions edns0\nsearch example.org\nsortlist 10.0.0.0\n";
        let found = Resolvers::parse(text);
        assert!(found.needs_forwarding());
        assert_eq!(found.file, "nameserver 169.254.0.53\noptions edns0\nsearch example.org\n");
        let found = Resolvers::parse("nameserver 10.255.255.53\nnameserver fe80::1%eth0\n");
        assert!(!found.needs_forwarding());
        assert_eq!(found.servers, ["10.255.255.53".parse::<IpAddr>().unwrap(), "fe80::1".parse().unwrap()]);
    }
}
