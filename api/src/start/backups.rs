//! The place of backups, as the settings say.

use std::sync::Arc;

use super::{StartError, resources};
use crate::backups::files::place::bucket::{Bucket, Transfer};
use crate::backups::files::place::{Directory, Place};
use crate::backups::{Backups, Files};
use crate::config::Settings;

/// Opens the place of backups; none: the settings name none. A bucket is asked for afterwards: a store that is away prevents no start.
///
/// # Errors
/// An error that names the setting or the file, and says what is wrong.
pub(super) fn open(settings: &Settings) -> Result<Option<Arc<dyn Backups>>, StartError> {
    let own = &settings.backups;
    let wrong = |words: String| StartError::from(format!("the settings OCIM_BACKUP_… cannot be used: {words}"));
    let place: Arc<dyn Place> = match (&own.ocim_backup_dir, settings.backup_bucket()?) {
        (Some(directory), _) => Arc::new(Directory::of(directory.clone()).map_err(wrong)?),
        (None, Some(_)) => Arc::new(bucket(settings)?),
        (None, None) => return Ok(None),
    };
    let keys = own.ocim_backup_recipients.iter().map(|key| key.trim()).filter(|key| !key.is_empty());
    let recipients: Vec<_> = keys.map(str::to_owned).collect();
    let files = Files::at(place, &recipients, own.ocim_backup_identity_file.clone()).map_err(wrong)?;
    Ok(Some(Arc::new(files)))
}

/// The bucket that the settings name.
///
/// # Errors
/// An error that names the setting or the table, and says what is wrong.
fn bucket(settings: &Settings) -> Result<Bucket, StartError> {
    let named = settings.backup_bucket()?.ok_or("OCIM_BACKUP_BUCKET is not set")?;
    let store = settings.backup_store(&named)?;
    let objects = resources::objects(store, &named.bucket);
    let objects = objects.map_err(|words| format!("[resources.{}]: {words}", named.server))?;
    let bucket = Bucket::new(objects, &format!("{}/{}", named.server, named.bucket), Transfer::default());
    bucket.watch();
    Ok(bucket)
}
