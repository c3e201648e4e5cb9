//! Lists of instances: found, sorted, and page by page.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::sql_types::{BigInt, Nullable};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use shared_types::instance::InstanceSort;
use shared_types::queue::Tier;
use shared_types::{AppServerId, InstanceId, InstanceSummary};

use super::instances::InstanceRow;
use crate::db::DbError;
use crate::db::fixed::fixed;
use crate::db::keyset::{Order, at_most};
use crate::db::schema::instances;
use crate::db::words::words;

/// Which instances, and from where.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those whose name or domain has words that begin so: `phys astro`.
    pub text: Option<String>,
    /// Only these.
    pub ids: Option<Vec<InstanceId>>,
    /// Those that were put away instead of those in use.
    pub is_archived: bool,
    /// Only of this type.
    pub instance_type: Option<String>,
    /// Only of this tier.
    pub tier: Option<Tier>,
    /// Only those with a hold, or only the others.
    pub has_hold: Option<bool>,
    /// In which order.
    pub sort: InstanceSort,
    /// Only those after this one.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: i64,
}

/// What a list shows of an instance: not its settings, which are the most of a row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = instances)]
pub struct Head {
    /// Its id.
    pub id: InstanceId,
    /// Which application.
    pub instance_type: String,
    /// What people call it.
    pub name: String,
    /// Its main host name.
    pub domain: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The n of the next app server.
    pub next_app_server_number: i32,
    /// Who has the traffic.
    pub active_app_server_id: Option<AppServerId>,
    /// When it was put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Since when automation may not activate.
    pub hold_at: Option<DateTime<Utc>>,
}

impl From<&InstanceRow> for Head {
    fn from(row: &InstanceRow) -> Self {
        Self {
            id: row.id,
            instance_type: row.instance_type.clone(),
            name: row.name.clone(),
            domain: row.domain.clone(),
            created: row.created,
            modified: row.modified,
            next_app_server_number: row.next_app_server_number,
            active_app_server_id: row.active_app_server_id,
            archived_at: row.archived_at,
            hold_at: row.hold_at,
        }
    }
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The order it is a place in.
    pub sort: InstanceSort,
    /// What was sorted by.
    pub value: String,
    /// And the id.
    pub id: InstanceId,
}

impl Place {
    /// That of an instance.
    pub fn of(one: &InstanceSummary, sort: InstanceSort) -> Self {
        use InstanceSort as S;
        let value = match sort {
            S::Name | S::NameBackwards => one.name.clone(),
            S::Domain | S::DomainBackwards => one.domain.clone(),
            S::Created | S::Newest => one.created.to_rfc3339_opts(SecondsFormat::Micros, true),
            S::Modified | S::LastModified => one.modified.to_rfc3339_opts(SecondsFormat::Micros, true),
        };
        Self { sort, value, id: one.id }
    }
}

fn order(sort: InstanceSort) -> Order {
    use InstanceSort as S;
    let (column, kind, is_descending) = match sort {
        S::Name => ("name", "text", false),
        S::NameBackwards => ("name", "text", true),
        S::Domain => ("domain", "text", false),
        S::DomainBackwards => ("domain", "text", true),
        S::Created => ("created", "timestamptz", false),
        S::Newest => ("created", "timestamptz", true),
        S::Modified => ("modified", "timestamptz", false),
        S::LastModified => ("modified", "timestamptz", true),
    };
    Order { table: "instances", column, kind, is_descending }
}

/// The newest app server of an instance.
const NEWEST: &str =
    "(SELECT a.id FROM app_servers AS a WHERE a.instance_id = instances.id ORDER BY a.id DESC LIMIT 1)";

/// These instances, each with its newest app server.
///
/// # Errors
/// When the statement fails.
pub async fn among(
    conn: &mut AsyncPgConnection,
    ids: &[InstanceId],
) -> Result<Vec<(Head, Option<AppServerId>)>, DbError> {
    let columns = (Head::as_select(), fixed::<Nullable<BigInt>>(NEWEST));
    Ok(instances::table.filter(instances::id.eq_any(ids)).select(columns).load(conn).await?)
}

/// Instances in order, each with its newest app server.
///
/// # Errors
/// When the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<(Head, Option<AppServerId>)>, DbError> {
    let order = order(query.sort);
    let columns = (Head::as_select(), fixed::<Nullable<BigInt>>(NEWEST));
    let mut select = instances::table.order(order.by()).select(columns).into_boxed();
    select = if query.is_archived {
        select.filter(instances::archived_at.is_not_null())
    } else {
        select.filter(instances::archived_at.is_null())
    };
    if let Some(text) = &query.text {
        // As the index instances_words has it.
        select = select.filter(words("search_words(instances.name, instances.domain)", text));
    }
    if let Some(ids) = &query.ids {
        select = select.filter(instances::id.eq_any(ids));
    }
    if let Some(kind) = &query.instance_type {
        select = select.filter(instances::instance_type.eq(kind));
    }
    if let Some(tier) = query.tier {
        select = select.filter(instances::tier.eq(tier));
    }
    match query.has_hold {
        Some(true) => select = select.filter(instances::hold_at.is_not_null()),
        Some(false) => select = select.filter(instances::hold_at.is_null()),
        None => {}
    }
    if let Some(Place { sort: _, value, id }) = &query.after {
        select = select.filter(order.after(value.clone(), id.0));
    }
    Ok(at_most(select, query.limit).load(conn).await?)
}
