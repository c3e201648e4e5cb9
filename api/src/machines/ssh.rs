//! Runs one command on a machine with `ssh`, which sees nothing of this user: no configuration, agent, environment or key
//! but those given here. Keys and host key are files in memory: nothing is left on the disk if the program is killed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::host_key::{algorithms, of_known_hosts, refusal};
use super::key::KeyPair;
use super::probe::{HOST_KEY_REFUSED, Login, SshError};
use crate::platform::command::{self, Group};

/// How many bytes of an answer are read: the machine's root decides what is printed.
const LONGEST: u64 = 4096;

/// Runs a command of a shell, and gives what it prints.
///
/// # Errors
/// As [`run_with_input`].
pub(super) async fn run(login: &Login, keys: &[&KeyPair], remote: &str, limit: Duration) -> Result<String, SshError> {
    run_with_input(login, keys, remote, "", limit).await
}

/// Like [`run`], with this text as the command's input.
///
/// # Errors
/// [`SshError::OtherHostKey`]; [`SshError::Failed`] with why it could not be run, or what it printed on stderr when its exit
/// status was not 0.
pub(super) async fn run_with_input(
    login: &Login,
    keys: &[&KeyPair],
    remote: &str,
    input: &str,
    limit: Duration,
) -> Result<String, SshError> {
    let said = connect(login, keys, &[], (remote, input), limit).await?.said;
    match (said, &login.host_key) {
        (Ok(said), _) => Ok(said),
        (Err(words), Some(expected)) if words.contains(HOST_KEY_REFUSED) => {
            let seen = present_host_key(login, expected, limit).await;
            // The machine itself can print the same words.
            let is_same = seen.as_ref().is_some_and(|seen| same(seen, expected));
            Err(if is_same { words.into() } else { SshError::OtherHostKey(refusal(login, expected, seen.as_deref())) })
        }
        (Err(words), _) => Err(words.into()),
    }
}

/// Logs in and gives the host key of the machine, whichever it is.
///
/// # Errors
/// [`SshError::Failed`] if the machine does not let in.
pub(super) async fn first_host_key(login: &Login, limit: Duration) -> Result<String, SshError> {
    let login = Login { host_key: None, ..login.clone() };
    let Contact { said, known_hosts } =
        connect(&login, &login.keys.iter().collect::<Vec<_>>(), &[], ("true", ""), limit).await?;
    said?;
    of_known_hosts(&known_hosts).ok_or_else(|| "ssh does not say which host key the machine has".to_owned().into())
}

/// The host key with which a machine answers now, of the same algorithm if it has one. Nothing is sent to log in.
async fn present_host_key(login: &Login, expected: &str, limit: Duration) -> Option<String> {
    let login = Login { host_key: None, ..login.clone() };
    let algorithms = format!("HostKeyAlgorithms=^{}", algorithms(expected)?);
    let options = [algorithms.as_str(), "PubkeyAuthentication=no"];
    of_known_hosts(&connect(&login, &[], &options, ("true", ""), limit).await.ok()?.known_hosts)
}

/// Whether two keys are the same, regardless of comments.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().take(2).eq(other.split_whitespace().take(2))
}

/// What came of a connection.
struct Contact {
    /// What the command printed, or why it failed.
    said: Result<String, String>,
    /// The host keys that were accepted: the given one, or the machine's.
    known_hosts: String,
}

