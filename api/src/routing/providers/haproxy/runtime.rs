//! HAProxy's runtime socket: one command a connection, each answer bounded in size and time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::config::{MAP, SOCKET, TABLE};
use super::table::{MOST_HOSTS, Table, target_word};
use crate::routing::traffic::TrafficError;

const AT_MOST: Duration = Duration::from_secs(5);
/// A line of `show map` has a pointer, a host and a value.
const LONGEST_ANSWER: u64 = MOST_HOSTS as u64 * 400;

/// The socket in the gateway's directory.
#[derive(Debug, Clone)]
pub(super) struct Runtime {
    directory: PathBuf,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) pid: u32,
    pub(super) description: String,
}

impl Runtime {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Who answers at the socket; none when nobody does.
    pub(super) async fn info(&self) -> Option<Info> {
        let answer = self.ask("show info").await.ok()?;
        let field = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let description = field("description:").unwrap_or_default().to_owned();
        Some(Info { pid: field("Pid:")?.parse().ok()?, description })
    }

    /// Makes the running table this one, and proves that it is.
    pub(super) async fn become_table(&self, wanted: &Table) -> Result<(), TrafficError> {
        let current = self.entries().await?;
        for command in commands(&current, wanted) {
            let answer = self.ask(&command).await?;
            if !answer.trim().is_empty() {
                return Err(TrafficError(format!("the gateway refused «{command}»: {}", answer.trim())));
            }
        }
        let mut now = self.entries().await?;
        now.sort();
        let is_so = now.len() == wanted.0.len() && now.iter().map(|(host, value)| (host, value)).eq(&wanted.0);
        is_so.then_some(()).ok_or_else(|| {
            TrafficError(
                "the gateway's table is not what it was told: somebody else changes it too; try again".to_owned(),
            )
        })
    }

    /// The requests under way at a target.
    pub(super) async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        let answer = self.ask(&format!("show table {TABLE} key {}", target_word(target)?)).await?;
        // A target that nobody has asked for is no entry, and that is an empty answer.
        if answer.trim().is_empty() {
            return Ok(0);
        }
        let count = answer.trim().rsplit_once(" conn_cur=").and_then(|(_, count)| count.parse().ok());
        count.ok_or_else(|| TrafficError(format!("the gateway cannot count its requests: {}", answer.trim())))
    }

    async fn entries(&self) -> Result<Vec<(String, String)>, TrafficError> {
        let answer = self.ask(&format!("show map {MAP}")).await?;
        answer
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let mut words = line.split_ascii_whitespace().skip(1);
                let entry = words.next().zip(words.next());
                entry
                    .map(|(host, value)| (host.to_owned(), value.to_owned()))
                    .ok_or_else(|| TrafficError(format!("the gateway has no table: {line}")))
            })
            .collect()
    }

    async fn ask(&self, command: &str) -> Result<String, TrafficError> {
        let exchange = async {
            let mut stream = connect(&self.directory, SOCKET).await?;
            stream.write_all(format!("{command}\n").as_bytes()).await?;
            let mut answer = String::new();
            if stream.take(LONGEST_ANSWER).read_to_string(&mut answer).await? as u64 == LONGEST_ANSWER {
                return Err(io::Error::other("its answer is longer than any table"));
            }
            Ok::<_, io::Error>(answer)
        };
        let away = |reason: String| {
            TrafficError(format!(
                "the gateway does not answer ({reason}); `ocim server` starts it again, then try again"
            ))
        };
        match tokio::time::timeout(AT_MOST, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(away(error.to_string())),
            Err(_) => Err(away(format!("no answer within {} s", AT_MOST.as_secs()))),
        }
    }
}

/// Connects to a socket in the gateway's directory.
pub(super) async fn connect(directory: &Path, socket: &str) -> io::Result<UnixStream> {
    // A socket's path may have 107 bytes, the data directory more: go in by the open directory.
    let directory = File::open(directory)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{socket}", directory.as_raw_fd())).await
}

/// What turns one table into the other. A switch is one `set`, which HAProxy does at once.
fn commands(current: &[(String, String)], wanted: &Table) -> Vec<String> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, value) in current {
        values.entry(host).or_default().push(value);
    }
    let mut commands = Vec::new();
    for (host, value) in &wanted.0 {
        match values.remove(host.as_str()).as_deref() {
            Some([one]) if one == value => {}
            Some([_, ..]) => commands.push(format!("set map {MAP} {host} {value}")),
            Some([]) | None => commands.push(format!("add map {MAP} {host} {value}")),
        }
    }
    commands.extend(values.into_keys().map(|host| format!("del map {MAP} {host}")));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_only_what_differs() {
        let pair = |host: &str, value: &str| (host.to_owned(), value.to_owned());
        let current = [pair("gone", "1|1"), pair("moved", "1|1"), pair("same", "1|1")];
        let wanted = Table([pair("moved", "2|2"), pair("new", "none"), pair("same", "1|1")].into_iter().collect());
        assert_eq!(
            commands(&current, &wanted),
            ["set map routes.map moved 2|2", "add map routes.map new none", "del map routes.map gone"]
        );
    }
}
