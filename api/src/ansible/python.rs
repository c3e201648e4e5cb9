//! Python interpreters: the identity behind a name, and bare virtualenvs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::inside::Inside;
use super::port::AnsibleError;
use super::printing::failed_at;
use crate::platform::command;
use crate::platform::files::private_dir;
use crate::platform::sandbox::{self, Wall};

/// Timeout of asking Python for its version.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Timeout of making a bare virtualenv.
const MAKE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The first line: two interpreters with equal ones make equal virtualenvs of the same requirements. Then where it is.
const IDENTITY: &str = "import sys, platform; print(sys.version.replace(chr(10), ' '), sys.base_prefix, sys.implementation.cache_tag, \
     platform.machine()); print(sys.executable); print(sys.prefix); print(sys.base_prefix)";

/// An interpreter of this host. It is asked by this program itself: only the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    /// Version, prefix and platform.
    pub identity: String,
    /// Its path.
    pub executable: PathBuf,
    /// What a program that runs with it must see, besides the system's directories.
    pub shown: Vec<PathBuf>,
}

/// Asks an interpreter (given by name or path) what it is.
///
/// # Errors
/// [`AnsibleError::Permanent`] if it does not run.
pub(super) async fn interpreter(python: &str, cancel: &CancellationToken) -> Result<Interpreter, AnsibleError> {
    let mut command = command::command(python);
    command.args(["-c", IDENTITY]).current_dir("/");
    let output = command::capture(command, ASK_LIMIT, cancel).await?;
    let mut lines = output.stdout.lines();
    if output.success
        && let Some(identity) = lines.next()
    {
        let executable = PathBuf::from(lines.next().unwrap_or(python));
        let mut shown: Vec<_> = lines.map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir()).collect();
        if !shown.iter().any(|prefix| executable.starts_with(prefix)) {
            shown.push(executable.clone());
        }
        shown.retain(|path| path.as_os_str() != "/" && path.as_os_str() != "/usr");
        shown.sort();
        shown.dedup();
        return Ok(Interpreter { identity: identity.to_owned(), executable, shown });
    }
    let said = output.stderr.trim();
    Err(AnsibleError::Permanent(format!(
        "the Python «{python}» does not run: install python3 and python3-venv ({said})"
    )))
}

/// Makes a virtualenv that holds only pip, in an empty directory that belongs to the run's user afterwards.
///
/// # Errors
/// [`AnsibleError::Permanent`] if the interpreter has no `venv`.
pub(super) async fn make_bare(
    python: &str,
    interpreter: &Interpreter,
    virtualenv: &Path,
    inside: &Inside<'_>,
    cancel: &CancellationToken,
) -> Result<(), AnsibleError> {
    private_dir(virtualenv).map_err(|error| failed_at(virtualenv, &error))?;
    let wall = Wall::new("/tmp").write(virtualenv).show_all(interpreter.shown.clone());
    let mut cell = inside.cell(&interpreter.executable, &wall).await?;
    cell.command.args(["-m", "venv", "--"]).arg(virtualenv);
    let output = sandbox::capture(cell, MAKE_LIMIT, cancel).await?;
    if output.success {
        return Ok(());
    }
    let said = format!("{} {}", output.stdout.trim(), output.stderr.trim());
    let said = said.trim();
    // The module is missing (Python 2.7, or a stripped one), or Debian's package for it.
    if ["ensurepip", "No module named venv", "No module named 'venv'"].iter().any(|words| said.contains(words)) {
        let message = format!("«{python} -m venv» does not work: install python3-venv ({said})");
        return Err(AnsibleError::Permanent(message));
    }
    Err(AnsibleError::Transient(format!("«{python} -m venv» failed: {said}")))
}
