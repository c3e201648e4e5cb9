//! What a build says: the one place where its words are stored, and where secrets are taken out of them before.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value};
use shared_types::secret::{self, Found};
use shared_types::{diff, yaml};

use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::instances::settings::opened::Opened;
use crate::platform::db::DbError;
use crate::platform::logs::{self, Line, Mask};

/// What must not be shown of an app server: the secrets of its variables and settings, passwords in the URLs of its
/// repositories.
pub fn mask(opened: &Opened) -> Mask {
    let maps = [&opened.variables, &opened.settings].into_iter().filter_map(Value::as_object);
    let mut secrets: Vec<Found> = maps.flat_map(secret::found).collect();
    let texts = opened.settings.as_object().into_iter().flatten().filter(|(name, _)| diff::holds_yaml(name));
    for (_, text) in texts {
        // What was written and is overridden, too.
        let map = text.as_str().and_then(|text| yaml::parse_map(text).ok()).unwrap_or_default();
        secrets.extend(secret::found(&map));
    }
    for stored in [&opened.playbooks, &opened.references] {
        let all = Map::from_iter([(String::new(), stored.clone())]);
        secrets.extend(secret::found(&all));
    }
    Mask::of(secrets)
}

/// Takes the secrets out of lines.
pub fn hide(mask: &Mask, lines: &mut [Line]) {
    for line in lines {
        line.text = mask.apply(std::mem::take(&mut line.text));
        line.task = line.task.take().map(|task| mask.apply(task));
    }
}

impl Build<'_> {
    /// Words without secrets, for whatever is stored or sent.
    pub(super) fn hide(&self, words: &str) -> String {
        self.known.mask.apply(words.to_owned())
    }

    /// Writes lines of the build's log, in a transaction that is fenced.
    pub(super) async fn write(&self, conn: &mut AsyncPgConnection, mut lines: Vec<Line>) -> Result<(), DbError> {
        hide(&self.known.mask, &mut lines);
        logs::append(conn, logs::About::AppServer(self.row.instance_id, self.row.id), &lines).await
    }

    /// Writes a line of the build's log.
    pub(super) async fn tell(&self, line: Line) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            Ok(self.write(conn, vec![line]).await?)
        })
        .await
    }
}
