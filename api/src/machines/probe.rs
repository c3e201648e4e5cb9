//! Access to a machine from outside: whether it answers SSH, which boot it runs, and which key it lets in.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::key::KeyPair;
use super::ssh::{first_host_key, quoted, run, run_with_input};

/// The end of what ssh prints when a machine has not the only host key that is accepted.
pub const HOST_KEY_REFUSED: &str = "Host key verification failed";

/// Timeout of one command over SSH.
const PATIENCE: Duration = Duration::from_secs(10);
/// Timeout of the replacement of a key, which waits for the end of other sessions' processes.
const REPLACE_PATIENCE: Duration = Duration::from_secs(30);

/// Timeout of the installation of people's keys.
const PEOPLE_PATIENCE: Duration = Duration::from_secs(20);

/// Says what the first boot still does; run by the login user on the machine.
const FIRST_BOOT: &str = include_str!("first_boot.sh");

/// Replaces the key and ends all other sessions; run by root on the machine.
const REPLACE_KEY: &str = include_str!("replace_key.sh");
/// Replaces the keys of people; run by root on the machine.
const INSTALL_PEOPLE: &str = include_str!("install_people.sh");

/// Why a command was not run on a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// It answers with another host key than the recorded one. ssh ended before it logged in. The text names the machine,
    /// both keys and what to do.
    #[error("{0}")]
    OtherHostKey(String),
    /// Anything else, as a text for the log.
    #[error("{0}")]
    Failed(String),
}

impl From<String> for SshError {
    fn from(words: String) -> Self {
        Self::Failed(words)
    }
}

/// How to log in to a machine.
#[derive(Debug, Clone)]
pub struct Login {
    /// The machine's name, for messages.
    pub name: String,
    /// Address and port of sshd.
    pub address: SocketAddr,
    pub user: String,
    /// The only host key to accept; none: any is accepted.
    pub host_key: Option<String>,
    /// The keys that the machine may let in, in the order in which they are tried. Several only while one is replaced.
    pub keys: Vec<KeyPair>,
}

/// Logs in to machines from outside.
#[async_trait]
pub trait Probe: Debug + Send + Sync {
    /// Whether sshd sends its greeting at this address.
    async fn answers_ssh(&self, address: SocketAddr) -> bool;

    /// The host key of a machine whose key is not known, read while it lets one of the keys of `login` in. None: this probe
    /// uses no SSH.
    ///
    /// # Errors
    /// [`SshError::Failed`] if it does not let in.
    async fn host_key(&self, _login: &Login) -> Result<Option<String>, SshError> {
        Ok(None)
    }

    /// A text that differs from one boot to the next.
    ///
    /// # Errors
    /// Why it could not be read.
    async fn boot_marker(&self, login: &Login) -> Result<String, SshError>;

    /// What the machine's first boot still does that playbooks must wait for: `cloud-init` or `apt`. None: nothing.
    ///
    /// # Errors
    /// Why it could not be read.
    async fn first_boot(&self, _login: &Login) -> Result<Option<&'static str>, SshError> {
        Ok(None)
    }

    /// Lets `next` in instead of the keys of `login`, which may include it, and ends every other session of the user with
    /// all processes that came from one. When it returns Ok, none of them is left, and no other key of `login` lets in.
    /// Idempotent, and may be cut off at any point.
    ///
    /// # Errors
    /// Why it could not be done. The machine may let in `next` or one of the keys of `login`.
    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError>;

    /// Replaces the block with the keys of people ([`super::people::block`]) in the login user's `authorized_keys`.
    /// The machine's own key, and lines of others, stay. Idempotent; sessions that are open go on.
    ///
    /// # Errors
    /// Why it could not be done. The machine has the earlier block then, or this one.
    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError>;
}

/// Logs in to machines over the network, with `ssh`.
#[derive(Debug)]
pub struct SshProbe;

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

    async fn host_key(&self, login: &Login) -> Result<Option<String>, SshError> {
        first_host_key(login, PATIENCE).await.map(Some)
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        // A virtual machine gets a new boot id; a container keeps its host's, but pid 1 gets a new start time.
        let question = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat";
        let answer = run(login, &login.keys.iter().collect::<Vec<_>>(), question, PATIENCE).await?;
        Ok(marker(&answer)?)
    }

    async fn first_boot(&self, login: &Login) -> Result<Option<&'static str>, SshError> {
        let command = format!("sh -c {}", quoted(FIRST_BOOT));
        Ok(working(&run(login, &login.keys.iter().collect::<Vec<_>>(), &command, PATIENCE).await?)?)
    }

    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError> {
        let keys: Vec<&KeyPair> = login.keys.iter().filter(|key| key.public() != next.public()).chain([next]).collect();
        let mut command = format!("sudo -n sh -c {} ocim", quoted(REPLACE_KEY));
        for argument in [&login.user, next.public()].into_iter().chain(keys.iter().map(|key| key.public_data())) {
            command.push(' ');
            command.push_str(&quoted(argument));
        }
        run(login, &keys, &command, REPLACE_PATIENCE).await?;
        // The old keys may be forgotten only when the new one is known to work.
        run(login, &[next], "true", PATIENCE).await.map(drop)
    }

    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError> {
        let command = format!("sudo -n sh -c {} ocim {}", quoted(INSTALL_PEOPLE), quoted(&login.user));
        let keys: Vec<&KeyPair> = login.keys.iter().collect();
        run_with_input(login, &keys, &command, block, PEOPLE_PATIENCE).await.map(drop)
    }
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

/// What a machine's first boot still does, if it is one of the known words that the machine has printed.
fn working(said: &str) -> Result<Option<&'static str>, String> {
    match said.trim() {
        "" => Ok(None),
        "cloud-init" => Ok(Some("cloud-init")),
        "apt" => Ok(Some("apt")),
        _ => Err("the machine does not say whether its first boot has ended".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_known_answers_are_read() {
        assert_eq!(marker("b8835599-5cc9\n 1413\n").unwrap(), "b8835599-5cc9 1413");
        assert_eq!((working(" \n"), working("apt\n")), (Ok(None), Ok(Some("apt"))));
        assert!(working("apt \u{202e}").is_err() && working("x").is_err());
        for other in ["", "one", "a b c", "a \0", "a b\u{202e}", &format!("a {}", "9".repeat(65))] {
            assert!(marker(other).is_err(), "{other:?}");
        }
    }
}
