//! The programs of database servers that dump, load and count. Each call has a private directory with what its program
//! must know, which only this user can read; command lines and environments hold no password.

mod mysql;
mod postgresql;
mod running;
mod words;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use shared_types::ResourceKind;
use tokio::process::Command;

pub(super) use self::running::{Running, beside};
use super::port::{BackupError, Progress, Source};
use crate::platform::command::{self, CommandError};
use crate::resources::tls::Tls;

/// The limit for counting tables.
const COUNT_LIMIT: Duration = Duration::from_secs(120);
/// The limit for a connection, where the program has one.
const CONNECT_SECONDS: u64 = 20;
/// The columns of a PEM file.
const PEM_WIDTH: usize = 64;

/// A server that has programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Mysql,
    Postgresql,
}

/// What a program does with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Writes it to stdout.
    Dump,
    /// Reads it from stdin.
    Load,
    /// Prints the number of its tables.
    Count,
}

impl Server {
    /// The server of this kind.
    ///
    /// # Errors
    /// [`BackupError::Permanent`] if it has no dump program.
    pub(super) fn of(kind: ResourceKind) -> Result<Self, BackupError> {
        match kind {
            ResourceKind::Mysql => Ok(Self::Mysql),
            ResourceKind::Postgresql => Ok(Self::Postgresql),
            ResourceKind::Redis | ResourceKind::Mongodb | ResourceKind::S3 | ResourceKind::Swift => {
                Err(BackupError::Permanent(format!("Databases of {} cannot be backed up.", kind.name())))
            }
        }
    }

    /// The beginning of the last line of a complete dump.
    pub(super) const fn marker(self) -> &'static str {
        match self {
            Self::Mysql => mysql::MARKER,
            Self::Postgresql => postgresql::MARKER,
        }
    }

    /// The names of the program, the preferred one first.
    const fn programs(self, task: Task) -> &'static [&'static str] {
        match (self, task) {
            (Self::Mysql, Task::Dump) => &["mariadb-dump", "mysqldump"],
            (Self::Mysql, Task::Load | Task::Count) => &["mariadb", "mysql"],
            (Self::Postgresql, Task::Dump) => &["pg_dump"],
            (Self::Postgresql, Task::Load | Task::Count) => &["psql"],
        }
    }

    /// The Debian package that has them.
    const fn package(self) -> &'static str {
        match self {
            Self::Mysql => "mariadb-client",
            Self::Postgresql => "postgresql-client",
        }
    }

    /// Whether a retry may help after these words.
    fn is_transient(self, words: &str) -> bool {
        match self {
            Self::Mysql => mysql::is_transient(words),
            Self::Postgresql => postgresql::is_transient(words),
        }
    }
}

/// A program that can be started.
struct Prepared {
    command: Command,
    /// The name, for messages.
    name: String,
    /// Deleted with its files when the program has ended.
    private: tempfile::TempDir,
}

/// Writes the private files of a program, and its command line.
fn prepare(server: Server, task: Task, source: &Source) -> Result<Prepared, BackupError> {
    let program = find(server, task)?;
    let broken =
        |error: std::io::Error| BackupError::Transient(format!("A temporary file cannot be written: {error}."));
    let private = tempfile::Builder::new()
        .prefix("ocim-backup-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(broken)?;
    let authorities = match source.endpoint.has_tls {
        true => Some(write(private.path(), "authorities.pem", &authorities(source)?).map_err(broken)?),
        false => None,
    };
    let mut command = command::command(&program);
    // Files of the user with other settings and passwords are not read.
    command.env("HOME", private.path());
    match server {
        Server::Mysql => {
            let options = mysql::options(source, authorities.as_deref());
            let file = write(private.path(), "options.cnf", &options).map_err(broken)?;
            // Must be the first argument.
            command.arg(format!("--defaults-file={}", file.display())).args(mysql::arguments(task, &source.database));
        }
        Server::Postgresql => {
            let password = postgresql::password(source)?;
            let file = write(private.path(), "password", &password).map_err(broken)?;
            command.env("PGPASSFILE", file).args(postgresql::arguments(task, source, authorities.as_deref()));
        }
    }
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Prepared { command, name, private })
}

