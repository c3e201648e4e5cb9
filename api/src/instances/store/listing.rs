//! Lists of instances: filtered, sorted, and page by page.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::sql_types::{BigInt, Nullable};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use shared_types::instance::InstanceSort;
use shared_types::queue::Tier;
use shared_types::{AppServerId, HealthState, InstanceHealth, InstanceId, InstanceSummary};

use super::health::{self, ToShow};
use super::health_watch;
use super::instances::InstanceRow;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::keyset::{Order, at_most};
use crate::platform::db::schema::instances;
use crate::platform::db::words::words;

/// Filter, order and cursor of a page of instances.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those whose name or domain has words that begin so: `phys astro`.
    pub text: Option<String>,
    /// Only instances with these ids.
    pub ids: Option<Vec<InstanceId>>,
    /// Archived instances instead of those in use.
    pub is_archived: bool,
    /// Only instances of this type.
    pub instance_type: Option<String>,
    /// Only instances of this tier.
    pub tier: Option<Tier>,
    /// Only those with a hold, or only the others.
    pub has_hold: Option<bool>,
    /// Only instances with one of these states; None stands for instances that have no health.
    pub health: Option<Vec<Option<HealthState>>>,
    pub sort: InstanceSort,
    /// The cursor: only those after it.
    pub after: Option<Place>,
    /// Most rows of the page.
    pub limit: i64,
}

/// What a list shows of an instance: not its settings, which are most of a row.
#[derive(Debug, Clone)]
pub struct Head {
    pub id: InstanceId,
    /// The word of its application type.
    pub instance_type: String,
    pub name: String,
    /// Its main host name.
    pub domain: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The number of the next app server.
    pub next_app_server_number: i32,
    /// The app server that has the traffic; None: none is active.
    pub active_app_server_id: Option<AppServerId>,
    /// When it was archived; None: it is in use.
    pub archived_at: Option<DateTime<Utc>>,
    /// When the hold was set; None: automation may activate.
    pub hold_at: Option<DateTime<Utc>>,
    /// The health of its sites; None: no app server is active.
    pub health: Option<InstanceHealth>,
}

impl Head {
    /// The part of a whole row that lists show.
    pub fn of(row: &InstanceRow, health: Option<InstanceHealth>) -> Self {
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
            health,
        }
    }
}

/// The cursor at the end of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The order to which the cursor belongs.
    pub sort: InstanceSort,
    /// The value of the sort column.
    pub value: String,
    /// The instance's id, which breaks ties.
    pub id: InstanceId,
}

impl Place {
    /// The cursor after this instance.
    pub fn of(one: &InstanceSummary, sort: InstanceSort) -> Self {
        use InstanceSort as S;
        let value = match sort {
            S::Name | S::NameBackwards => one.name.clone(),
            S::Domain | S::DomainBackwards => one.domain.clone(),
            S::Created | S::Newest => one.created.to_rfc3339_opts(SecondsFormat::Micros, true),
            S::Modified | S::LastModified => one.modified.to_rfc3339_opts(SecondsFormat::Micros, true),
            S::Health | S::HealthBackwards => rank(one.health.as_ref().map(|health| health.state)).to_string(),
        };
        Self { sort, value, id: one.id }
    }
}

/// How urgent a state is, as in `instances.health_rank`.
fn rank(state: Option<HealthState>) -> i32 {
    match state {
        None => 0,
        Some(HealthState::Ok) => 1,
        Some(HealthState::Unknown) => 2,
        Some(HealthState::Degraded) => 3,
        Some(HealthState::Down) => 4,
    }
}

/// The rank that is shown, as an index has it: while no checks are made, every health is unknown.
const STALE_RANK: &str = "(CASE WHEN instances.health_rank > 0 THEN 2 ELSE 0 END)";

