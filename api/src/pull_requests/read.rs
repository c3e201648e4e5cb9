//! Reads pull requests for the API, with a number of queries that does not grow with the rows.

use diesel_async::AsyncPgConnection;
use shared_types::{API_BASE, InstanceId, InstanceSummary, PullRequest, PullRequestId};

use super::Watch;
use super::store::{listing, rows};
use crate::instances;
use crate::platform::db::DbError;

/// A page of pull requests, each with its instance. Three queries.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn page(
    watch: &Watch,
    conn: &mut AsyncPgConnection,
    query: &listing::Query,
) -> Result<Vec<PullRequest>, DbError> {
    let rows = listing::page(conn, query, &watch.manager.code_references()).await?;
    let ids: Vec<InstanceId> = rows.iter().filter_map(|(row, ..)| row.instance_id).collect();
    let summaries = instances::settings::read::among(conn, &ids).await?;
    Ok(rows.into_iter().map(|found| shown(watch, found, &summaries)).collect())
}

/// One pull request with its instance. Three queries.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn one(
    watch: &Watch,
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
) -> Result<Option<PullRequest>, DbError> {
    let Some(found) = listing::one(conn, id, &watch.manager.code_references()).await? else { return Ok(None) };
    let ids: Vec<InstanceId> = found.0.instance_id.into_iter().collect();
    let summaries = instances::settings::read::among(conn, &ids).await?;
    Ok(Some(shown(watch, found, &summaries)))
}

fn shown(watch: &Watch, found: listing::Found, summaries: &[InstanceSummary]) -> PullRequest {
    let (row, repository, running_commit) = found;
    let approval = row.approval();
    let settings_warnings = row.warnings();
    let is_decided = row.decided_version == Some(row.version);
    let instance = row.instance_id.and_then(|id| summaries.iter().find(|one| one.id == id)).cloned();
    PullRequest {
        id: row.id,
        api_url: format!("{API_BASE}/pull-requests/{}", row.id),
        github_pr_number: row.number,
        github_pr_url: rows::page(&watch.rules.github_url, &repository, row.number),
        repository,
        title: row.title,
        author: row.author,
        state: row.state,
        is_draft: row.is_draft,
        fork_name: row.fork_name,
        branch_name: row.branch_name,
        head_commit: row.head_commit,
        extra_settings: row.extra_settings,
        settings_trouble: row.settings_trouble,
        settings_warnings,
        running_commit,
        trouble: row.trouble,
        report_trouble: row.report_trouble,
        approval,
        approval_obstacle: watch.approval_obstacle(None).map(str::to_owned),
        decided_by: row.decided_by.filter(|_| is_decided),
        decided_at: row.decided_at.filter(|_| is_decided),
        version: row.version,
        is_applied: instance.is_some() && row.applied_version == Some(row.version),
        instance,
        archives_at: row.archive_at,
        github_updated: row.github_updated,
        fetched_at: row.fetched_at,
        created: row.created,
        modified: row.modified,
    }
}
