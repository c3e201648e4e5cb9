//! Operations for operators: watch a pull request, update its instance, approve or ignore its commit.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::pull_request::{Approval, DecideCommit, Decision};
use shared_types::{FieldError, PullRequestId};

use super::store::{Row, repositories, rows, writes};
use super::{Watch, WatchError, follow, sync};
use crate::instances::Refusal;
use crate::instances::store::instances;
use crate::platform::audit;
use crate::platform::origin::Actor;

/// Watches the pull request with this address now, without waiting for the next sweep.
///
/// # Errors
/// [`Refusal::Invalid`] if the address is not of a pull request that may be watched; the errors of [`sync::sync`].
pub async fn watch_url(watch: &Watch, actor: &Actor, url: &str) -> Result<PullRequestId, WatchError> {
    let wrong = |detail: String| WatchError::Refused(Refusal::Invalid(vec![FieldError::new("url", detail)]));
    let (name, number) = address(&watch.rules.github_url, url).ok_or_else(|| {
        wrong(format!("Must be the address of a pull request: {}/owner/name/pull/27.", watch.rules.github_url))
    })?;
    let fork = watch.rules.fork(name).ok_or_else(|| {
        let forks: Vec<_> = watch.rules.forks.iter().map(|fork| fork.name.as_str()).collect();
        wrong(format!("{name} is not watched. WATCH_FORK names: {}.", list(&forks)))
    })?;
    let repository = repositories::configured(&mut *watch.manager.db.conn().await?, &fork.name).await?;
    let id = sync::sync(watch, repository.id, number).await?;
    let id = id.ok_or_else(|| wrong(format!("{name} has no open pull request {number}, or hides it from us.")))?;
    let mut conn = watch.manager.db.conn().await?;
    let row = rows::find(&mut conn, id).await?;
    let mut entry =
        audit::Entry::new(actor, Operation::WatchPullRequest).detail(json!({ "pull_request": id, "url": url }));
    if let Some(instance) = row.and_then(|row| row.instance_id) {
        entry = entry.instance(instance);
    }
    audit::record(&mut conn, entry).await?;
    Ok(id)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// `owner/name` and number of `{github}/owner/name/pull/27`; a longer path, a query and a fragment are ignored.
fn address<'a>(github_url: &str, url: &'a str) -> Option<(&'a str, i32)> {
    let path = url.trim().strip_prefix(github_url)?.strip_prefix('/')?;
    let path = path.split(['?', '#']).next()?;
    let mut parts = path.splitn(5, '/');
    let (owner, name, pull, number) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let repository = path.get(..owner.len() + 1 + name.len())?;
    let number: i32 = number.parse().ok().filter(|number| *number > 0)?;
    (pull == "pull" && super::rules::is_repository(repository)).then_some((repository, number))
}

/// Fetches a pull request and gives its instance all settings that follow from it; creates a missing instance.
/// Launches nothing.
///
/// # Errors
/// [`Refusal::Conflict`] if the commit is not approved, the settings are not valid or the source is gone; GitHub's
/// errors.
pub async fn update_instance(watch: &Watch, actor: &Actor, id: PullRequestId) -> Result<(), WatchError> {
    let not_found = || Refusal::NotFound { what: "pull request", id: id.0 };
    let row = rows::find(&mut *watch.manager.db.conn().await?, id).await?.ok_or_else(not_found)?;
    sync::fetch(watch, row.repository_id, row.number).await?;
    let mut conn = watch.manager.db.conn().await?;
    let done: Result<(), Refusal> = conn
        .transaction(async |conn| {
            let row = rows::lock(conn, id).await?.ok_or_else(not_found)?;
            refuse(&row)?;
            follow::apply(watch, conn, &row, actor).await?;
            let row = rows::find(conn, id).await?.ok_or_else(not_found)?;
            follow::tell(conn, &row).await?;
            let detail = json!({ "pull_request": id, "commit": row.head_commit });
            let mut entry = audit::Entry::new(actor, Operation::UpdateInstanceFromPullRequest).detail(detail);
            if let Some(instance) = row.instance_id {
                entry = entry.instance(instance);
            }
            Ok(audit::record(conn, entry).await?)
        })
        .await;
    if done.is_err() {
        // The new state is stored, so no sweep enqueues it again: do the automatic part here.
        conn.transaction(async |conn| follow::follow(watch, conn, id).await).await?;
    }
    Ok(done?)
}

