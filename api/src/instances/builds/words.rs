//! The output and messages of a build: the one place where secrets are masked in them and they are stored.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value};
use shared_types::secret::{self, Found};
use shared_types::yaml;

use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::instances::settings::opened::Opened;
use crate::platform::db::DbError;
use crate::platform::logs::{self, Line, Mask};

/// What to mask for an app server: the secrets of its variables and settings, and passwords in the URLs of its
/// repositories.
pub fn mask(opened: &Opened) -> Mask {
    let maps = [&opened.variables, &opened.settings].into_iter().filter_map(Value::as_object);
    let mut secrets: Vec<Found> = maps.flat_map(secret::found).collect();
    let texts = opened.settings.as_object().into_iter().flatten().filter(|(name, _)| opened.schema.holds_yaml(name));
    for (_, text) in texts {
        // Include values that are overridden.
        let map = text.as_str().and_then(|text| yaml::parse_map(text).ok()).unwrap_or_default();
        secrets.extend(secret::found(&map));
    }
    for stored in [&opened.playbooks, &opened.references] {
        let all = Map::from_iter([(String::new(), stored.clone())]);
        secrets.extend(secret::found(&all));
    }
    Mask::of(secrets)
}

/// Masks the secrets in lines.
pub fn hide(mask: &Mask, lines: &mut [Line]) {
    for line in lines {
        line.text = mask.apply(std::mem::take(&mut line.text));
        line.task = line.task.take().map(|task| mask.apply(task));
    }
}

impl Build<'_> {
    /// Masks the secrets in a text that is to be stored or sent.
    pub(super) fn hide(&self, words: &str) -> String {
        self.known.mask.apply(words.to_owned())
    }

    /// Appends lines to the build's log, in a transaction that is fenced.
    pub(super) async fn write(&self, conn: &mut AsyncPgConnection, mut lines: Vec<Line>) -> Result<(), DbError> {
        hide(&self.known.mask, &mut lines);
        logs::append(conn, logs::About::AppServer(self.row.instance_id, self.row.id), &lines).await
    }

    /// Appends a line to the build's log, in its own fenced transaction.
    pub(super) async fn tell(&self, line: Line) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            Ok(self.write(conn, vec![line]).await?)
        })
        .await
    }
}
