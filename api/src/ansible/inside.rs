//! The walls of a run's programs: who they run as, and what each kind of them sees.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::port::AnsibleError;
use super::printing::failed_at;
use super::python::Interpreter;
use super::run_dir::RunDir;
use crate::platform::cache::MADE;
use crate::platform::command::CommandError;
use crate::platform::files::write_plain;
use crate::platform::sandbox::{Account, Cell, Sandbox, Wall};

/// One user for all programs that prepare a run, or for the run.
#[derive(Debug)]
pub(super) struct Inside<'a> {
    sandbox: &'a Sandbox,
    account: Arc<Account>,
}

impl<'a> Inside<'a> {
    /// Takes a user.
    pub(super) async fn new(sandbox: &'a Sandbox) -> Result<Self, AnsibleError> {
        Ok(Self { sandbox, account: sandbox.account().await? })
    }

    /// A program behind a wall.
    pub(super) async fn cell(&self, program: impl AsRef<OsStr>, wall: &Wall) -> Result<Cell, CommandError> {
        self.sandbox.cell(&self.account, program, wall).await
    }
}

/// What is known of a complete directory of the cache.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Made {
    /// What a program that runs with it must see.
    #[serde(default)]
    shown: Vec<PathBuf>,
}

/// Whether the directory is complete.
pub(super) fn is_made(dir: &Path) -> bool {
    dir.with_extension(MADE).is_file()
}

/// Says that the directory is complete; with a virtualenv, which interpreter it needs.
pub(super) fn set_made(dir: &Path, interpreter: Option<&Interpreter>) -> Result<(), AnsibleError> {
    let made = Made { shown: interpreter.map(|interpreter| interpreter.shown.clone()).unwrap_or_default() };
    let path = dir.with_extension(MADE);
    let bytes = serde_json::to_vec(&made).map_err(|error| AnsibleError::Permanent(error.to_string()))?;
    write_plain(&path, &bytes).map_err(|error| failed_at(&path, &error))
}

/// Says that it is not complete any more, before it is removed or made again.
pub(super) fn unset_made(dir: &Path) -> Result<(), AnsibleError> {
    let path = dir.with_extension(MADE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed_at(&path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A complete virtualenv, and what its interpreter needs.
pub(super) fn virtualenv(virtualenv: &Path) -> Vec<PathBuf> {
    let made: Made = fs::read(virtualenv.with_extension(MADE))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut shown: Vec<_> = made.shown.into_iter().filter(|path| path.exists()).collect();
    shown.push(virtualenv.to_owned());
    shown
}

/// The parts of a run's directory that its programs write to: checkout, home and temporary files.
pub(super) fn run_dir(wall: Wall, dir: &RunDir) -> Wall {
    wall.write(dir.checkout()).write(dir.join("home")).write(dir.join("tmp"))
}
