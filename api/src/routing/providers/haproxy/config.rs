//! The one configuration HAProxy ever gets. No instance is in it: hosts come from the map, so it is never reloaded.
//!
//! All names in it are relative, and HAProxy starts in the gateway's directory: however deep that is, the socket's path
//! is short.

use std::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

use sha2::{Digest, Sha256};

/// The runtime socket.
pub(super) const SOCKET: &str = "runtime";
/// Where this machine's own questions to targets come in.
pub(super) const QUESTIONS: &str = "questions";
/// In a question: the target, as in the map. Not sent on.
pub(super) const TARGET_HEADER: &str = "X-Ocim-Target";
/// In an answer that a target gave; what HAProxy itself answers has none.
pub(super) const ANSWERED_HEADER: &str = "x-ocim-answered-by";
/// Host to target.
pub(super) const MAP: &str = "routes.map";
/// The configuration's file.
pub(super) const FILE: &str = "haproxy.cfg";
/// The stick table that counts requests a target.
pub(super) const TABLE: &str = "targets";

const TEMPLATE: &str = include_str!("haproxy.cfg");
const UNKNOWN: &str = include_str!("pages/unknown.html");
const INACTIVE: &str = include_str!("pages/inactive.html");
const UNREACHABLE: &str = include_str!("pages/unreachable.html");

/// The configuration and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    files: Vec<(&'static str, String)>,
    /// In `show info` of a HAProxy that runs with exactly this configuration.
    pub(super) description: String,
}

impl Config {
    /// For this address; the ids are whom HAProxy becomes once it listens.
    pub(super) fn new(listen: SocketAddr, run_as: Option<(u32, u32)>) -> Self {
        let run_as = run_as.map(|(uid, gid)| format!("uid {uid}\n    gid {gid}")).unwrap_or_default();
        let text = TEMPLATE
            .replace("{listen}", &listen.to_string())
            .replace("{run_as}", &run_as)
            .replace("{socket}", SOCKET)
            .replace("{questions}", QUESTIONS)
            .replace("{target_header}", TARGET_HEADER)
            .replace("{answered_header}", ANSWERED_HEADER)
            .replace("{map}", MAP)
            .replace("{table}", TABLE);
        let mut files = vec![
            ("unknown.html", UNKNOWN.to_owned()),
            ("inactive.html", INACTIVE.to_owned()),
            ("502.http", whole_answer("502 Bad Gateway")),
            ("503.http", whole_answer("503 Service Unavailable")),
            ("504.http", whole_answer("504 Gateway Timeout")),
        ];
        let mut hash = Sha256::new();
        for (name, content) in files.iter().map(|(name, content)| (*name, content)).chain([(FILE, &text)]) {
            hash.update(name);
            hash.update(content);
        }
        let digest: String = hex::encode(hash.finalize()).chars().take(16).collect();
        let description = format!("ocim-gateway-{digest}");
        files.push((FILE, text.replace("{description}", &description)));
        Self { files, description }
    }

    /// Writes all files but the map, which is made only where it is missing.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        for (name, content) in &self.files {
            fs::write(directory.join(name), content)?;
        }
        fs::OpenOptions::new().create(true).append(true).open(directory.join(MAP)).map(|_| ())
    }
}

/// An error file of HAProxy is the whole answer, byte by byte.
fn whole_answer(status: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncache-control: no-store\r\nretry-after: 5\r\n\
         content-length: {}\r\n\r\n{UNREACHABLE}",
        UNREACHABLE.len()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_address_is_another_configuration() {
        let config = |listen: &str| Config::new(listen.parse().unwrap(), None);
        assert_eq!(config("127.0.0.1:8080"), config("127.0.0.1:8080"));
        assert_ne!(config("127.0.0.1:8080").description, config("127.0.0.1:8081").description);
        let (_, text) = config("[::1]:8080").files.pop().unwrap();
        assert!(text.contains("bind [::1]:8080"), "{text}");
        let own = ["{questions}", "{target_header}", "{answered_header}"];
        for word in ["{description}", "{run_as}", "{socket}", "{listen}", "{map}", "{table}"].iter().chain(&own) {
            assert!(TEMPLATE.contains(*word) && !text.contains(*word), "{word}");
        }
    }
}
