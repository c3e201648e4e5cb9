//! Python interpreters: the identity behind a name, and bare virtualenvs.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::port::AnsibleError;
use crate::platform::command;

/// Timeout of asking Python for its version.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Timeout of making a bare virtualenv.
const MAKE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Two interpreters with equal output make equal virtualenvs of the same requirements.
const IDENTITY: &str =
    "import sys, platform; print(sys.version, sys.base_prefix, sys.implementation.cache_tag, platform.machine())";

/// Identifies an interpreter (given by name or path) by version, prefix and platform.
///
/// # Errors
/// [`AnsibleError::Permanent`] if it does not run.
pub(super) async fn identity(python: &str, cancel: &CancellationToken) -> Result<String, AnsibleError> {
    let mut command = command::command(python);
    command.args(["-c", IDENTITY]);
    let output = command::capture(command, ASK_LIMIT, cancel).await?;
    if output.success {
        return Ok(output.stdout);
    }
    let said = output.stderr.trim();
    Err(AnsibleError::Permanent(format!(
        "the Python «{python}» does not run: install python3 and python3-venv ({said})"
    )))
}

/// Makes a virtualenv that holds only pip.
///
/// # Errors
/// [`AnsibleError::Permanent`] if the interpreter has no `venv`.
pub(super) async fn make_bare(python: &str, virtualenv: &Path, cancel: &CancellationToken) -> Result<(), AnsibleError> {
    let mut command = command::command(python);
    command.args(["-m", "venv", "--"]).arg(virtualenv);
    let output = command::capture(command, MAKE_LIMIT, cancel).await?;
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
