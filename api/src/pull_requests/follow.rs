//! What follows from a pull request for its instance. It reads the stored row and nothing else, so it can be done again at any
//! time: what was done already is not done twice.

use chrono::Utc;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::pull_request::{Owed, PullRequestState};
use shared_types::{EventKind, InstanceId, PullRequestId, Trigger};

use super::store::{Row, repositories, rows, writes};
use super::{Watch, describe};
use crate::applications::openedx::code;
use crate::config::OnCommit;
use crate::instances::Refusal;
use crate::instances::builds::{launch, stop};
use crate::instances::settings::create::NewInstanceRequest;
use crate::instances::settings::{create, update};
use crate::instances::store::{app_servers, instances};
use crate::instances::upkeep::archive;
use crate::platform::events;

/// How often a build is tried that a pull request asks for.
const ATTEMPTS: i32 = 2;

/// Does what follows, in the caller's transaction. What cannot be done is written down as the pull request's trouble, and
/// undone as a whole.
///
/// # Errors
/// When the database fails.
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

/// Tells whoever looks that it changed.
pub(super) async fn tell(conn: &mut AsyncPgConnection, row: &Row) -> Result<(), Refusal> {
    let about = row.instance_id.map_or_else(events::About::default, events::About::instance);
    Ok(events::record(conn, EventKind::PullRequestUpdated, about).await?)
}

/// With the fields that are wrong.
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
        // Whoever archived it by hand does not want it.
        Some(_) => Ok(()),
    }
}

/// Makes the instance of a pull request without launching anything, or gives it all the settings of this version.
///
/// # Errors
/// Why that is not possible; [`Refusal::Conflict`] where it may not.
pub(super) async fn apply(watch: &Watch, conn: &mut AsyncPgConnection, row: &Row, actor: &str) -> Result<(), Refusal> {
    let repository = repositories::find(conn, row.repository_id).await?;
    let repository = repository.ok_or(Refusal::NotFound { what: "watched repository", id: row.repository_id })?;
    let by = By { watch, actor: actor.to_owned(), repository: repository.configured };
    let instance = match row.instance_id {
        None => by.create(conn, row).await?,
        Some(instance) => {
            by.update(conn, row, instance, true).await?;
            instance
        }
    };
    Ok(writes::applied(conn, row, instance).await?)
}

/// Whether the instance has this commit already.
async fn has_commit(conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<bool, Refusal> {
    let settings = instances::find(conn, instance).await?.map(|instance| instance.settings.hidden());
    Ok(settings.as_ref().and_then(code::version_of) == Some(row.head_commit.as_str()))
}

/// Who does it, and for which repository.
struct By<'a> {
    watch: &'a Watch,
    actor: String,
    repository: String,
}

impl By<'_> {
    /// First seen, or first allowed: an instance, and its first app server.
    async fn begin(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<(), Refusal> {
        let instance = self.create(conn, row).await?;
        self.launch(conn, row, instance).await?;
        Ok(writes::applied(conn, row, instance).await?)
    }

    /// What is owed.
    async fn go_on(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), Refusal> {
        let Some(owed) = row.owed else { return Ok(()) };
        let follows = self.watch.on_commit(&self.repository) != OnCommit::Nothing;
        self.update(conn, row, instance, follows).await?;
        if owed == Owed::Rebuild {
            self.stop_older(conn, instance, row).await?;
            self.launch(conn, row, instance).await?;
        }
        if follows || has_commit(conn, row, instance).await? {
            return Ok(writes::applied(conn, row, instance).await?);
        }
        Ok(writes::settled(conn, row.id).await?)
    }

    /// Reopened, or no longer forgotten.
    async fn come_back(&self, conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), Refusal> {
        archive::restore(&self.watch.manager, conn, &self.actor, instance).await?;
        writes::archived(conn, row.id, false).await?;
        self.update(conn, row, instance, true).await?;
        self.launch(conn, row, instance).await?;
        Ok(writes::applied(conn, row, instance).await?)
    }

    async fn create(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<InstanceId, Refusal> {
        self.has_source(row)?;
        let sub_domain = self.free_sub_domain(conn, row).await?;
        let request = NewInstanceRequest {
            name: describe::name(row),
            instance_type: "openedx".into(),
            settings: describe::new_instance(&self.watch.rules, &sub_domain, row),
        };
        create::create(&self.watch.manager, conn, &self.actor, request).await
    }

    /// The short one, unless a pull request of another repository has it: WATCH_FORK may have named that one first.
    async fn free_sub_domain(&self, conn: &mut AsyncPgConnection, row: &Row) -> Result<String, Refusal> {
        let rules = &self.watch.rules;
        let short = describe::sub_domain(rules, &self.repository, row.number);
        let is_taken = rows::is_domain_of_another(conn, row.id, &describe::domain(rules, &short)).await?;
        Ok(if is_taken { describe::own_sub_domain(&self.repository, row.number) } else { short })
    }

    async fn update(
        &self,
        conn: &mut AsyncPgConnection,
        row: &Row,
        instance: InstanceId,
        with_source: bool,
    ) -> Result<(), Refusal> {
        let mut fields = describe::description_settings(row);
        if with_source {
            self.has_source(row)?;
            fields.extend(describe::source_settings(&self.watch.rules, row));
            fields.insert("name".into(), describe::name(row).into());
        }
        let locked = instances::lock(conn, instance).await?;
        let version = locked.ok_or(Refusal::NotFound { what: "instance", id: instance.0 })?.version;
        update::update(&self.watch.manager, conn, &self.actor, instance, version, fields).await
    }

    /// Builds that were begun for an older commit.
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
