//! Fetches one pull request from GitHub and stores it.

use std::collections::HashSet;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::PullRequestId;
use shared_types::pull_request::{Owed, PullRequestState};

use super::github::{GithubError, PullRequestSaid};
use super::settings_block::{self, Terms};
use super::store::repositories::{self, Repository};
use super::store::{Row, Said, rows, writes};
use super::{INSTANCE_TYPE, Watch, WatchError, describe, follow};
use crate::config::OnCommit;
use crate::instances::store::instances;

/// Fetches, stores and follows up. None: GitHub has no such pull request, or it was closed before it was first fetched.
///
/// # Errors
/// [`WatchError`] when GitHub or the database fails; the caller retries.
pub async fn sync(watch: &Watch, repository: i64, number: i32) -> Result<Option<PullRequestId>, WatchError> {
    let fetched = match fetch(watch, repository, number).await {
        // GitHub may hide it temporarily, as when a token lost a permission: the instance stays.
        Err(WatchError::Github(GithubError::NotFound(what))) => {
            tracing::warn!(repository, number, "GitHub has no {what}, or hides it from us");
            None
        }
        fetched => fetched?,
    };
    let Some(id) = fetched else { return Ok(None) };
    let mut conn = watch.manager.db.conn().await?;
    conn.transaction(async |conn| follow::follow(watch, conn, id).await).await?;
    Ok(Some(id))
}

/// Fetches and stores, without touching the instance.
///
/// # Errors
/// The same errors as [`sync`].
pub(super) async fn fetch(watch: &Watch, repository: i64, number: i32) -> Result<Option<PullRequestId>, WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    let known = repositories::find(&mut conn, repository).await?;
    let Some(known) = known else { return Ok(None) };
    drop(conn);
    let said = watch.ask(async || watch.github.pull_request(&known.name, number).await).await?;
    let is_trusted = is_trusted(watch, &known, &said).await?;
    let mut conn = watch.manager.db.conn().await?;
    conn.transaction(async |conn| {
        let repository = known_now(conn, known, &said).await?;
        take_in(watch, conn, &repository, said, is_trusted).await
    })
    .await
}

/// Updates the repository's name: GitHub's id identifies it, and it may have been renamed.
async fn known_now(
    conn: &mut AsyncPgConnection,
    known: Repository,
    said: &PullRequestSaid,
) -> Result<Repository, WatchError> {
    let github_id = said.repository.github_id;
    if known.github_id.is_some_and(|id| id != github_id) {
        return Err(WatchError::Other(format!(
            "{} is another repository by now; nothing of it is taken in",
            known.name
        )));
    }
    if known.github_id.is_none() || known.name != said.repository.name {
        repositories::is_now(conn, known.id, github_id, &said.repository.name).await?;
    }
    Ok(Repository { github_id: Some(github_id), name: said.repository.name.clone(), ..known })
}

/// Stores GitHub's answer, unless it is older than the stored row.
async fn take_in(
    watch: &Watch,
    conn: &mut AsyncPgConnection,
    repository: &Repository,
    said: PullRequestSaid,
    is_trusted: bool,
) -> Result<Option<PullRequestId>, WatchError> {
    let known = rows::lock_number(conn, repository.id, said.number).await?;
    let target = target(watch, conn, repository, &said, known.as_ref()).await?;
    let said = as_stored(watch, repository, said, &target, is_trusted);
    if let Some(row) = known {
        if row.github_updated > said.github_updated {
            writes::fetched(conn, row.id).await?;
            return Ok(Some(row.id));
        }
        let owed = owed(watch, repository, &row, &said);
        writes::store(conn, &row, &said, owed).await?;
        follow::tell(conn, &row).await?;
        return Ok(Some(row.id));
    }
    if said.state != PullRequestState::Open {
        return Ok(None);
    }
    writes::insert(conn, &said).await?;
    let row = rows::lock_number(conn, repository.id, said.number).await?;
    if let Some(row) = &row {
        follow::tell(conn, row).await?;
    }
    Ok(row.map(|row| row.id))
}

/// What the instance of this row has to get. A changed description always updates it; a new commit as WATCH_FORK and
/// WATCH_ON_COMMIT say.
fn owed(watch: &Watch, repository: &Repository, row: &Row, said: &Said) -> Option<Owed> {
    let by_commit = match watch.on_commit(&repository.configured) {
        _ if !said.has_other_source_than(row) => None,
        OnCommit::Nothing => None,
        OnCommit::Update => Some(Owed::Update),
        OnCommit::Rebuild => Some(Owed::Rebuild),
    };
    by_commit.max(said.has_other_settings_than(row).then_some(Owed::Update))
}

/// The instance of a pull request, or the one that it would get.
struct Target {
    domain: String,
    instance_type: String,
}

async fn target(
    watch: &Watch,
    conn: &mut AsyncPgConnection,
    repository: &Repository,
    said: &PullRequestSaid,
    known: Option<&Row>,
) -> Result<Target, WatchError> {
    if let Some(id) = known.and_then(|row| row.instance_id)
        && let Some(instance) = instances::find(conn, id).await?
    {
        return Ok(Target { domain: instance.domain, instance_type: instance.instance_type });
    }
    let subdomain = describe::subdomain(&watch.rules, &repository.configured, said.number);
    let domain = describe::domain(&watch.rules, &subdomain);
    Ok(Target { domain, instance_type: INSTANCE_TYPE.word.to_owned() })
}

fn as_stored(watch: &Watch, repository: &Repository, said: PullRequestSaid, target: &Target, is_trusted: bool) -> Said {
    let repositories = &watch.rules.configuration_repositories;
    let previews = watch.manager.previews(&target.instance_type).map_err(|error| error.to_string());
    let asked = previews.and_then(|previews| {
        let asked = settings_block::read(&said.body, Terms { domain: &target.domain, repositories, previews });
        asked.map(|asked| (describe::wanted(previews, &asked), asked)).map_err(|trouble| trouble.to_string())
    });
    let (extra_settings, wanted, settings_trouble, warnings) = match asked {
        Ok((wanted, asked)) => (asked.extra_settings, Some(wanted), None, asked.warnings),
        Err(trouble) => (String::new(), None, Some(trouble.chars().take(1000).collect()), Vec::new()),
    };
    let closed_at = (said.state != PullRequestState::Open).then(|| said.closed_at.unwrap_or(said.updated));
    Said {
        repository_id: repository.id,
        number: said.number,
        state: said.state,
        title: said.title,
        author: said.author,
        is_draft: said.is_draft,
        is_trusted,
        fork_name: said.fork_name,
        branch_name: said.branch_name,
        head_commit: said.head_commit,
        extra_settings,
        wanted,
        settings_trouble,
        settings_warnings: json!(warnings),
        github_updated: said.updated,
        closed_at,
    }
}

/// Whether author and source belong to the team. Users who may push to the source decide what runs, so its owner
/// counts.
async fn is_trusted(watch: &Watch, repository: &Repository, said: &PullRequestSaid) -> Result<bool, WatchError> {
    let rules = &watch.rules;
    if rules.organization.is_empty() {
        return Ok(false);
    }
    let members = watch.ask(async || watch.github.members(&rules.organization, &rules.team).await).await?;
    Ok(is_of(&members, repository, said))
}

fn is_of(members: &HashSet<String>, repository: &Repository, said: &PullRequestSaid) -> bool {
    let Some(fork) = &said.fork_name else { return false };
    let owner = fork.split('/').next().unwrap_or_default().to_lowercase();
    members.contains(&said.author.to_lowercase())
        && (members.contains(&owner) || fork.eq_ignore_ascii_case(&repository.name))
}
