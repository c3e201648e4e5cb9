//! The place of backups, as the settings say.

use std::sync::Arc;

use super::StartError;
use crate::backups::Backups;
use crate::config::Settings;

/// Opens the place of backups; none: the settings name none.
///
/// # Errors
/// An error that names the setting, and says what is wrong.
pub(super) fn open(settings: &Settings) -> Result<Option<Arc<dyn Backups>>, StartError> {
    let Some(_dir) = &settings.backups.ocim_backup_dir else { return Ok(None) };
    Err("OCIM_BACKUP_DIR: this program cannot write backups yet; leave it unset".into())
}
