//! Clears leftover run directories. If the build has ended, the rest of its output is stored in the log and the
//! directory is removed; directories of unknown builds are removed, too. Running builds are left alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::AsyncConnection;
use shared_types::AppServerId;

use crate::ansible::port::{SpoolLine, SpoolPosition, SpoolSink};
use crate::instances::Manager;
use crate::instances::builds::{hooks, words};
use crate::instances::settings::opened::Opened;
use crate::instances::store::{app_servers, builds, hook_runs};
use crate::platform::db::DbError;
use crate::platform::logs::{self, Line, Mask};
use crate::platform::removal;

/// Looks at every directory. A failure is logged, and retried by the next sweep.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    for id in directories(&manager.options.runs_dir).await {
        if builds::is_under_way(&mut *manager.db.conn().await?, id).await? {
            continue;
        }
        if let Err(error) = clear(manager, id).await {
            tracing::warn!(app_server = %id, error, "the runs of a build that is over could not be cleared away");
        }
    }
    clear_hooks(manager).await
}

/// Removes the directories of hooks that have ended: their worker died, and one on another host went on.
async fn clear_hooks(manager: &Manager) -> Result<(), DbError> {
    let runs_dir = &manager.options.runs_dir;
    let id = |name: &String| name.strip_prefix(hooks::DIRECTORY)?.parse().ok();
    let ids: Vec<i64> = names(runs_dir).await.iter().filter_map(id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for id in hook_runs::over(&mut *manager.db.conn().await?, &ids).await? {
        if let Err(error) = drop_runs(manager, hooks::directory(runs_dir, id)).await {
            tracing::warn!(hook_run = id, error, "the directory of a hook that is over could not be removed");
        }
    }
    Ok(())
}

async fn drop_runs(manager: &Manager, dir: PathBuf) -> Result<(), String> {
    for name in names(&dir).await {
        let run = dir.join(name);
        let ended = manager.ansible.recover(&run, SpoolPosition::default(), &mut Nowhere).await;
        ended.map_err(|error| error.to_string())?;
    }
    removal::remove(dir).await.map_err(|error| error.to_string())
}

/// The builds that have a directory here.
async fn directories(runs_dir: &Path) -> Vec<AppServerId> {
    names(runs_dir).await.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The names in a directory; none if there is no such directory.
async fn names(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(mut entries) = tokio::fs::read_dir(dir).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            names.extend(entry.file_name().into_string());
        }
    }
    names
}

async fn clear(manager: &Manager, id: AppServerId) -> Result<(), String> {
    let dir = manager.options.runs_dir.join(id.to_string());
    let last = last_run(manager, id).await.map_err(|error| error.to_string())?;
    for name in names(&dir).await {
        let run = dir.join(&name);
        let taken = match &last {
            Some((of_last, sink)) if *of_last == name => {
                let mut sink = Late { manager, mask: sink.mask.clone(), ..*sink };
                manager.ansible.recover(&run, sink.position, &mut sink).await
            }
            // The output of an earlier run was stored before the next one began.
            Some(_) | None => manager.ansible.recover(&run, SpoolPosition::default(), &mut Nowhere).await,
        };
        taken.map_err(|error| error.to_string())?;
    }
    removal::remove(dir).await.map_err(|error| error.to_string())
}

/// The directory's name of a build's last run, and the sink for the rest of its output.
async fn last_run(manager: &Manager, id: AppServerId) -> Result<Option<(String, Late<'_>)>, DbError> {
    let mut conn = manager.db.conn().await?;
    let (Some(row), Some(state)) = (app_servers::find(&mut conn, id).await?, builds::find(&mut conn, id).await?) else {
        return Ok(None);
    };
    let about = logs::About::AppServer(row.instance_id, id);
    let (mask, position) = (Arc::new(words::mask(&Opened::of(manager, &mut conn, &row).await?)), state.position());
    Ok(Some((format!("{}-{}", state.playbook, state.run), Late { manager, id, about, mask, position })))
}

/// Stores output of a build that no process holds. Of two processes that do so at once, the stored position lets one.
struct Late<'a> {
    manager: &'a Manager,
    id: AppServerId,
    about: logs::About,
    mask: Arc<Mask>,
    position: SpoolPosition,
}

#[async_trait]
impl SpoolSink for Late<'_> {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        let stored = match self.store(lines.clone(), position).await {
            // Otherwise the same lines would be met again at each attempt, for ever.
            Err(error) if error.refuses_data() => {
                tracing::warn!(app_server = %self.id, %error, "output of a run is refused by the database");
                self.store(lines.iter().map(SpoolLine::unstorable).collect(), position).await
            }
            stored => stored,
        };
        let was_first = stored.map_err(|error| error.to_string())?;
        self.position = position;
        if was_first { Ok(()) } else { Err("another worker takes it in".to_owned()) }
    }
}

impl Late<'_> {
    async fn store(&self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<bool, DbError> {
        let mut lines: Vec<Line> = lines
            .into_iter()
            .map(|SpoolLine { at, level, text, task, progress: _ }| Line { at, level, text, task })
            .collect();
        words::hide(&self.mask, &mut lines);
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            builds::lock(conn, self.id).await?;
            let now = builds::find(conn, self.id).await?.map(|state| state.position());
            if now != Some(self.position) {
                return Ok(false);
            }
            logs::append(conn, self.about, &lines).await?;
            builds::keep_progress(conn, self.id, position, builds::Tasks::default()).await?;
            Ok(true)
        })
        .await
    }
}

/// A sink that discards its lines.
struct Nowhere;

#[async_trait]
impl SpoolSink for Nowhere {
    async fn take(&mut self, _: Vec<SpoolLine>, _: SpoolPosition) -> Result<(), String> {
        Ok(())
    }
}
