//! Copies the objects of an instance's buckets, and writes them back.

use shared_types::backup::{BackupState, BackupWork};
use shared_types::resource::{ResourceClass, ResourceState};

use super::{Failure, Task};
use crate::backups::{Bucket, Piece};
use crate::instances::backups::buckets::bucket;
use crate::instances::backups::contents::{self, Contents, named};
use crate::instances::store::backups::{self, BackupRow};
use crate::platform::logs::Line;
use crate::resources::server::ServerError;
use crate::resources::store::{self, ResourceRow};

/// A bucket, and the piece whose objects are written back into it.
pub(super) struct Written<'t> {
    pub piece: &'t Piece,
    pub bucket: Bucket,
}

impl Task<'_> {
    /// Copies the buckets of the instance.
    pub(super) async fn copy_buckets(&self, contents: &Contents) -> Result<Vec<Piece>, Failure> {
        let rows = backups::of_instance(&mut *self.manager.db.conn().await?, self.row.instance_id).await?;
        let mut pieces = Vec::new();
        for row in contents.buckets() {
            let words = contents::words(row);
            let bucket = bucket(self.manager, &mut *self.manager.db.conn().await?, contents, row).await?;
            if !self.can_list(row, &bucket).await.map_err(|failure| failure.about(&words))? {
                continue;
            }
            let earlier = earlier(&rows, &bucket)?;
            let earlier = earlier.as_ref().map(|(at, piece)| (at.as_str(), piece));
            let copied = self.backups.copy(&self.row.at(), &bucket, earlier, &self.progress).await;
            pieces.push(copied.map_err(|error| Failure::from(error).about(&words))?);
        }
        Ok(pieces)
    }

    /// Whether the store lists the bucket. One of an account that an operator has entered is left out if it does not, and says so; the
    /// rest of the backup must not depend on what that account may do.
    async fn can_list(&self, row: &ResourceRow, bucket: &Bucket) -> Result<bool, Failure> {
        let refused = match bucket.store.list(&bucket.bucket, None).await {
            Ok(_) => None,
            Err(ServerError::Refused(words)) if row.class == ResourceClass::Given => Some(words),
            Err(error) => return Err(error.into()),
        };
        if row.class == ResourceClass::Given && row.trouble != refused {
            let mut conn = self.manager.db.conn().await?;
            store::keep_trouble(&mut conn, row.id, refused.as_deref()).await?;
            if let Some(refused) = &refused {
                let (id, words) = (self.row.id, contents::words(row));
                self.tell(&mut conn, Line::warning(format!("{words} is not in backup {id}: {refused}"))).await?;
            }
        }
        Ok(refused.is_none())
    }

    /// The buckets that objects of the backup are written back into; not those that an operator entered.
    pub(super) async fn written<'p>(
        &self,
        contents: &Contents,
        pieces: &'p [Piece],
    ) -> Result<Vec<Written<'p>>, Failure> {
        let mut all = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.objects.is_some()) {
            let words = named(piece.kind, &piece.name);
            let Some(row) = target(contents, piece).map_err(Failure::Permanent)? else { continue };
            let bucket = bucket(self.manager, &mut *self.manager.db.conn().await?, contents, row).await?;
            // Before anything is deleted: whether it is there.
            let listed = bucket.store.list(&bucket.bucket, None).await;
            listed.map_err(|error| Failure::from(error).about(&words))?;
            let largest = piece.objects.as_ref().map_or(0, |objects| objects.largest);
            if largest > bucket.store.largest() {
                return Err(Failure::Permanent(format!(
                    "{words}: an object of the backup has {largest} bytes, and one of {} at most can be written; write it back by hand, \
                     as docs/backups.md says",
                    bucket.store.largest()
                )));
            }
            all.push(Written { piece, bucket });
        }
        Ok(all)
    }

    /// Writes the objects back that differ. Returns how many.
    pub(super) async fn write_back(&self, all: &[Written<'_>]) -> Result<u64, Failure> {
        let mut count = 0;
        for Written { piece, bucket } in all {
            let written = self.backups.put_back(&self.row.at(), piece, bucket, &self.progress).await;
            count += written.map_err(|error| Failure::from(error).about(&named(piece.kind, &piece.name)))?;
        }
        Ok(count)
    }
}

/// The newest complete backup with this bucket, and what it has of it.
fn earlier(rows: &[BackupRow], bucket: &Bucket) -> Result<Option<(String, Piece)>, Failure> {
    let is_whole = |row: &&BackupRow| row.state == BackupState::Complete && row.work != Some(BackupWork::Delete);
    for row in rows.iter().filter(is_whole) {
        let is_it = |piece: &Piece| piece.objects.is_some() && piece.kind == bucket.kind && piece.name == bucket.name;
        if let Some(piece) = row.pieces()?.into_iter().find(is_it) {
            return Ok(Some((row.at(), piece)));
        }
    }
    Ok(None)
}

/// The bucket that the objects of a piece are written back into; none: an operator entered it, so that it stays as it is.
///
/// # Errors
/// Why they cannot be written back, and what to do.
pub(in crate::instances::backups) fn target<'c>(
    contents: &'c Contents,
    piece: &Piece,
) -> Result<Option<&'c ResourceRow>, String> {
    let words = named(piece.kind, &piece.name);
    let Some(row) = contents.database(piece.kind, &piece.name) else {
        return Err(format!(
            "The instance has no {words} that the backup's objects could be written to. Launch an app server, which makes it; then restore \
             the backup."
        ));
    };
    if row.class == ResourceClass::Given {
        return Ok(None);
    }
    if row.state != ResourceState::Present {
        return Err(format!("The {words} is {}; objects are written only to one that is present.", row.state.as_str()));
    }
    Ok(Some(row))
}
