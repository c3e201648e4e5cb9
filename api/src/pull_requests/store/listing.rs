//! Lists of pull requests, the last changed first.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::sql_types::{Nullable, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, PgExpressionMethods,
    QueryDsl, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use super::rows::Row;
use crate::instances::store::pins;
use crate::platform::db::DbError;
use crate::platform::db::fixed::{Fixed, VALUE, fixed};
use crate::platform::db::keyset::{Order, at_most};
use crate::platform::db::schema::{pull_requests, watched_repositories};
use crate::platform::db::words::words;

/// The filters and the page of a list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those with this state.
    pub state: Option<PullRequestState>,
    /// Only open ones whose commit needs approval (true), or only the others (false).
    pub needs_approval: Option<bool>,
    /// Only those with words in title, author, source or branch that begin with these, or with this number.
    pub text: Option<String>,
    /// Only those after this place.
    pub after: Option<Place>,
    /// The most rows to return.
    pub limit: i64,
}

/// The last row of a page, for a cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// `github_updated` of the last row, in RFC 3339 with microseconds.
    pub updated: String,
    pub id: PullRequestId,
}

impl Place {
    /// The place of this pull request.
    pub fn of(id: PullRequestId, updated: DateTime<Utc>) -> Self {
        Self { updated: updated.to_rfc3339_opts(SecondsFormat::Micros, true), id }
    }
}

/// Must be the expression of the index `pull_requests_words`.
const WORDS: &str = "search_words(pull_requests.number::text, pull_requests.title, pull_requests.author, \
    coalesce(pull_requests.fork_name, ''), pull_requests.branch_name)";

const NEWEST: Order =
    Order { by: "pull_requests.github_updated", id: "pull_requests.id", kind: "timestamptz", is_descending: true };

/// A pull request, the name of its repository, and the commit that its active app server was built from; none: no app
/// server is active, or its commit is not known.
pub type Found = (Row, String, Option<String>);

/// [`VALUE`] stands for the names of the references with the code, as `Manager::code_references` gives them.
static RUNNING_COMMIT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "(SELECT {} FROM instances AS i JOIN app_servers AS a ON a.id = i.active_app_server_id \
            WHERE i.id = pull_requests.instance_id)",
        pins::commit_sql("a", &format!("{VALUE} ->> i.instance_type"))
    )
});

fn running_commit(references: &Value) -> Fixed<Nullable<Text>> {
    fixed(RUNNING_COMMIT.as_str()).with(references)
}

/// A page of pull requests, the last changed first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query, references: &Value) -> Result<Vec<Found>, DbError> {
    let mut select = pull_requests::table
        .inner_join(watched_repositories::table)
        .order(NEWEST.by())
        .select((Row::as_select(), watched_repositories::name, running_commit(references)))
        .into_boxed();
    if let Some(state) = query.state {
        select = select.filter(pull_requests::state.eq(state));
    }
    let is_decided = pull_requests::decided_version.is_not_distinct_from(pull_requests::version.nullable());
    let is_waiting = pull_requests::state
        .eq(PullRequestState::Open)
        .and(pull_requests::is_trusted.eq(false))
        .and(diesel::dsl::not(is_decided));
    match query.needs_approval {
        Some(true) => select = select.filter(is_waiting),
        Some(false) => select = select.filter(diesel::dsl::not(is_waiting)),
        None => {}
    }
    if let Some(text) = &query.text {
        select = select.filter(words(WORDS, text));
    }
    if let Some(Place { updated, id }) = &query.after {
        select = select.filter(NEWEST.after(updated.clone(), id.0));
    }
    Ok(at_most(select, query.limit).load(conn).await?)
}

/// One pull request; none: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn one(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    references: &Value,
) -> Result<Option<Found>, DbError> {
    Ok(pull_requests::table
        .inner_join(watched_repositories::table)
        .filter(pull_requests::id.eq(id))
        .select((Row::as_select(), watched_repositories::name, running_commit(references)))
        .first(conn)
        .await
        .optional()?)
}
