//! Restores a backup: checks all files, makes what another instance does not have yet, puts the maintenance page up, replaces one database
//! after another, and writes those objects back that differ. An attempt that was interrupted is begun again from the start.

use std::time::{Duration, Instant};

use diesel_async::AsyncConnection;
use shared_types::backup::BackupWork;
use shared_types::resource::ResourceState;

use super::{Failure, Task};
use crate::backups::{Piece, Source};
use crate::instances::backups::contents::{self, Contents, named};
use crate::instances::backups::{migration, page, restore};
use crate::instances::store::backups::work as store;
use crate::instances::store::{copies, instances};
use crate::platform::logs::Line;
use crate::resources::connection::Used;
use crate::resources::names;
use crate::resources::registry::Named;
use crate::resources::server::Attempt;
use crate::resources::store::ResourceRow;

/// How long the gateway may take to have the maintenance page.
const PAGE_LIMIT: Duration = Duration::from_secs(60);

/// A database, and the file that replaces it.
struct Replacement<'t> {
    piece: &'t Piece,
    row: &'t ResourceRow,
    server: &'t Named,
    username: &'t str,
    target: Source,
}

impl Task<'_> {
    pub(super) async fn restore(&self) -> Result<(), Failure> {
        let pieces = self.row.pieces()?;
        for piece in &pieces {
            let checked = self.backups.check(&self.row.at(), piece, &self.progress).await;
            checked.map_err(|error| Failure::from(error).about(&named(piece.kind, &piece.name)))?;
        }
        if self.row.into_instance_id.is_some() {
            self.make_databases(&pieces).await?;
        }
        let (contents, places) = self.places().await?;
        let mut replacements = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.objects.is_none()) {
            let (row, server) = self.target(&contents, piece).await?;
            let no_account = || Failure::Permanent(format!("{}: the instance has no account for it", row.words()));
            let place = places.get(&piece.kind).ok_or_else(no_account)?;
            let (username, target) = (place.account.username.as_str(), place.source(&piece.name, &row.remote_name));
            replacements.push(Replacement { piece, row, server, username, target });
        }
        let buckets = self.written(&contents, &pieces).await?;
        self.put_page_up().await?;
        self.note_replacing().await?;
        for one in &replacements {
            self.replace(one).await.map_err(|failure| failure.about(&named(one.piece.kind, &one.piece.name)))?;
        }
        let count = self.write_back(&buckets).await?;
        let entered = pieces.iter().filter(|piece| piece.objects.is_some()).count() - buckets.len();
        let databases = (!replacements.is_empty()).then(|| "the databases are as they were then".to_owned());
        let objects = (!buckets.is_empty()).then(|| format!("{count} objects that differed were written back"));
        let entered = (entered > 0).then(|| "buckets that an operator entered stay as they are".to_owned());
        let words: Vec<_> = [databases, objects, entered].into_iter().flatten().collect();
        self.restored(&words.join("; ")).await
    }

    /// The database that a file replaces, and its server. Only one with a name of this installation is ever deleted.
    async fn target<'c>(
        &'c self,
        contents: &'c Contents,
        piece: &Piece,
    ) -> Result<(&'c ResourceRow, &'c Named), Failure> {
        let row = restore::target(self.manager, contents, piece).map_err(Failure::Permanent)?;
        let installation = self.manager.db.installation().await?;
        match contents::server(self.manager, row) {
            Some(server) if names::is_ours(row.kind, &installation, &row.remote_name) => Ok((row, server)),
            Some(_) | None => Err(Failure::Permanent(format!(
                "{}: the name does not begin with {}, so it is not deleted",
                row.words(),
                names::prefix(row.kind, &installation)
            ))),
        }
    }

    /// Makes what another instance does not have yet of the databases that are replaced, as its first build would.
    async fn make_databases(&self, pieces: &[Piece]) -> Result<(), Failure> {
        let contents = contents::of_instance(&mut *self.manager.db.conn().await?, self.row.target()).await?;
        let is_missing = |kind| contents.rows.iter().any(|row| row.kind == kind && row.state != ResourceState::Present);
        let is_made = |row: &&ResourceRow| pieces.iter().any(|piece| piece.kind == row.kind) && is_missing(row.kind);
        let made = contents.rows.iter().filter(is_made);
        let used: Vec<_> = made.map(|row| Used { id: row.id, remote_name: row.remote_name.clone() }).collect();
        match used.is_empty() {
            true => Ok(()),
            // Who may use buckets, the next build says.
            false => Ok(self.manager.works().make(&used, &[]).await.map(drop)?),
        }
    }

    /// From here on, the data of the target are those of the backup, in part or whole.
    async fn note_replacing(&self) -> Result<(), Failure> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            if !store::note_replacing(conn, self.claim).await? {
                return Err(Failure::Lost);
            }
            match self.row.into_instance_id {
                Some(into) => Ok(copies::note_replacing(conn, into).await?),
                None => Ok(()),
            }
        })
        .await
    }

    /// Puts the maintenance page up, unless one is up, and waits until the gateway has it.
    async fn put_page_up(&self) -> Result<(), Failure> {
        let id = self.row.target();
        let wanted = page::put_up(&mut *self.manager.db.conn().await?, id, self.claim).await?;
        let wanted = wanted.ok_or(Failure::Lost)?;
        let began = Instant::now();
        loop {
            let row = instances::find(&mut *self.manager.db.conn().await?, id).await?;
            if row.is_some_and(|row| row.routing_applied_generation >= wanted) {
                return Ok(());
            }
            if self.progress.cancel.is_cancelled() {
                return Err(Failure::Lost);
            }
            if began.elapsed() > PAGE_LIMIT {
                return Err(Failure::Transient(format!(
                    "the gateway has not put the maintenance page up within {} s",
                    PAGE_LIMIT.as_secs()
                )));
            }
            tokio::time::sleep(self.manager.options.poll).await;
        }
    }

    async fn replace(&self, one: &Replacement<'_>) -> Result<(), Failure> {
        if self.progress.cancel.is_cancelled() {
            return Err(Failure::Lost);
        }
        let Replacement { piece, row, server, username, target } = one;
        server.server.delete_database(&row.remote_name).await?;
        server.server.make_database(&row.remote_name, username, Attempt::Again).await?;
        self.load(piece, target).await
    }

    /// Records that the databases are replaced and the objects written back, and takes the page down.
    async fn restored(&self, how: &str) -> Result<(), Failure> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            // Before the backup: requests lock in this order.
            instances::lock(conn, self.row.target()).await?;
            if !store::end(conn, self.claim, BackupWork::Restore, None).await? {
                return Err(Failure::Lost);
            }
            let words = format!("Backup {} is restored: {how}", self.row.words());
            self.tell(conn, Line::info(words)).await?;
            page::take_down(conn, self.row.target()).await?;
            match self.row.into_instance_id {
                // What was migrated there is of databases that are gone.
                Some(_) => Ok(()),
                None => Ok(migration::restored(self.manager, conn, &self.row).await?),
            }
        })
        .await
    }
}
