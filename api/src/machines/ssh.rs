//! Runs one command on a machine with `ssh`, which sees nothing of this user: no configuration, agent, environment or key
//! but those given here. Keys and host key are files in memory: nothing is left on the disk if the program is killed.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::key::KeyPair;
use super::probe::Login;
use crate::platform::command;

/// How many bytes of the output are kept: the machine's root decides what is printed.
const OUTPUT_LIMIT: u64 = 16 << 10;

/// Runs a command of a shell, and gives what it prints.
///
/// # Errors
/// Why it could not be run, or what it printed on stderr when its exit status was not 0.
pub(super) async fn run(login: &Login, keys: &[&KeyPair], remote: &str, limit: Duration) -> Result<String, String> {
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
    let done = command::capture_up_to(OUTPUT_LIMIT, command, limit, &CancellationToken::new()).await;
    let output = done.map_err(|error| format!("ssh: {error}"))?;
    drop(files);
    if output.success { Ok(output.stdout) } else { Err(output.stderr.trim().to_owned()) }
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
