//! The step that makes an app server's databases and accounts outside its machine, before there is a machine that could use them.

use diesel_async::AsyncConnection;
use shared_types::resource::ResourcePart;

use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::platform::logs::Line;
use crate::resources::store;

impl Build<'_> {
    /// Makes what is not there yet, and makes sure that the rest still is.
    pub(super) async fn resources(&self) -> Result<(), StepError> {
        let used = self.row.used_resources()?;
        self.manager.works().make(&used).await?;
        let ids: Vec<_> = used.iter().map(|one| one.id).collect();
        let mut conn = self.manager.db.conn().await?;
        let rows = store::with_ids(&mut conn, &ids).await?;
        let databases = rows.iter().filter(|row| row.part == ResourcePart::Database);
        let words: Vec<_> = databases.map(|row| row.words()).collect();
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            self.write(conn, vec![Line::info(format!("Uses {}", words.join(", ")))]).await?;
            self.want_machine(conn).await
        })
        .await
    }
}
