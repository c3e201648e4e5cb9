//! Brings the instance in line with its pull request. Reads only the stored row and is idempotent: it can be repeated
//! at any time.

use chrono::Utc;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::pull_request::{Owed, PullRequestState};
use shared_types::{EventKind, InstanceId, PullRequestId, Trigger};

use super::store::{Row, repositories, rows, writes};
use super::{INSTANCE_TYPE, Watch, describe};
use crate::config::OnCommit;
use crate::instances::Refusal;
use crate::instances::builds::{launch, stop};
use crate::instances::settings::create::NewInstanceRequest;
use crate::instances::settings::{create, update};
use crate::instances::store::{app_servers, instances, locks};
use crate::instances::upkeep::archive;
use crate::platform::events;
use crate::platform::origin::Actor;

/// How many attempts a build for a pull request has.
const ATTEMPTS: i32 = 2;

/// Updates the instance, in the caller's transaction. A refusal rolls all of it back and is stored as the pull
/// request's trouble.
///
/// # Errors
/// [`Refusal::Db`] when the database fails.
pub(super) async fn follow(watch: &Watch, conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), Refusal> {
    let Some(row) = rows::lock(conn, id).await? else { return Ok(()) };
    let done = conn.transaction(async |conn| act(watch, conn, &row).await).await;
    let trouble = match done {
        Ok(()) => None,
        Err(Refusal::Db(error)) => return Err(Refusal::Db(error)),
        Err(refusal) => Some(words(&refusal)),
    };
    if trouble != row.trouble {
        writes::trouble(conn, id, trouble.as_deref()).await?;
    }
    match rows::find(conn, id).await? {
        Some(now) if now != row => tell(conn, &now).await,
        Some(_) | None => Ok(()),
    }
}

/// Records the event that the pull request changed.
pub(super) async fn tell(conn: &mut AsyncPgConnection, row: &Row) -> Result<(), Refusal> {
    let about = row.instance_id.map_or_else(events::About::default, events::About::instance);
    Ok(events::record(conn, EventKind::PullRequestUpdated, about).await?)
}

/// The refusal's message, with the invalid fields.
fn words(refusal: &Refusal) -> String {
    let Refusal::Invalid(errors) = refusal else { return refusal.to_string() };
    let all: Vec<_> = errors.iter().map(|one| format!("{}: {}", one.pointer, one.detail)).collect();
    all.join(" ")
}

async fn act(watch: &Watch, conn: &mut AsyncPgConnection, row: &Row) -> Result<(), Refusal> {
    let instance = match row.instance_id {
        Some(id) => instances::find(conn, id).await?,
        None => None,
    };
    let is_in_use = instance.as_ref().is_some_and(|instance| instance.archived_at.is_none());
    if row.state != PullRequestState::Open {
        if is_in_use && row.archive_at.is_none() {
            let closed = row.closed_at.unwrap_or_else(Utc::now);
            writes::archive_at(conn, row.id, Some(closed + watch.rules.archive_after)).await?;
        }
        return Ok(());
    }
    if row.archive_at.is_some() {
        writes::archive_at(conn, row.id, None).await?;
    }
    let is_forgotten = watch.rules.time_to_live.is_some_and(|span| row.github_updated + span < Utc::now());
    if is_forgotten || !row.approval().allows() || row.wanted.is_none() {
        return Ok(());
    }
    let repository = repositories::find(conn, row.repository_id).await?;
    let repository = repository.ok_or(Refusal::NotFound { what: "watched repository", id: row.repository_id })?;
    let by = By { watch, actor: describe::actor(&repository.name, row.number), repository: repository.configured };
    match instance {
        None => by.begin(conn, row).await,
        Some(instance) if is_in_use => by.go_on(conn, row, instance.id).await,
        Some(instance) if row.is_archived_by_us => by.come_back(conn, row, instance.id).await,
        // A user archived it, so it stays archived.
        Some(_) => Ok(()),
    }
}

/// Creates the instance of a pull request, or gives it all settings of this version. Launches nothing.
///
/// # Errors
/// [`Refusal::Conflict`] if the source repository is gone, and the refusals of creating or updating an instance.
pub(super) async fn apply(
    watch: &Watch,
    conn: &mut AsyncPgConnection,
    row: &Row,
    actor: &Actor,
) -> Result<(), Refusal> {
    let repository = repositories::find(conn, row.repository_id).await?;
    let repository = repository.ok_or(Refusal::NotFound { what: "watched repository", id: row.repository_id })?;
    let by = By { watch, actor: actor.clone(), repository: repository.configured };
    let instance = match row.instance_id {
        None => by.create(conn, row).await?,
        Some(instance) => {
            by.update(conn, row, instance, true).await?;
            instance
        }
    };
    Ok(writes::applied(conn, row, instance).await?)
}

