//! Runs one command on a machine with `ssh`, which sees nothing of this user: no configuration, agent, environment or key
//! but those given here. Keys and host key are files in memory: nothing is left on the disk if the program is killed.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::key::KeyPair;
use super::probe::Login;
use crate::platform::command::{self, Group};

/// How many bytes of an answer are read: the machine's root decides what is printed.
const LONGEST: u64 = 4096;

/// Runs a command of a shell, and gives what it prints.
///
/// # Errors
/// Why it could not be run, or what it printed on stderr when its exit status was not 0.
pub(super) async fn run(login: &Login, keys: &[&KeyPair], remote: &str, limit: Duration) -> Result<String, String> {
    run_with_input(login, keys, remote, "", limit).await
}

/// Like [`run`], with this text as the command's input.
///
/// # Errors
/// As [`run`].
pub(super) async fn run_with_input(
    login: &Login,
    keys: &[&KeyPair],
    remote: &str,
    input: &str,
    limit: Duration,
) -> Result<String, String> {
    let failed = |error: io::Error| format!("the files for ssh could not be made: {error}");
    let mut files = Vec::new();
    let mut in_memory = |text: &str| {
        let (file, path) = file(text).map_err(failed)?;
        files.push(file);
        Ok::<_, String>(path)
    };
    let (checking, known_hosts) = match &login.host_key {
        Some(key) => {
            let (ip, port) = (login.address.ip(), login.address.port());
            ("yes", in_memory(&format!("[{ip}]:{port} {key}\n{ip} {key}\n"))?)
        }
        None => ("no", "/dev/null".to_owned()),
    };
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
        "GlobalKnownHostsFile=/dev/null",
    ];
    for option in options.into_iter().map(str::to_owned) {
        command.arg("-o").arg(option);
    }
    command.arg("-o").arg(format!("StrictHostKeyChecking={checking}"));
    command.arg("-o").arg(format!("UserKnownHostsFile={known_hosts}"));
    for key in keys {
        command.arg("-i").arg(in_memory(key.private().expose_secret())?);
    }
    command.args(["-p", &login.address.port().to_string(), "-l", &login.user]);
    command.arg(login.address.ip().to_string()).arg(remote);
    let said = answer(command, input, limit).await;
    drop(files);
    said
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
