//! Preview links: people who have one see an app server that is not active under the instance's own host names, also while the
//! maintenance page is up. The gateways know the hashes of the tokens with the routes; nothing else keeps a token.

use std::collections::BTreeMap;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::app_server::Possible;
use shared_types::audit::Operation;
use shared_types::preview_link::{MAX_LINKS, PreviewLink, can_preview, covering};
use shared_types::{AppServerId, EventKind, InstanceId, PreviewLinkId};

use crate::instances::Refusal;
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::hostnames::{self, Hostname};
use crate::instances::store::{instances, preview_links, summaries};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::users::Secret;

/// The format of a time in the log.
const MINUTE: &str = "%Y-%m-%d %H:%M UTC";

/// A link that was just made.
#[derive(Debug)]
pub struct Created {
    pub link: PreviewLink,
    pub token: Secret,
    pub instance: InstanceId,
    /// The routing generation that has the link.
    pub generation: i64,
    /// The host names to open it at, with the protocol of their visitors.
    pub hosts: Vec<(String, String)>,
}

/// Makes a link to an app server, which works for this many hours. The gateway is told by a job.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the app server does not run, is active, or has too many links.
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: AppServerId,
    hours: i64,
) -> Result<Created, Refusal> {
    let token =
        Secret::random().map_err(|error| Refusal::Unavailable(format!("No random token can be made: {error}.")))?;
    conn.transaction(async |conn| {
        let row = locked(conn, id).await?;
        let summary = summaries::read(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        if let Possible::No(why) = can_preview(summary.status, summary.serving) {
            return Err(Refusal::Conflict(format!("App server {id} can have no preview link. {why}")));
        }
        if preview_links::of(conn, id).await?.len() >= MAX_LINKS {
            return Err(Refusal::Conflict(format!(
                "App server {id} has {MAX_LINKS} preview links, which is the most; revoke one first."
            )));
        }
        let link = preview_links::insert(conn, id, &token.hash(), actor, hours).await?;
        let generation = tell_gateway(conn, row.instance_id).await?;
        let names = hostnames::of(conn, Some(&[row.instance_id])).await?;
        let hosts = hosts(names);
        Journal::of(actor, Operation::CreatePreviewLink)
            .app_server(row.instance_id, id)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(format!(
                "{actor} made a preview link of {}, until {}",
                row.name,
                link.ends_at.format(MINUTE)
            )))
            .detail(json!({ "preview_link": link.id, "ends_at": link.ends_at }))
            .write(conn)
            .await?;
        Ok(Created { link: link.into(), token, instance: row.instance_id, generation, hosts })
    })
    .await
}

/// Revokes a link of an app server. The gateway is told by a job.
///
/// # Errors
/// [`Refusal::NotFound`] if there is no such app server or link.
pub async fn revoke(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    of: AppServerId,
    id: PreviewLinkId,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = locked(conn, of).await?;
        if !preview_links::delete(conn, of, id).await? {
            return Err(Refusal::NotFound { what: "preview link", id: id.0 });
        }
        tell_gateway(conn, row.instance_id).await?;
        let journal = Journal::of(actor, Operation::DeletePreviewLink)
            .app_server(row.instance_id, of)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(format!("{actor} revoked a preview link of {}", row.name)))
            .detail(json!({ "preview_link": id }));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Revokes all links of an app server, in a transaction that has locked its instance: it is activated, or its machine terminated.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub(in crate::instances) async fn revoke_all(conn: &mut AsyncPgConnection, row: &AppServerRow) -> Result<(), DbError> {
    let revoked = preview_links::delete_all(conn, row.id).await?;
    if revoked == 0 {
        return Ok(());
    }
    tell_gateway(conn, row.instance_id).await?;
    let line = Line::info(format!("Preview links of {} that were revoked: {revoked}", row.name));
    Journal::of_consequence().app_server(row.instance_id, row.id).line(line).write(conn).await
}

async fn locked(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<AppServerRow, Refusal> {
    let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    instances::lock(conn, row.instance_id).await?;
    Ok(row)
}

async fn tell_gateway(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<i64, DbError> {
    let generation = instances::want_routing(conn, id).await?;
    ApplyRouting::enqueue(conn, id).await?;
    Ok(generation)
}

/// The host names that cover all others, the shortest first.
fn hosts(names: Vec<Hostname>) -> Vec<(String, String)> {
    let protocols: BTreeMap<String, String> = names.into_iter().map(|(name, _, protocol)| (name, protocol)).collect();
    let all: Vec<&str> = protocols.keys().map(String::as_str).collect();
    let protocol = |name: &str| protocols.get(name).cloned().unwrap_or_default();
    covering(&all).into_iter().map(|name| (name.to_owned(), protocol(name))).collect()
}
