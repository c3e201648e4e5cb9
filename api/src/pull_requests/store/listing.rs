//! Lists of pull requests, the last changed first.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, PgExpressionMethods,
    QueryDsl, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use super::rows::Row;
use crate::db::DbError;
use crate::db::keyset::{Order, at_most};
use crate::db::schema::{pull_requests, watched_repositories};
use crate::db::words::words;

/// Which pull requests, and from where.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those with this state.
    pub state: Option<PullRequestState>,
    /// Only those whose commit waits for an operator (true), or only the others.
    pub needs_approval: Option<bool>,
    /// Only those with words that begin so in title, author, source or branch, or with this number.
    pub text: Option<String>,
    /// Only those after this one.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: i64,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// When the last one changed.
    pub updated: String,
    /// And its id.
    pub id: PullRequestId,
}

impl Place {
    /// That of a pull request.
    pub fn of(id: PullRequestId, updated: DateTime<Utc>) -> Self {
        Self { updated: updated.to_rfc3339_opts(SecondsFormat::Micros, true), id }
    }
}

/// As the index pull_requests_words has it.
const WORDS: &str = "search_words(pull_requests.number::text, pull_requests.title, pull_requests.author, \
    coalesce(pull_requests.fork_name, ''), pull_requests.branch_name)";

const NEWEST: Order =
    Order { by: "pull_requests.github_updated", id: "pull_requests.id", kind: "timestamptz", is_descending: true };

/// Pull requests in order, each with the name of its repository.
///
/// # Errors
/// When the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<(Row, String)>, DbError> {
    let mut select = pull_requests::table
        .inner_join(watched_repositories::table)
        .order(NEWEST.by())
        .select((Row::as_select(), watched_repositories::name))
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

/// One of them, with the name of its repository.
///
/// # Errors
/// When the statement fails.
pub async fn one(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<Option<(Row, String)>, DbError> {
    Ok(pull_requests::table
        .inner_join(watched_repositories::table)
        .filter(pull_requests::id.eq(id))
        .select((Row::as_select(), watched_repositories::name))
        .first(conn)
        .await
        .optional()?)
}
