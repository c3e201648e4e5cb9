//! Creates the cluster, once. initdb writes to a temporary directory that is renamed to `data/` when it is complete, so
//! an interrupted start never leaves half a cluster in `data/`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;

use super::SUPERUSER;
use super::account::Account;
use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::files::{Files, write_secret};

/// initdb takes about 2 s; a slow disk may need much more.
const AT_MOST: Duration = Duration::from_secs(180);
const PREFIX: &str = "new-";

/// Creates the cluster in `data/`, with this password of its superuser. The lock must be held.
pub(super) async fn make_cluster(
    files: &Files,
    binaries: &Binaries,
    account: &Account,
    password: &SecretString,
    is_durable: bool,
) -> Result<(), EmbeddedError> {
    remove_unfinished(files);
    // With the process id in the name, an initdb that outlived a killed ocim writes to another directory than this one.
    let (new, new_secret) = (format!("{PREFIX}{}", std::process::id()), format!("{PREFIX}password"));
    let (place, secret) = (files.home.join(&new), files.home.join(&new_secret));
    fs::create_dir(&place).map_err(EmbeddedError::directory("make the directory", &place))?;
    account.own(&place)?;
    write_secret(&secret, password)?;
    account.own(&secret)?;
    let made = run(binaries, account, &account.path(&new), &account.path(&new_secret), is_durable).await;
    fs::remove_file(&secret).map_err(EmbeddedError::directory("remove", &secret))?;
    if let Err(error) = made {
        remove_unfinished(files);
        return Err(error);
    }
    fs::rename(&place, files.data()).map_err(EmbeddedError::directory("make", &files.data()))?;
    let home = fs::File::open(&files.home).and_then(|home| home.sync_all());
    home.map_err(EmbeddedError::directory("write", &files.home))
}

async fn run(
    binaries: &Binaries,
    account: &Account,
    place: &Path,
    secret: &Path,
    is_durable: bool,
) -> Result<(), EmbeddedError> {
    let mut line: Vec<OsString> =
        vec![binaries.initdb().into(), "-D".into(), place.into(), "--pwfile".into(), secret.into()];
    line.extend(["-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--lc-messages=C"].map(OsString::from));
    line.extend(["-A", "scram-sha-256", "--data-checksums"].map(OsString::from));
    if !is_durable {
        line.push("--no-sync".into());
    }
    let mut parts = account.command(line).into_iter();
    let mut command = tokio::process::Command::new(parts.next().unwrap_or_default());
    command.args(parts).env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let failed = |reason: String| EmbeddedError::Program {
        program: binaries.initdb().display().to_string(),
        reason,
        remedy: "Check that the disk has room and that the package is whole (Debian: apt-get install --reinstall postgresql)",
    };
    let output = tokio::time::timeout(AT_MOST, command.output()).await;
    let output = output.map_err(|_| failed(format!("it did not end within {} s", AT_MOST.as_secs())))?;
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(if said.is_empty() { output.status.to_string() } else { said }))
}

/// Removes what an earlier attempt left. What cannot be removed does no harm.
fn remove_unfinished(files: &Files) {
    let Ok(entries) = fs::read_dir(&files.home) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "cannot remove what an earlier start left");
        }
    }
}
