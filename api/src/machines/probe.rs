//! Tests of a machine from outside: whether it answers SSH, and which boot it runs.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::Command;

/// Timeout of one command over SSH.
const PATIENCE: Duration = Duration::from_secs(10);

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
        let output = Command::new("ssh")
            .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"])
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
            .arg(question)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, output)
            .await
            .map_err(|_| "no answer over SSH within 10 s".to_owned())?
            .map_err(|error| format!("ssh could not be started: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" "))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }
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