/// Refuses if the pull request's settings may not be applied.
fn refuse(row: &Row) -> Result<(), Refusal> {
    if let Some(trouble) = &row.settings_trouble {
        return Err(Refusal::Conflict(format!("The settings in its description cannot be used: {trouble}")));
    }
    if row.approval().allows() {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "Commit {} is by an author who is not of the team; approve it first.",
        row.head_commit
    )))
}

/// Approves or ignores a commit whose author or source is not trusted.
///
/// # Errors
/// [`Refusal::Invalid`] without a version; [`Refusal::Conflict`] if another commit or version is the current one, if
/// author and source are trusted, or if the machines are not for commits of others.
pub async fn decide(
    watch: &Watch,
    actor: &Actor,
    id: PullRequestId,
    decision: Decision,
    seen: &DecideCommit,
) -> Result<(), Refusal> {
    let not_found = || Refusal::NotFound { what: "pull request", id: id.0 };
    let Some(version) = seen.version else {
        let words = "Say which version you have reviewed: the commit does not cover the settings in the description.";
        return Err(Refusal::Invalid(vec![FieldError::new("version", words)]));
    };
    let mut conn = watch.manager.db.conn().await?;
    conn.transaction(async |conn| {
        let row = rows::lock(conn, id).await?.ok_or_else(not_found)?;
        if row.head_commit != seen.commit || version != row.version {
            return Err(Refusal::Conflict(format!(
                "The pull request has changed since: commit {}, version {}. Look at it, and decide again.",
                row.head_commit, row.version
            )));
        }
        let before = row.approval();
        if before == Approval::NotNeeded {
            return Err(Refusal::Conflict("Author and source are the team's; nothing needs to be decided.".into()));
        }
        let instance = match row.instance_id {
            Some(instance) => instances::find(conn, instance).await?,
            None => None,
        };
        let choice = instance.and_then(|instance| instance.provider);
        if let (Decision::Approved, Some(obstacle)) = (decision, watch.approval_obstacle(choice.as_ref())) {
            return Err(Refusal::Conflict(obstacle.to_owned()));
        }
        writes::decide(conn, &row, decision, actor).await?;
        record(conn, actor, &row, decision).await?;
        let after = rows::find(conn, id).await?.ok_or_else(not_found)?;
        follow::tell(conn, &after).await?;
        follow::follow(watch, conn, id).await
    })
    .await
}

async fn record(conn: &mut AsyncPgConnection, actor: &Actor, row: &Row, decision: Decision) -> Result<(), Refusal> {
    let operation = match decision {
        Decision::Approved => Operation::ApprovePullRequest,
        Decision::Ignored => Operation::IgnorePullRequest,
    };
    let detail = json!({ "pull_request": row.id, "commit": row.head_commit, "version": row.version });
    let mut entry = audit::Entry::new(actor, operation).detail(detail);
    if let Some(instance) = row.instance_id {
        entry = entry.instance(instance);
    }
    Ok(audit::record(conn, entry).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_this_github_and_of_a_pull_request() {
        let github = "https://github.com";
        for right in ["/acme/edx/pull/27", "/acme/edx/pull/27/files", "/acme/edx/pull/27#x", "/acme/edx/pull/27?a=b"] {
            assert_eq!(address(github, &format!("{github}{right}")), Some(("acme/edx", 27)), "{right}");
        }
        let wrong = [
            "https://github.com.evil.example/acme/edx/pull/27",
            "https://github.com/acme/edx/issues/27",
            "https://github.com/acme/edx/pull/0",
            "https://github.com/acme/edx/pull/-1",
            "https://github.com/acme/edx/pull/99999999999",
            "https://github.com/acme/../pull/1",
            "https://github.com/acme/edx/pull",
            "acme/edx#27",
            "",
        ];
        for wrong in wrong {
            assert_eq!(address(github, wrong), None, "{wrong}");
        }
    }
}
