//! The table `providers`: how many machines each provider may have, and whether a quota keeps it from making more.

use std::sync::LazyLock;

use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{ProviderName, ServerId};

use crate::platform::db::DbError;
use crate::platform::db::statuses::{BUILDING, DELETED};

/// The most characters of a provider's words that are kept.
const REASON: usize = 1000;

/// The machines that exist or are being made, as a query; not those of builds that wait in the queue.
static USED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT o.id, o.provider FROM servers AS o LEFT JOIN app_servers AS w ON w.server_id = o.id \
             AND w.status IN ({BUILDING}) LEFT JOIN builds AS x ON x.app_server_id = w.id \
         WHERE o.status <> {DELETED} AND (w.id IS NULL OR x.begun_at IS NOT NULL)"
    )
});

/// For each provider (`name`), why a build must wait for it (`words`), as a query: a quota was used up, or it has as many
/// machines as it may have. Null: it need not wait. The machines of builds that wait do not count.
pub static WAITS: LazyLock<String> = LazyLock::new(|| {
    let used = format!("(SELECT count(*) FROM ({}) AS u WHERE u.provider = p.name)", *USED);
    format!(
        "SELECT p.name, CASE WHEN p.paused_until > now() THEN format('waiting for quota of %s until %s UTC: %s', p.name, \
             to_char(p.paused_until AT TIME ZONE 'UTC', 'HH24:MI'), p.pause_reason) \
         WHEN p.budget <= {used} THEN format('waiting for quota: %s of %s machines of %s', {used}, p.budget, p.name) \
         END AS words FROM providers AS p"
    )
});

/// The words of [`WAITS`] for the machine `servers`, as an SQL expression.
pub static WAIT: LazyLock<String> =
    LazyLock::new(|| format!("(SELECT q.words FROM ({}) AS q WHERE q.name = servers.provider)", *WAITS));

/// Records the providers of the settings with their budgets.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn declare(conn: &mut AsyncPgConnection, all: &[(&ProviderName, Option<u32>)]) -> Result<(), DbError> {
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let budgets: Vec<_> = all.iter().map(|(_, budget)| budget.and_then(|most| i32::try_from(most).ok())).collect();
    diesel::sql_query(
        "INSERT INTO providers (name, budget) SELECT * FROM unnest($1, $2) \
         ON CONFLICT (name) DO UPDATE SET budget = excluded.budget WHERE providers.budget IS DISTINCT FROM excluded.budget",
    )
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Nullable<Integer>>, _>(budgets)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets no build begin at this provider for a while, because a quota is used up: half a minute, twice as long with each
/// refusal in a row, 16 minutes at most; between half and one and a half of that, so that not all workers try at once.
/// Refusals during a pause change nothing.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn pause(conn: &mut AsyncPgConnection, name: &ProviderName, reason: &str) -> Result<(), DbError> {
    let reason: String = reason.chars().take(REASON).collect();
    diesel::sql_query(
        "INSERT INTO providers AS p (name, paused_until, pause_reason, refusals) \
         VALUES ($1, now() + (0.5 + random()) * interval '30 seconds', $2, 1) \
         ON CONFLICT (name) DO UPDATE SET pause_reason = $2, refusals = p.refusals + 1, \
             paused_until = now() + (0.5 + random()) * (2 ^ least(p.refusals, 5)) * interval '30 seconds' \
         WHERE p.paused_until IS NULL OR p.paused_until <= now()",
    )
    .bind::<Text, _>(name)
    .bind::<Text, _>(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that the provider has made this machine: the next pause is a short one again.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn resume(conn: &mut AsyncPgConnection, made: ServerId) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE providers SET paused_until = NULL, pause_reason = NULL, refusals = 0 \
         WHERE refusals > 0 AND name = (SELECT provider FROM servers WHERE id = $1)",
    )
    .bind::<BigInt, _>(made)
    .execute(conn)
    .await?;
    Ok(())
}

/// A provider as the database knows it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct ProviderRow {
    #[diesel(sql_type = Text)]
    pub name: ProviderName,
    /// Its machines that exist or are being made.
    #[diesel(sql_type = BigInt)]
    pub machines: i64,
    /// Until when a quota keeps builds from beginning, and the provider's words; None: none does.
    #[diesel(sql_type = Nullable<Text>)]
    pub quota: Option<String>,
}

/// Every provider that has machines, or that the settings have or had, by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn all(conn: &mut AsyncPgConnection) -> Result<Vec<ProviderRow>, DbError> {
    Ok(diesel::sql_query(format!(
        "SELECT n.name, count(s.id) AS machines, max(q.words) AS quota \
         FROM (SELECT name FROM providers UNION SELECT provider FROM servers WHERE status <> {DELETED}) AS n \
         LEFT JOIN ({used}) AS s ON s.provider = n.name \
         LEFT JOIN ({waits}) AS q ON q.name = n.name GROUP BY n.name ORDER BY n.name",
        used = *USED,
        waits = *WAITS
    ))
    .load(conn)
    .await?)
}
