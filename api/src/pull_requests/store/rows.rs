//! Rows of the table `pull_requests`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, Insertable, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Deserialize;
use serde_json::Value;
use shared_types::pull_request::{Approval, Decision, Owed, PullRequestState, SourcePullRequest};
use shared_types::{API_BASE, FieldWarning, InstanceId, PullRequestId};

use crate::platform::db::DbError;
use crate::platform::db::schema::{instances, pull_requests, watched_repositories};
use crate::pull_requests::settings_block;

/// A row of `pull_requests`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = pull_requests)]
pub struct Row {
    pub id: PullRequestId,
    /// The repository that it wants to change, in `watched_repositories`.
    pub repository_id: i64,
    /// Its number in the repository at GitHub.
    pub number: i32,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// The title; at most 1,000 characters.
    pub title: String,
    /// The login of the user who opened it; `ghost`: the account is gone.
    pub author: String,
    /// Whether GitHub shows it as a draft.
    pub is_draft: bool,
    /// Whether author and source belong to the trusted team, so that no operator needs to approve it.
    pub is_trusted: bool,
    /// `owner/name` of the source repository; none: it is gone.
    pub fork_name: Option<String>,
    /// The branch of the source repository.
    pub branch_name: String,
    /// The last commit of the branch.
    pub head_commit: String,
    /// The settings block of its description.
    pub extra_settings: String,
    /// The other settings of the description; none: the description cannot be used.
    pub wanted: Option<Value>,
    /// Why the description's settings cannot be used.
    pub settings_trouble: Option<String>,
    /// Advice about the description's settings: a list of `FieldWarning`.
    pub settings_warnings: Value,
    /// Counts changes of source, commit and settings; an approval is for one version.
    pub version: i64,
    /// What an operator decided.
    pub decision: Option<Decision>,
    /// The version that the decision is about.
    pub decided_version: Option<i64>,
    /// The operator who decided.
    pub decided_by: Option<String>,
    /// When the operator decided, by our clock.
    pub decided_at: Option<DateTime<Utc>>,
    /// Its instance; none: not created yet.
    pub instance_id: Option<InstanceId>,
    /// The version whose settings the instance has.
    pub applied_version: Option<i64>,
    /// What still has to be done to the instance.
    pub owed: Option<Owed>,
    /// When it last changed, by GitHub's clock.
    pub github_updated: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// When its instance will be archived; none: not scheduled.
    pub archive_at: Option<DateTime<Utc>>,
    /// Whether automation archived its instance; one that a user archived is not restored.
    pub is_archived_by_us: bool,
    /// When it was last fetched from GitHub.
    pub fetched_at: DateTime<Utc>,
    /// Why its instance could not be updated; none: it was.
    pub trouble: Option<String>,
    /// Why the last report to GitHub failed.
    pub report_trouble: Option<String>,
    /// When it was first fetched.
    pub created: DateTime<Utc>,
    /// When what is stored of it last changed.
    pub modified: DateTime<Utc>,
}

impl Row {
    /// The advice about the settings in its description.
    pub fn warnings(&self) -> Vec<FieldWarning> {
        Vec::deserialize(&self.settings_warnings).unwrap_or_default()
    }

    /// Whether its commit may run, by trust or by a decision about the current version.
    pub fn approval(&self) -> Approval {
        match self.decision.filter(|_| self.decided_version == Some(self.version)) {
            _ if self.is_trusted => Approval::NotNeeded,
            None => Approval::Needed,
            Some(Decision::Approved) => Approval::Approved,
            Some(Decision::Ignored) => Approval::Ignored,
        }
    }
}

/// The columns of a pull request that come from GitHub; see [`Row`].
#[derive(Debug, Clone, PartialEq, Insertable, AsChangeset)]
#[diesel(table_name = pull_requests, treat_none_as_null = true)]
pub struct Said {
    /// The repository that it wants to change, in `watched_repositories`.
    pub repository_id: i64,
    /// Its number in the repository at GitHub.
    pub number: i32,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// The title; at most 1,000 characters.
    pub title: String,
    /// The login of the user who opened it; `ghost`: the account is gone.
    pub author: String,
    /// Whether GitHub shows it as a draft.
    pub is_draft: bool,
    /// Whether author and source belong to the trusted team, so that no operator needs to approve it.
    pub is_trusted: bool,
    /// `owner/name` of the source repository; none: it is gone.
    pub fork_name: Option<String>,
    /// The branch of the source repository.
    pub branch_name: String,
    /// The last commit of the branch.
    pub head_commit: String,
    /// The settings block of its description.
    pub extra_settings: String,
    /// The other settings of the description; none: the description cannot be used.
    pub wanted: Option<Value>,
    /// Why the description's settings cannot be used.
    pub settings_trouble: Option<String>,
    /// Advice about the description's settings: a list of `FieldWarning`.
    pub settings_warnings: Value,
    /// When it last changed, by GitHub's clock.
    pub github_updated: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

impl Said {
    /// Whether another commit or other settings would run than this row has.
    pub fn runs_otherwise_than(&self, row: &Row) -> bool {
        self.has_other_source_than(row) || self.has_other_settings_than(row)
    }

    /// Whether the source repository or the head commit differs.
    pub fn has_other_source_than(&self, row: &Row) -> bool {
        (&self.fork_name, &self.head_commit) != (&row.fork_name, &row.head_commit)
    }

    /// Whether the description's settings differ.
    pub fn has_other_settings_than(&self, row: &Row) -> bool {
        self.wanted != row.wanted || !settings_block::is_same(&self.extra_settings, &row.extra_settings)
    }
}

/// One pull request; none: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<Option<Row>, DbError> {
    Ok(pull_requests::table.find(id).select(Row::as_select()).first(conn).await.optional()?)
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<Option<Row>, DbError> {
    Ok(pull_requests::table.find(id).select(Row::as_select()).for_no_key_update().first(conn).await.optional()?)
}

/// The pull request with this number, locked until the transaction ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock_number(conn: &mut AsyncPgConnection, repository: i64, number: i32) -> Result<Option<Row>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::repository_id.eq(repository))
        .filter(pull_requests::number.eq(number))
        .select(Row::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// Whether the instance of another pull request has this domain.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_domain_of_another(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    domain: &str,
) -> Result<bool, DbError> {
    let others = pull_requests::table
        .inner_join(instances::table.on(instances::id.nullable().eq(pull_requests::instance_id)))
        .filter(instances::domain.eq(domain))
        .filter(pull_requests::id.ne(id));
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(conn).await?)
}

/// The pull request that an instance was made for.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn source_of(
    conn: &mut AsyncPgConnection,
    instance: InstanceId,
    github_url: &str,
) -> Result<Option<SourcePullRequest>, DbError> {
    let row: Option<(PullRequestId, i32, String)> = pull_requests::table
        .inner_join(watched_repositories::table)
        .filter(pull_requests::instance_id.eq(instance))
        .select((pull_requests::id, pull_requests::number, watched_repositories::name))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(id, number, repository)| SourcePullRequest {
        id,
        api_url: format!("{API_BASE}/pull-requests/{id}"),
        github_pr_number: number,
        github_pr_url: page(github_url, &repository, number),
    }))
}

/// The URL of a pull request at GitHub.
pub fn page(github_url: &str, repository: &str, number: i32) -> String {
    format!("{}/{repository}/pull/{number}", github_url.trim_end_matches('/'))
}
