//! The step that makes an app server's accounts, databases and buckets outside its machine, before there is a machine that could use
//! them.

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
        let refused = self.manager.works().make(&used, &self.origins()?).await?;
        let ids: Vec<_> = used.iter().map(|one| one.id).collect();
        let mut conn = self.manager.db.conn().await?;
        let rows = store::with_ids(&mut conn, &ids).await?;
        let databases = rows.iter().filter(|row| row.part == ResourcePart::Database);
        let words: Vec<_> = databases.map(|row| row.words()).collect();
        let mut lines = vec![Line::info(format!("Uses {}", words.join(", ")))];
        lines.extend(refused.into_iter().map(Line::warning));
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            self.write(conn, lines).await?;
            self.want_machine(conn).await
        })
        .await
    }

    /// The origins of the application's pages. A proxy in front may use TLS for sites that know nothing of it, so that its scheme is
    /// always among them.
    fn origins(&self) -> Result<Vec<String>, StepError> {
        let application = self.manager.application(&self.row.instance_type)?;
        let sites = application.sites(&self.known.opened.settings)?;
        let schemes: &[&str] = if sites.protocol == "https" { &["https"] } else { &["https", sites.protocol] };
        let of =
            |scheme: &&str| sites.hostnames().into_iter().map(|host| format!("{scheme}://{host}")).collect::<Vec<_>>();
        Ok(schemes.iter().flat_map(of).collect())
    }
}
