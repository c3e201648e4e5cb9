//! HAProxy's runtime socket: one line of commands per connection, each answer limited in size and time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::config::{SOCKET, TABLE};
use super::map_file::Entries;
use super::table::target_word;
use crate::routing::traffic::TrafficError;

const AT_MOST: Duration = Duration::from_secs(20);
/// In bytes; a table of a million hosts is shorter.
const LONGEST_ANSWER: u64 = 512 << 20;
/// In bytes: HAProxy reads one buffer, and handles no request while it works on the line.
const LONGEST_LINE: usize = 8000;

/// The most characters of a refusal that are told.
const LONGEST_REFUSAL: usize = 300;

/// Client of the runtime socket in the gateway's directory.
#[derive(Debug, Clone)]
pub(super) struct Runtime {
    directory: PathBuf,
}

/// The HAProxy process that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) pid: u32,
    pub(super) description: String,
}

impl Runtime {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The process that answers at the socket; none if no process does.
    pub(super) async fn info(&self) -> Option<Info> {
        let answer = self.ask("show info").await.ok()?;
        let field = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let description = field("description:").unwrap_or_default().to_owned();
        Some(Info { pid: field("Pid:")?.parse().ok()?, description })
    }

    /// Makes a running map equal to this table, and verifies it.
    pub(super) async fn become_table(&self, map: &str, wanted: &Entries) -> Result<(), TrafficError> {
        let commands = commands(map, &self.entries(map).await?, wanted);
        if commands.is_empty() {
            return Ok(());
        }
        self.tell(&commands).await?;
        let mut now = self.entries(map).await?;
        now.sort();
        let is_so = now.len() == wanted.len() && now.iter().map(|(key, value)| (key, value)).eq(wanted);
        is_so.then_some(()).ok_or_else(otherwise)
    }

    /// Whether the running configuration has this map. A HAProxy that was started by an older version may not.
    pub(super) async fn has_map(&self, map: &str) -> Result<bool, TrafficError> {
        let maps = self.ask("show map").await?;
        Ok(maps.lines().any(|line| line.contains(&format!("({map})"))))
    }

    /// Sets these entries of a running map, keeps all others, and verifies the result.
    pub(super) async fn set(&self, map: &str, wanted: &Entries) -> Result<(), TrafficError> {
        let commands = commands(map, &self.look_up(map, wanted.keys()).await?, wanted);
        if commands.is_empty() {
            return Ok(());
        }
        self.tell(&commands).await?;
        let now: BTreeMap<_, _> = self.look_up(map, wanted.keys()).await?.into_iter().collect();
        (now == *wanted).then_some(()).ok_or_else(otherwise)
    }

    /// Has HAProxy serve the certificate of this file, which it does not read: this is its content.
    pub(super) async fn serve(&self, list: &Path, file: &Path, pem: &SecretString) -> Result<(), TrafficError> {
        let served = self.try_to_serve(list, file, pem).await;
        if served.is_err() {
            self.forget(file).await?;
        }
        served
    }

    /// Ends a change that another process has left half-way: HAProxy allows one at a time.
    pub(super) async fn end_transaction(&self) -> Result<(), TrafficError> {
        let answer = self.ask("show ssl cert").await?;
        for file in answer.lines().filter_map(|line| line.strip_prefix('*')) {
            self.forget(Path::new(file.trim())).await?;
        }
        Ok(())
    }

    /// Has HAProxy know nothing of a file that is not in a list.
    async fn forget(&self, file: &Path) -> Result<(), TrafficError> {
        let file = file.display();
        self.ask(&format!("abort ssl cert {file}; del ssl cert {file}")).await.map(drop)
    }

    async fn try_to_serve(&self, list: &Path, file: &Path, pem: &SecretString) -> Result<(), TrafficError> {
        // Left by an attempt that was interrupted.
        self.forget(file).await?;
        let (list, file) = (list.display(), file.display());
        self.confirmed(&format!("new ssl cert {file}"), "New empty certificate store").await?;
        let pem = pem.expose_secret();
        self.confirmed(&format!("set ssl cert {file} <<\n{pem}\n"), "Transaction created").await?;
        self.confirmed(&format!("commit ssl cert {file}"), "Success!").await?;
        self.confirmed(&format!("add ssl crt-list {list} {file}"), "Success!").await
    }

    /// Has HAProxy serve the certificate of this file no more.
    pub(super) async fn withdraw(&self, list: &Path, file: &Path) -> Result<(), TrafficError> {
        if self.listed(list).await?.contains(&file.display().to_string()) {
            let (list, file) = (list.display(), file.display());
            self.confirmed(&format!("del ssl crt-list {list} {file}"), "deleted").await?;
            self.confirmed(&format!("del ssl cert {file}"), "deleted").await?;
        }
        Ok(())
    }

    /// The certificates' files in a running list.
    pub(super) async fn listed(&self, list: &Path) -> Result<BTreeSet<String>, TrafficError> {
        let answer = self.ask(&format!("show ssl crt-list {}", list.display())).await?;
        let lines = answer.lines().filter(|line| !line.starts_with('#'));
        Ok(lines.filter_map(|line| line.split_ascii_whitespace().next()).map(str::to_owned).collect())
    }

