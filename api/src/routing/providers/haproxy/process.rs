//! HAProxy as a service of its own, which a service manager starts, reloads and watches.

use std::path::PathBuf;
use std::process::Command;

use super::config::{Config, FILE};
use super::{GatewayConfig, GatewayError, directory_error, find_program, run_as};
use crate::platform::files;

/// A HAProxy that is configured.
#[derive(Debug)]
pub struct HaproxyProcess {
    program: PathBuf,
    directory: PathBuf,
}

impl HaproxyProcess {
    /// Writes the configuration. The routes that are there are kept.
    ///
    /// # Errors
    /// [`GatewayError`] if HAProxy is not installed, or the directory cannot be written to.
    pub fn prepare(config: &GatewayConfig) -> Result<Self, GatewayError> {
        let program = find_program()?;
        files::private_dir(&config.dir).map_err(directory_error(&config.dir))?;
        Config::new(config, run_as()?).write(&config.dir).map_err(directory_error(&config.dir))?;
        Ok(Self { program, directory: config.dir.clone() })
    }

    /// Runs in the foreground. SIGUSR2 reloads the configuration without losing a request, SIGUSR1 ends it when the open
    /// requests have ended, SIGTERM at once.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-W").arg("-db").arg("-C").arg(&self.directory).args(["-f", FILE]);
        command
    }
}
