//! Tests of a machine from outside: whether it answers SSH, and which boot it runs.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::platform::command::{self, Group};

/// Timeout of one command over SSH.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const LONGEST: u64 = 4096;

/// How to log in to a machine.
#[derive(Debug, Clone)]
pub struct Login {
    /// Address and port of sshd.
    pub address: SocketAddr,
    pub user: String,
    /// The only host key to accept; none: the first one is accepted.
    pub host_key: Option<String>,
}

/// Tests machines from outside.
#[async_trait]
pub trait Probe: Debug + Send + Sync {
    /// Whether sshd sends its greeting at this address.
    async fn answers_ssh(&self, address: SocketAddr) -> bool;

    /// A text that differs from one boot to the next.
    ///
    /// # Errors
    /// Why it could not be read, as a text for the log.
    async fn boot_marker(&self, login: &Login) -> Result<String, String>;
}

/// Tests machines over the network.
#[derive(Debug)]
pub struct SshProbe {
    /// Path of the manager's private key.
    pub private_key: PathBuf,
}

#[async_trait]
impl Probe for SshProbe {
    async fn answers_ssh(&self, address: SocketAddr) -> bool {
        let greeting = async {
            let mut stream = TcpStream::connect(address).await.ok()?;
            let mut greeting = [0u8; 4];
            stream.read_exact(&mut greeting).await.ok()?;
            Some(&greeting == b"SSH-")
        };
        tokio::time::timeout(Duration::from_secs(3), greeting).await.ok().flatten().unwrap_or(false)
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, String> {
        // A virtual machine gets a new boot id; a container keeps its host's, but pid 1 gets a new start time.
        let question = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat";
        let known_hosts = self.known_hosts(login).await.map_err(|error| error.to_string())?;
        let mut command = command::command("ssh");
        // Neither this user's configuration, keys and agent, nor the program's environment.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
        command
            .args(["-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"])
            .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"])
            .args(["-o", "ClearAllForwardings=yes", "-o", "UpdateHostKeys=no", "-o", "GlobalKnownHostsFile=/dev/null"])
            .args([
                "-o",
                if login.host_key.is_some() { "StrictHostKeyChecking=yes" } else { "StrictHostKeyChecking=no" },
            ])
            .arg("-o")
            .arg(format!(
                "UserKnownHostsFile={}",
                known_hosts.as_ref().map_or("/dev/null".into(), |f| f.path.display().to_string())
            ))
            .arg("-i")
            .arg(&self.private_key)
            .args(["-p", &login.address.port().to_string(), "-l", &login.user])
            .arg(login.address.ip().to_string())
            .arg(question);
        marker(&answer(command).await?)
    }
}

/// Runs a program that says what a machine says: for 10 s at most, and only as long as its output is short.
async fn answer(mut command: Command) -> Result<String, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Dropped, it kills the program.
    let mut group = Group::start(command).await.map_err(|error| format!("ssh could not be started: {error}"))?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let all = async {
        let (said, errors) = tokio::try_join!(read(stdout), read(stderr))?;
        let status = group.child.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(said) } else { Err(words(&errors)) }
    };
    tokio::time::timeout(PATIENCE, all).await.map_err(|_| "no answer over SSH within 10 s".to_owned())?
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    }
    if bytes.len() as u64 > LONGEST {
        return Err(format!("the machine prints more than {LONGEST} bytes where a few are expected"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The boot id and the start time of pid 1, if it is these that the machine has printed.
fn marker(said: &str) -> Result<String, String> {
    let parts: Vec<&str> = said.split_whitespace().collect();
    let is_one =
        |part: &&str| part.len() <= 64 && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if parts.len() == 2 && parts.iter().all(is_one) {
        Ok(parts.join(" "))
    } else {
        Err("the machine does not say which boot it runs".to_owned())
    }
}

/// What ssh, or the machine through it, says about a failure: one line without control characters.
fn words(errors: &str) -> String {
    const LONGEST_WORDS: usize = 300;
    let line = errors.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|character| !character.is_control()).take(LONGEST_WORDS).collect()
}

impl SshProbe {
    /// Writes a file that holds only the expected host key; it is removed when dropped.
    async fn known_hosts(&self, login: &Login) -> std::io::Result<Option<TemporaryFile>> {
        let Some(key) = &login.host_key else {
            return Ok(None);
        };
        let mut name = [0u8; 8];
        getrandom::fill(&mut name).map_err(std::io::Error::other)?;
        let path = self.private_key.with_file_name(format!("known-hosts-{}", hex::encode(name)));
        let file = TemporaryFile { path };
        tokio::fs::write(
            &file.path,
            format!("[{}]:{} {key}\n{} {key}\n", login.address.ip(), login.address.port(), login.address.ip()),
        )
        .await?;
        Ok(Some(file))
    }
}

struct TemporaryFile {
    path: PathBuf,
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // A file that stays holds only a few bytes of public key.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Instant;

    use super::*;

    async fn said_by(script: &str) -> Result<String, String> {
        let mut command = command::command("sh");
        command.args(["-c", script]);
        answer(command).await
    }

    #[tokio::test]
    async fn a_machine_that_prints_without_end_is_not_read_without_end() {
        let began = Instant::now();
        for endless in ["yes", "yes >&2", "head -c 100000000 /dev/zero; exit 1"] {
            let refused = said_by(endless).await.unwrap_err();
            assert!(refused.contains("more than 4096 bytes"), "{endless}: {refused}");
        }
        assert!(began.elapsed() < PATIENCE);
        assert_eq!(said_by("echo a; echo b").await.unwrap(), "a\nb\n");
        assert_eq!(said_by("printf 'no\\033[2J way\\n' >&2; exit 255").await.unwrap_err(), "no[2J way");
    }

    #[test]
    fn only_a_boot_marker_is_one() {
        assert_eq!(marker("b8835599-5cc9\n 1413\n").unwrap(), "b8835599-5cc9 1413");
        for other in ["", "one", "a b c", "a \0", "a b\u{202e}", &format!("a {}", "9".repeat(65))] {
            assert!(marker(other).is_err(), "{other:?}");
        }
    }
}