    /// Gives a command whose answer contains this.
    async fn confirmed(&self, command: &str, expected: &str) -> Result<(), TrafficError> {
        let answer = self.ask(command).await?;
        if answer.contains(expected) {
            return Ok(());
        }
        // The rest of a payload that is not wanted is answered with a list of all commands.
        let (words, _) = answer.split_once("Unknown command").unwrap_or((&answer, ""));
        let words: String =
            words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_REFUSAL).collect();
        Err(TrafficError(format!("the gateway refused it: {words}")))
    }

    /// Number of open requests at a target.
    pub(super) async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        let answer = self.ask(&format!("show table {TABLE} key {}", target_word(target)?)).await?;
        // A target that no visitor has requested has no entry: the answer is empty.
        if answer.trim().is_empty() {
            return Ok(0);
        }
        let count = answer.trim().rsplit_once(" conn_cur=").and_then(|(_, count)| count.parse().ok());
        count.ok_or_else(|| TrafficError(format!("the gateway cannot count its requests: {}", answer.trim())))
    }

    async fn entries(&self, map: &str) -> Result<Vec<(String, String)>, TrafficError> {
        let answer = self.ask(&format!("show map {map}")).await?;
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

    /// The existing entries of these keys.
    async fn look_up(
        &self,
        map: &str,
        keys: impl Iterator<Item = &String>,
    ) -> Result<Vec<(String, String)>, TrafficError> {
        let questions: Vec<_> = keys.map(|key| format!("get map {map} {key}")).collect();
        let mut found = Vec::new();
        for line in lines(&questions) {
            let answer = self.ask(&line).await?;
            found.extend(answer.lines().filter_map(|line| quoted(line, "key=").zip(quoted(line, "value="))));
        }
        Ok(found)
    }

    async fn tell(&self, commands: &[String]) -> Result<(), TrafficError> {
        for line in lines(commands) {
            let answer = self.ask(&line).await?;
            if !answer.trim().is_empty() {
                return Err(TrafficError(format!("the gateway refused a change of its table: {}", answer.trim())));
            }
        }
        Ok(())
    }

    async fn ask(&self, commands: &str) -> Result<String, TrafficError> {
        let exchange = async {
            let mut stream = connect(&self.directory, SOCKET).await?;
            stream.write_all(format!("{commands}\n").as_bytes()).await?;
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
    // A socket's path is limited to 107 bytes, the data directory may be longer: use the open directory.
    let directory = File::open(directory)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{socket}", directory.as_raw_fd())).await
}

fn otherwise() -> TrafficError {
    TrafficError("the gateway's table is not what it was told: another program changes it too; try again".to_owned())
}

/// The text in double quotes after a name, in an answer to `get map`.
fn quoted(line: &str, name: &str) -> Option<String> {
    let (text, _) = line.split_once(name)?.1.strip_prefix('"')?.split_once('"')?;
    Some(text.to_owned())
}

/// Joins commands to lines within HAProxy's limit.
fn lines(commands: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for command in commands {
        match lines.last_mut().filter(|line| line.len() + command.len() < LONGEST_LINE) {
            Some(line) => {
                line.push_str("; ");
                line.push_str(command);
            }
            None => lines.push(command.clone()),
        }
    }
    lines
}

/// The commands that turn one table into the other. A switch is a single `set`, which is atomic in HAProxy.
fn commands(map: &str, current: &[(String, String)], wanted: &Entries) -> Vec<String> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, value) in current {
        values.entry(host).or_default().push(value);
    }
    let mut commands = Vec::new();
    for (host, value) in wanted {
        match values.remove(host.as_str()).as_deref() {
            Some([one]) if one == value => {}
            Some([_, ..]) => commands.push(format!("set map {map} {host} {value}")),
            Some([]) | None => commands.push(format!("add map {map} {host} {value}")),
        }
    }
    commands.extend(values.into_keys().map(|host| format!("del map {map} {host}")));
    commands
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn changes_only_what_differs() {
        let pair = |host: &str, value: &str| (host.to_owned(), value.to_owned());
        let current = [pair("gone", "1|1/http"), pair("moved", "1|1/http"), pair("same", "1|1/http")];
        let wanted = [pair("moved", "2|2/http"), pair("new", "none/https"), pair("same", "1|1/http")].into();
        assert_eq!(
            commands("routes.map", &current, &wanted),
            ["set map routes.map moved 2|2/http", "add map routes.map new none/https", "del map routes.map gone"]
        );
    }

    #[test]
    fn commands_are_joined_to_lines_that_haproxy_takes() {
        let commands: Vec<String> = (0..1000).map(|n| format!("add map routes.map host-{n} none/http")).collect();
        let lines = lines(&commands);
        assert!(lines.len() < 10 && lines.iter().all(|line| line.len() <= LONGEST_LINE), "{}", lines.len());
        let all: Vec<&str> = lines.iter().flat_map(|line| line.split("; ")).collect();
        assert_eq!(all, commands);
    }

    #[test]
    fn reads_what_haproxy_says_of_an_entry() {
        let line = r#"type=str, case=sensitive, found=yes, idx=tree, key="a.localhost", value="none/http", type="str""#;
        assert_eq!(quoted(line, "key=").unwrap(), "a.localhost");
        assert_eq!(quoted(line, "value=").unwrap(), "none/http");
        assert_eq!(quoted("type=str, case=sensitive, found=no", "key="), None);
    }
}