/// Runs `ssh` with these keys and options. An error: it could not be prepared.
async fn connect(
    login: &Login,
    keys: &[&KeyPair],
    options: &[&str],
    (remote, input): (&str, &str),
    limit: Duration,
) -> Result<Contact, String> {
    let failed = |error: io::Error| format!("the files for ssh could not be made: {error}");
    let mut files = Vec::new();
    let mut in_memory = |text: &str| {
        let (file, path) = file(text).map_err(failed)?;
        files.push(file);
        Ok::<_, String>(path)
    };
    let (ip, port) = (login.address.ip(), login.address.port());
    let (checking, line) = match &login.host_key {
        Some(key) => ("yes", format!("[{ip}]:{port} {key}\n{ip} {key}\n")),
        None => ("accept-new", String::new()),
    };
    let (mut known, known_hosts) = file(&line).map_err(failed)?;
    let mut command = ssh_command();
    let given = [format!("StrictHostKeyChecking={checking}"), format!("UserKnownHostsFile={known_hosts}")];
    for option in given.iter().map(String::as_str).chain(options.iter().copied()) {
        command.args(["-o", option]);
    }
    for key in keys {
        command.arg("-i").arg(in_memory(key.private().expose_secret())?);
    }
    command.args(["-p", &port.to_string(), "-l", &login.user]).arg(ip.to_string()).arg(remote);
    let said = answer(command, input, limit).await;
    drop(files);
    let mut known_hosts = String::new();
    known.rewind().and_then(|()| (&known).take(LONGEST).read_to_string(&mut known_hosts)).map_err(failed)?;
    Ok(Contact { said, known_hosts })
}

/// `ssh` with nothing of this user.
fn ssh_command() -> Command {
    let mut command = command::command("ssh");
    command.env_clear().env("LC_ALL", "C.UTF-8");
    if let Some(programs) = std::env::var_os("PATH") {
        command.env("PATH", programs);
    }
    command.args(["-F", "/dev/null", "-T"]);
    let options = [
        "BatchMode=yes",
        "ConnectTimeout=5",
        "LogLevel=ERROR",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "ClearAllForwardings=yes",
        "UpdateHostKeys=no",
        "HashKnownHosts=no",
        "GlobalKnownHostsFile=/dev/null",
    ];
    for option in options {
        command.args(["-o", option]);
    }
    command
}

/// Runs a program that says what a machine says, and only as long as its output is short.
async fn answer(mut command: Command, input: &str, limit: Duration) -> Result<String, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    // Dropped, it kills the program.
    let mut group = Group::start(command).await.map_err(|error| format!("ssh could not be started: {error}"))?;
    let (stdin, stdout, stderr) = (group.child.stdin.take(), group.child.stdout.take(), group.child.stderr.take());
    let told = async {
        if let Some(mut stdin) = stdin {
            // A program that ends early says why by its status.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        Ok::<_, String>(())
    };
    let all = async {
        let ((), said, errors) = tokio::try_join!(told, read(stdout), read(stderr))?;
        let status = group.child.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(said) } else { Err(words(&errors)) }
    };
    let late = |_| format!("no answer over SSH within {} s", limit.as_secs());
    tokio::time::timeout(limit, all).await.map_err(late)?
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

/// What ssh, or the machine through it, says about a failure: the last line, without control characters. Warnings come
/// before it.
fn words(errors: &str) -> String {
    const LONGEST_WORDS: usize = 300;
    let line = errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|character| !character.is_control()).take(LONGEST_WORDS).collect()
}

/// A text as an argument of a shell's command.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A file in memory that only this user may read, and the path under which a child opens it while it is held.
fn file(text: &str) -> io::Result<(File, String)> {
    let descriptor = memfd_create("ocim-ssh", MemfdFlags::CLOEXEC)?;
    fchmod(&descriptor, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(descriptor);
    file.write_all(text.as_bytes())?;
    // Of this process, not of the child: ssh closes all descriptors that it inherits.
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((file, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn said_by(script: &str) -> Result<String, String> {
        let mut command = command::command("sh");
        command.args(["-c", script]);
        answer(command, "", LIMIT).await
    }

    #[tokio::test]
    async fn a_machine_that_prints_without_end_is_not_read_without_end() {
        let began = Instant::now();
        for endless in ["yes", "yes >&2", "head -c 100000000 /dev/zero; exit 1"] {
            let refused = said_by(endless).await.unwrap_err();
            assert!(refused.contains("more than 4096 bytes"), "{endless}: {refused}");
        }
        assert!(began.elapsed() < LIMIT);
        assert_eq!(said_by("echo a; echo b").await.unwrap(), "a\nb\n");
        assert_eq!(said_by("printf 'no\\033[2J way\\n' >&2; exit 255").await.unwrap_err(), "no[2J way");
    }
}