/// The first program of these names in the directories of PATH.
fn find(server: Server, task: Task) -> Result<PathBuf, BackupError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = server.programs(task);
    find_in(std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect(), names).ok_or_else(
        || {
            BackupError::Permanent(format!(
                "The program `{}` is missing: install {} (Debian's name) where ocim's workers run.",
                names.join("` or `"),
                server.package()
            ))
        },
    )
}

fn find_in(directories: Vec<PathBuf>, names: &[&str]) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    names.iter().find_map(|name| directories.iter().map(|directory| directory.join(name)).find(is_program))
}

/// The certificates that the server's is verified with, as PEM: programs differ in how they find the system's.
fn authorities(source: &Source) -> Result<SecretString, BackupError> {
    let found = Tls::Verified(source.ca_file.clone()).authorities().map_err(BackupError::Permanent)?;
    if found.is_empty() {
        return Err(BackupError::Permanent(
            "This system has no authorities to verify the server's certificate with: install ca-certificates."
                .to_owned(),
        ));
    }
    let mut pem = String::new();
    for certificate in found {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = BASE64_STANDARD.encode(&certificate);
        for line in text.as_bytes().chunks(PEM_WIDTH) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    Ok(pem.into())
}

/// Writes a file that only this user can read.
fn write(directory: &Path, name: &str, text: &SecretString) -> std::io::Result<PathBuf> {
    use secrecy::ExposeSecret as _;
    let path = directory.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.expose_secret().as_bytes())?;
    Ok(path)
}

/// How many tables a database has.
pub(super) async fn tables(of: &Source, progress: &Progress) -> Result<u64, BackupError> {
    let server = Server::of(of.kind)?;
    let Prepared { command, name, private: _private } = prepare(server, Task::Count, of)?;
    let output =
        command::capture(command, COUNT_LIMIT, &progress.cancel).await.map_err(|error| unstarted(&name, error))?;
    if !output.success {
        return Err(words::failed(server, &name, &output.stderr, &of.account.password));
    }
    let unread = || BackupError::Transient(format!("{name} printed “{}” and no number.", output.stdout.trim()));
    output.stdout.trim().parse().map_err(|_| unread())
}

/// The error for a program that could not be started, or took too long.
fn unstarted(name: &str, error: CommandError) -> BackupError {
    match error {
        CommandError::Cancelled => BackupError::Cancelled,
        CommandError::NoSetpriv | CommandError::NoSandbox(_) => BackupError::Permanent(error.to_string()),
        CommandError::System(_) | CommandError::TimeLimit(_) | CommandError::Limit(_) => {
            BackupError::Transient(format!("{name}: {error}."))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_preferred_program_is_found_before_another_of_an_earlier_directory() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        for (directory, name, mode) in
            [(&first, "mysqldump", 0o755), (&second, "mariadb-dump", 0o755), (&first, "mariadb-dump", 0o644)]
        {
            std::fs::create_dir_all(directory).unwrap();
            std::fs::write(directory.join(name), "").unwrap();
            std::fs::set_permissions(directory.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let find = |directories: &[&PathBuf]| {
            let directories = directories.iter().map(|one| (*one).clone()).collect();
            find_in(directories, Server::Mysql.programs(Task::Dump))
        };
        assert_eq!(find(&[&first, &second]), Some(second.join("mariadb-dump")));
        assert_eq!(find(&[&first]), Some(first.join("mysqldump")));
        assert_eq!(find(&[&dir.path().to_owned()]), None);
    }

    #[test]
    fn kinds_without_a_dump_program_are_refused() {
        for kind in ResourceKind::ALL {
            let known = Server::of(*kind).is_ok();
            assert_eq!(known, matches!(kind, ResourceKind::Mysql | ResourceKind::Postgresql), "{kind:?}");
        }
    }
}
