//! Python interpreters: which one a name is, and bare virtualenvs of it.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::port::AnsibleError;
use crate::platform::command;

/// So long Python may take to say its version.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// So long a bare virtualenv may take.
const MAKE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What makes an equal virtualenv, besides the requirements.
const IDENTITY: &str =
    "import sys, platform; print(sys.version, sys.base_prefix, sys.implementation.cache_tag, platform.machine())";

/// What tells this interpreter (a name or a path) from others.
///
/// # Errors
/// [`AnsibleError::Permanent`] when it does not run.
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

/// Makes a virtualenv with nothing but pip in it.
///
/// # Errors
/// [`AnsibleError::Permanent`] when the interpreter has no `venv`.
pub(super) async fn make_bare(python: &str, virtualenv: &Path, cancel: &CancellationToken) -> Result<(), AnsibleError> {
    let mut command = command::command(python);
    command.args(["-m", "venv", "--"]).arg(virtualenv);
    let output = command::capture(command, MAKE_LIMIT, cancel).await?;
    if output.success {
        return Ok(());
    }
    let said = format!("{} {}", output.stdout.trim(), output.stderr.trim());
    let said = said.trim();
    // A Python without the module (2.7, or a stripped one), or Debian's without its package.
    if ["ensurepip", "No module named venv", "No module named 'venv'"].iter().any(|words| said.contains(words)) {
        let message = format!("«{python} -m venv» does not work: install python3-venv ({said})");
        return Err(AnsibleError::Permanent(message));
    }
    Err(AnsibleError::Transient(format!("«{python} -m venv» failed: {said}")))
}