fn order(sort: InstanceSort, is_stale: bool) -> Order {
    use InstanceSort as S;
    let health = if is_stale { STALE_RANK } else { "instances.health_rank" };
    let (by, kind, is_descending) = match sort {
        S::Name => ("instances.name", "text", false),
        S::NameBackwards => ("instances.name", "text", true),
        S::Domain => ("instances.domain", "text", false),
        S::DomainBackwards => ("instances.domain", "text", true),
        S::Created => ("instances.created", "timestamptz", false),
        S::Newest => ("instances.created", "timestamptz", true),
        S::Modified => ("instances.modified", "timestamptz", false),
        S::LastModified => ("instances.modified", "timestamptz", true),
        S::Health => (health, "integer", true),
        S::HealthBackwards => (health, "integer", false),
    };
    Order { by, id: "instances.id", kind, is_descending }
}

/// The stored ranks of instances that are shown with one of these states.
fn ranks(wanted: &[Option<HealthState>], is_stale: bool) -> Vec<i32> {
    if !is_stale {
        return wanted.iter().copied().map(rank).collect();
    }
    let shown = |state: &Option<HealthState>| match state {
        None => vec![0],
        Some(HealthState::Unknown) => vec![1, 2, 3, 4],
        Some(HealthState::Ok | HealthState::Degraded | HealthState::Down) => Vec::new(),
    };
    wanted.iter().flat_map(shown).collect()
}

/// The newest app server of an instance.
const NEWEST: &str =
    "(SELECT a.id FROM app_servers AS a WHERE a.instance_id = instances.id ORDER BY a.id DESC LIMIT 1)";

macro_rules! columns {
    () => {
        (
            (
                instances::id,
                instances::instance_type,
                instances::name,
                instances::domain,
                instances::created,
                instances::modified,
                instances::next_app_server_number,
                instances::active_app_server_id,
                instances::archived_at,
                instances::hold_at,
            ),
            health::columns(),
            fixed::<Nullable<BigInt>>(NEWEST),
        )
    };
}

/// These instances, each with its newest app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn among(
    conn: &mut AsyncPgConnection,
    ids: &[InstanceId],
) -> Result<Vec<(Head, Option<AppServerId>)>, DbError> {
    let rows: Vec<Row> = instances::table.filter(instances::id.eq_any(ids)).select(columns!()).load(conn).await?;
    Ok(rows.into_iter().map(head).collect())
}

type Columns = (
    InstanceId,
    String,
    String,
    String,
    DateTime<Utc>,
    DateTime<Utc>,
    i32,
    Option<AppServerId>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);
type Row = (Columns, ToShow, Option<AppServerId>);

fn head((columns, health, newest): Row) -> (Head, Option<AppServerId>) {
    let (
        id,
        instance_type,
        name,
        domain,
        created,
        modified,
        next_app_server_number,
        active_app_server_id,
        archived_at,
        hold_at,
    ) = columns;
    let head = Head {
        id,
        instance_type,
        name,
        domain,
        created,
        modified,
        next_app_server_number,
        active_app_server_id,
        archived_at,
        hold_at,
        health: health::to_show(health),
    };
    (head, newest)
}

/// A page of instances, each with its newest app server. One query; two if sorted or filtered by health.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<(Head, Option<AppServerId>)>, DbError> {
    let is_about_health =
        query.health.is_some() || matches!(query.sort, InstanceSort::Health | InstanceSort::HealthBackwards);
    let is_stale = is_about_health && health_watch::state(conn).await?.stale_since.is_some();
    let order = order(query.sort, is_stale);
    let mut select = instances::table.order(order.by()).select(columns!()).into_boxed();
    select = if query.is_archived {
        select.filter(instances::archived_at.is_not_null())
    } else {
        select.filter(instances::archived_at.is_null())
    };
    if let Some(text) = &query.text {
        // The same expression as in the index `instances_words`.
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
    if let Some(wanted) = &query.health {
        select = select.filter(instances::health_rank.eq_any(ranks(wanted, is_stale)));
    }
    if let Some(Place { sort: _, value, id }) = &query.after {
        select = select.filter(order.after(value.clone(), id.0));
    }
    let rows: Vec<Row> = at_most(select, query.limit).load(conn).await?;
    Ok(rows.into_iter().map(head).collect())
}
