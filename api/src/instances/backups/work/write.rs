//! Writes a backup: one file for each database, and then copies of the buckets' objects.

use diesel_async::AsyncConnection;
use shared_types::backup::BackupReason;

use super::{Failure, Task};
use crate::backups::{Copied, Piece};
use crate::instances::backups::contents::{self, Contents, named};
use crate::instances::backups::verify;
use crate::instances::store::backups::work as store;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

impl Task<'_> {
    pub(super) async fn write(&self) -> Result<(), Failure> {
        self.recognize_place().await?;
        let (contents, places) = self.places().await?;
        let at = self.row.at();
        // Files of an earlier attempt may be of a database that the instance has no more.
        self.backups.delete(&at).await?;
        let mut pieces = Vec::new();
        for row in contents.databases() {
            let words = contents::words(row);
            let no_account = || Failure::Permanent(format!("{words}: the instance has no account for it"));
            let place = places.get(&row.kind).ok_or_else(no_account)?;
            let source = place.source(&row.name, &row.remote_name);
            let written = self.backups.dump(&at, &source, &self.progress).await;
            pieces.push(written.map_err(|error| Failure::from(error).about(&words))?);
        }
        // After the databases: an application that only adds objects has stored those that rows refer to.
        if contents::has_buckets(self.row.reason) {
            pieces.extend(self.copy_buckets(&contents).await?);
        }
        if pieces.is_empty() {
            let words = "The instance has no databases any more that a backup could contain";
            return Err(Failure::Permanent(words.to_owned()));
        }
        self.complete(&contents, &pieces).await
    }

    async fn complete(&self, contents: &Contents, pieces: &[Piece]) -> Result<(), Failure> {
        let next = Actor::Backups;
        let next = self.is_verified_next(contents, pieces).then_some(&next);
        let words: Vec<_> = pieces.iter().map(words).collect();
        let line = Line::info(format!("Backup {} is complete: {}", self.row.id, words.join(", ")));
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            if !store::complete(conn, self.claim, pieces, next).await? {
                return Err(Failure::Lost);
            }
            Ok(self.tell(conn, line).await?)
        })
        .await
    }

    /// Whether the settings want it to be verified, and that is possible.
    fn is_verified_next(&self, contents: &Contents, pieces: &[Piece]) -> bool {
        self.row.reason == BackupReason::Scheduled
            && self.manager.options.backups.verifies
            && contents::why_no_restore(self.manager).is_none()
            && verify::why_not(self.manager, contents, pieces).is_none()
    }
}

/// A piece in words: `MySQL database main (12 tables, 34567 bytes)`, `S3 bucket files (1240 objects, 3 copied anew, 34567 bytes)`.
fn words(piece: &Piece) -> String {
    let Piece { kind, name, bytes, sha256: _, tables, objects } = piece;
    let words = named(*kind, name);
    let Some(Copied { count, bytes: sum, copied, left_out, .. }) = objects else {
        return format!("{words} ({tables} tables, {bytes} bytes)");
    };
    let left_out = match left_out {
        0 => String::new(),
        left_out => format!(", {left_out} left out because no address names them"),
    };
    format!("{words} ({count} objects, {copied} copied anew, {sum} bytes{left_out})")
}
