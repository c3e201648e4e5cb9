//! Deletes the files of pools that no backup uses.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::super::place::{Entry, PlacePath};
use super::super::{Files, paths};
use super::{Id, MANIFEST, USED, id_of, instance, pools, used};
use crate::backups::port::BackupError;

/// How many files are deleted at once.
const AT_ONCE: usize = 8;

/// Deletes what no backup of an instance uses, and the folders that are empty then. `at`: any backup of the instance.
pub(in super::super) async fn sweep(own: &Files, at: &str, cancel: &CancellationToken) -> Result<(), BackupError> {
    let (instance, pools) = (instance(at)?, pools(at)?);
    for entry in own.place.entries(Some(&pools)).await? {
        let Entry::Folder { name } = entry else { continue };
        let Some(used) = used_of(own, &instance, &name, cancel).await? else { continue };
        sweep_pool(own, &pools.join(&name)?, &used, cancel).await?;
    }
    Ok(())
}

async fn sweep_pool(own: &Files, pool: &PlacePath, used: &[Id], cancel: &CancellationToken) -> Result<(), BackupError> {
    if used.is_empty() {
        return own.place.delete_folder(pool).await;
    }
    for entry in own.place.entries(Some(pool)).await? {
        let Entry::Folder { name } = entry else { continue };
        let folder = pool.join(&name)?;
        let mut unused = Vec::new();
        for entry in own.place.entries(Some(&folder)).await? {
            let Entry::File { name, .. } = entry else { continue };
            if id_of(&name).is_some_and(|id| used.binary_search(&id).is_err()) {
                unused.push(folder.join(&name)?);
            }
        }
        let deletions = unused.into_iter().map(|file| async move {
            // A worker that has lost its claim deletes nothing more.
            if cancel.is_cancelled() { Err(BackupError::Cancelled) } else { own.place.delete(&file).await }
        });
        stream::iter(deletions).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    }
    Ok(())
}

/// The files that the backups of an instance use, by id; none: that cannot be said, so that all of them stay.
async fn used_of(
    own: &Files,
    instance: &PlacePath,
    stem: &str,
    cancel: &CancellationToken,
) -> Result<Option<Vec<Id>>, BackupError> {
    let mut all: Vec<Id> = Vec::new();
    for backup in paths::numbers(&*own.place, Some(instance)).await? {
        let folder = instance.join(&backup)?;
        let list = folder.join(&format!("{stem}{USED}"))?;
        match used::read(own, &list, cancel, |id, _| Some(id)).await {
            Ok(Some((ids, _))) => all.extend(ids),
            Ok(None) if own.place.size(&folder.join(&format!("{stem}{MANIFEST}"))?).await?.is_none() => {}
            Ok(None) => {
                tracing::warn!(list = own.place.shown(&list), "no object is deleted from the pool: a list is missing");
                return Ok(None);
            }
            Err(error @ BackupError::Damaged(_)) => {
                tracing::warn!(%error, "no object is deleted from the pool");
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        all.sort_unstable();
        all.dedup();
    }
    Ok(Some(all))
}
