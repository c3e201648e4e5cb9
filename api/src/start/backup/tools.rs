//! Runs PostgreSQL's programs for dumping and restoring.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use tokio::process::Command;

use super::super::StartError;
use crate::platform::db::{Link, embedded};

/// Dumps the database, as of one moment, into an existing file.
pub(super) async fn dump(data_dir: &Path, url: &SecretString, into: &Path) -> Result<(), StartError> {
    let arguments = ["--format=custom".as_ref(), "--no-owner".as_ref(), "--no-privileges".as_ref(), "--file".as_ref()];
    run(data_dir, url, "pg_dump", &[arguments.as_slice(), &[into.as_os_str()]].concat()).await
}

/// Restores a [`dump`] into an empty database, in one transaction.
pub(super) async fn load(data_dir: &Path, url: &SecretString, from: &Path) -> Result<(), StartError> {
    let arguments = [
        "--no-owner".as_ref(),
        "--no-privileges".as_ref(),
        "--exit-on-error".as_ref(),
        "--single-transaction".as_ref(),
    ];
    run(data_dir, url, "pg_restore", &[arguments.as_slice(), &[from.as_os_str()]].concat()).await
}

async fn run(data_dir: &Path, url: &SecretString, name: &str, arguments: &[&OsStr]) -> Result<(), StartError> {
    let program = embedded::tool(data_dir, name).await?;
    // The password is passed separately, since other users of the host can read a process's arguments.
    let link = Link::new(url.expose_secret())?;
    let shown = link.for_tools()?;
    let mut command = Command::new(&program);
    command.arg(format!("--dbname={shown}")).arg("--no-password").args(arguments);
    if let Some(password) = link.password() {
        command.env("PGPASSWORD", std::str::from_utf8(password)?);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| {
        format!("{} could not be started ({error}); install the package postgresql-client", program.display())
    })?;
    if !output.status.success() {
        return Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(())
}
