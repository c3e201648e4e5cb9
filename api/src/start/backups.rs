//! The place of backups, as the settings say.

use std::sync::Arc;

use super::StartError;
use crate::backups::{Backups, Files};
use crate::config::Settings;

/// Opens the place of backups; none: the settings name none.
///
/// # Errors
/// An error that names the setting or the file, and says what is wrong.
pub(super) fn open(settings: &Settings) -> Result<Option<Arc<dyn Backups>>, StartError> {
    let own = &settings.backups;
    let Some(directory) = own.ocim_backup_dir.clone() else { return Ok(None) };
    let keys = own.ocim_backup_recipients.iter().map(|key| key.trim()).filter(|key| !key.is_empty());
    let recipients: Vec<_> = keys.map(str::to_owned).collect();
    let files = Files::new(directory, &recipients, own.ocim_backup_identity_file.clone());
    Ok(Some(Arc::new(files.map_err(|words| format!("the settings OCIM_BACKUP_… cannot be used: {words}"))?)))
}
