//! Verifies a backup: loads each dump into a database made for this, and counts its tables; decrypts each copy of an object, and compares
//! its checksum.

use diesel_async::AsyncConnection;
use shared_types::backup::BackupWork;

use super::{Failure, Task};
use crate::backups::{Piece, Source};
use crate::instances::backups::contents::named;
use crate::instances::backups::databases::Place;
use crate::instances::backups::verify;
use crate::instances::store::backups::work as store;
use crate::platform::logs::Line;
use crate::resources::names;
use crate::resources::registry::Named;
use crate::resources::server::Attempt;

impl Task<'_> {
    pub(super) async fn verify(&self) -> Result<(), Failure> {
        let (contents, places) = self.places().await?;
        let pieces = self.row.pieces()?;
        if let Some(words) = verify::why_not(self.manager, &contents, &pieces) {
            return Err(Failure::Permanent(words));
        }
        for piece in &pieces {
            let words = named(piece.kind, &piece.name);
            if piece.objects.is_some() {
                let checked = self.backups.check(&self.row.at(), piece, &self.progress).await;
                checked.map_err(|error| Failure::from(error).about(&words))?;
                continue;
            }
            let no_server = || Failure::Permanent(format!("{words}: there is no server to load it at"));
            let place = places.get(&piece.kind).ok_or_else(no_server)?;
            let server = place.named.ok_or_else(no_server)?;
            self.try_out(piece, place, server).await.map_err(|failure| failure.about(&words))?;
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            if !store::end(conn, self.claim, BackupWork::Verify, None).await? {
                return Err(Failure::Lost);
            }
            let words = format!("Backup {} is verified: {}", self.row.id, verified(&pieces));
            Ok(self.tell(conn, Line::info(words)).await?)
        })
        .await
    }

    /// Loads a file into a database that is deleted afterwards, in any case. What a crash leaves is deleted by the next attempt, and
    /// shown by the comparison with the server until then.
    async fn try_out(&self, piece: &Piece, place: &Place<'_>, named: &Named) -> Result<(), Failure> {
        let installation = self.manager.db.installation().await?;
        let trial = names::trial(piece.kind, &installation, self.row.instance_id.0, &piece.name);
        named.server.delete_database(&trial).await?;
        let tried = async {
            named.server.make_database(&trial, &place.account.username, Attempt::Again).await?;
            self.load(piece, &place.source(&piece.name, &trial)).await
        };
        let tried = tried.await;
        let deleted = named.server.delete_database(&trial).await;
        tried?;
        Ok(deleted?)
    }

    /// Loads a file into an empty database, and compares the number of tables.
    pub(super) async fn load(&self, piece: &Piece, target: &Source) -> Result<(), Failure> {
        self.backups.load(&self.row.at(), piece, target, &self.progress).await?;
        let tables = self.backups.tables(target).await?;
        if tables == piece.tables {
            return Ok(());
        }
        Err(Failure::Permanent(format!(
            "it has {tables} tables after it was loaded, and had {} when the backup was written",
            piece.tables
        )))
    }
}

/// What was found of these files.
fn verified(pieces: &[Piece]) -> String {
    let count: u64 = pieces.iter().filter_map(|piece| piece.objects.as_ref()).map(|objects| objects.count).sum();
    let loaded =
        pieces.iter().any(|piece| piece.objects.is_none()).then(|| "it was loaded, and has all tables".to_owned());
    let objects = pieces.iter().any(|piece| piece.objects.is_some());
    let objects = objects.then(|| format!("the checksums of its {count} objects are right"));
    loaded.into_iter().chain(objects).collect::<Vec<_>>().join("; ")
}