/// The actor for logs and audit, and the repository as WATCH_FORK names it.
struct By<'a> {
    watch: &'a Watch,
    actor: Actor,
    repository: String,
}

impl By<'_> {
    /// Creates the instance and launches its first app server, once the commit may run.
    async fn begin(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<(), Refusal> {
        let instance = self.create(conn, row).await?;
        self.launch(conn, row, instance).await?;
        Ok(writes::applied(conn, row, instance).await?)
    }

    /// Does what `row.owed` says: updates the settings, and launches an app server for `Rebuild`.
    async fn go_on(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), Refusal> {
        let Some(owed) = row.owed else { return Ok(()) };
        let follows = self.watch.on_commit(&self.repository) != OnCommit::Nothing;
        if owed == Owed::Rebuild {
            // Before the instance, which the update locks.
            locks::builds_of(conn, instance).await?;
        }
        self.update(conn, row, instance, follows).await?;
        if owed == Owed::Rebuild {
            self.stop_older(conn, instance, row).await?;
            self.launch(conn, row, instance).await?;
        }
        if follows || self.has_commit(conn, row, instance).await? {
            return Ok(writes::applied(conn, row, instance).await?);
        }
        Ok(writes::settled(conn, row.id).await?)
    }

    /// Restores and launches an instance whose pull request was reopened or has changed again.
    async fn come_back(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), Refusal> {
        archive::restore(&self.watch.manager, conn, &self.actor, instance).await?;
        writes::archived(conn, row.id, false).await?;
        self.update(conn, row, instance, true).await?;
        self.launch(conn, row, instance).await?;
        Ok(writes::applied(conn, row, instance).await?)
    }

    async fn create(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<InstanceId, Refusal> {
        self.has_source(row)?;
        let previews = self.watch.manager.previews(INSTANCE_TYPE.word)?;
        let subdomain = self.free_subdomain(conn, row).await?;
        let request = NewInstanceRequest {
            name: describe::name(row),
            instance_type: INSTANCE_TYPE.word.into(),
            settings: describe::new_instance(previews, &self.watch.rules, &subdomain, row),
        };
        create::create(&self.watch.manager, conn, &self.actor, request).await
    }

    /// The short form, unless a pull request of another repository has it, as after a new order in WATCH_FORK.
    async fn free_subdomain(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<String, Refusal> {
        let rules = &self.watch.rules;
        let short = describe::subdomain(rules, &self.repository, row.number);
        let is_taken = rows::is_domain_of_another(conn, row.id, &describe::domain(rules, &short)).await?;
        Ok(if is_taken { describe::own_subdomain(&self.repository, row.number) } else { short })
    }

    async fn update(
        &self,
        conn: &mut AsyncPgConnection,
        row: &Row,
        instance: InstanceId,
        with_source: bool,
    ) -> Result<(), Refusal> {
        if with_source {
            self.has_source(row)?;
        }
        let locked = instances::lock(conn, instance).await?;
        let locked = locked.ok_or(Refusal::NotFound { what: "instance", id: instance.0 })?;
        let previews = self.watch.manager.previews(&locked.instance_type)?;
        let mut fields = describe::description_settings(previews, row);
        if with_source {
            fields.extend(describe::source_settings(previews, &self.watch.rules, row));
            fields.insert("name".into(), describe::name(row).into());
        }
        update::update(&self.watch.manager, conn, &self.actor, instance, locked.version, fields).await
    }

    /// Whether the instance's settings name this commit already.
    async fn has_commit(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<bool, Refusal> {
        let Some(instance) = instances::find(conn, instance).await? else { return Ok(false) };
        let version_of = self.watch.manager.previews(&instance.instance_type)?.version_of;
        Ok(version_of(&instance.settings.hidden()) == Some(row.head_commit.as_str()))
    }

    /// Stops builds that were requested for an older commit.
    async fn stop_older(&self, conn: &mut AsyncPgConnection, instance: InstanceId, row: &Row) -> Result<(), Refusal> {
        for older in app_servers::with_machines(conn, instance).await? {
            if older.status.is_building() && older.requested_by == self.actor {
                let reason = format!("commit {} has come", row.head_commit);
                stop::stop(conn, &self.actor, older.id, Some(reason)).await?;
            }
        }
        Ok(())
    }

    async fn launch(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), Refusal> {
        let request = launch::Request {
            num_attempts: ATTEMPTS,
            activate_when_running: true,
            ..launch::Request::once(Trigger::PullRequest, Some(format!("commit {}", row.head_commit)))
        };
        launch::launch(&self.watch.manager, conn, &self.actor, instance, request).await.map(drop)
    }

    fn has_source(&self, row: &Row) -> Result<(), Refusal> {
        if row.fork_name.is_some() {
            return Ok(());
        }
        let words = format!(
            "The repository that pull request {}#{} comes from is gone; its commit cannot be fetched.",
            self.repository, row.number
        );
        Err(Refusal::Conflict(words))
    }
}
