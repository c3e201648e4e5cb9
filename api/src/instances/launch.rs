//! A new app server. It exists, visible and with a log of its own, before any work on it begins.

use diesel_async::AsyncConnection;
use serde_json::{Map, Value, json};
use shared_types::{AppServerId, EventKind, InstanceId};

use super::application::{Playbook, Reference, Snapshot};
use super::store::app_servers::{self, NewAppServer};
use super::store::{instances, pins};
use super::{Manager, Refusal};
use crate::instances::jobs::AdvanceAppServer;
use crate::{audit, events, logs, servers};

/// Launches an app server of an instance with the settings as they are now. Nothing outside is asked yet.
///
/// # Errors
/// [`Refusal::NotFound`], or why the settings cannot be used.
pub async fn launch(
    manager: &Manager,
    actor: &str,
    id: InstanceId,
    reason: Option<String>,
) -> Result<AppServerId, Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        let snapshot = manager.application(&row.instance_type)?.snapshot(&row.name, &row.settings)?;
        let number = instances::take_app_server_number(conn, id).await?;
        let name = format!("AppServer {number}");
        let server_id = servers::store::insert(conn, manager.provider.name(), &snapshot.machine_name_prefix).await?;
        let new = NewAppServer {
            instance_id: id,
            server_id,
            number,
            name: name.clone(),
            settings: row.settings,
            variables: variables(&snapshot, &name),
            playbooks: snapshot.playbooks.iter().map(playbook_json).collect(),
            variable_references: snapshot.references.iter().map(reference_json).collect(),
            requested_by: actor.to_owned(),
            reason: reason.clone(),
        };
        let app_server = app_servers::insert(conn, &new).await?;
        pins::insert(conn, app_server, references(&snapshot)).await?;
        AdvanceAppServer::enqueue(conn, app_server).await?;
        events::record(conn, EventKind::AppServerLaunched, events::About::app_server(id, app_server)).await?;
        let line = logs::Line::info(match &reason {
            Some(reason) => format!("{name} launched by {actor}: {reason}"),
            None => format!("{name} launched by {actor}"),
        });
        logs::append(conn, logs::About::AppServer(id, app_server), std::slice::from_ref(&line)).await?;
        logs::append(conn, logs::About::Instance(id), &[line]).await?;
        let detail = json!({ "name": name, "reason": reason });
        let entry = audit::Entry {
            actor,
            action: "launch_app_server",
            instance: Some(id),
            app_server: Some(app_server),
            detail,
        };
        audit::record(conn, entry).await?;
        Ok(app_server)
    })
    .await
}

/// What Ansible is given: the application's variables, and the app server's name for what is to show it.
fn variables(snapshot: &Snapshot, name: &str) -> Value {
    let mut variables: Map<String, Value> = snapshot.variables.clone();
    variables.entry("ocim_app_server").or_insert_with(|| name.into());
    variables.into()
}

fn references(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    let playbooks = snapshot.playbooks.iter().map(|book| (book.source_repo.as_str(), book.version.as_str()));
    let others = snapshot.references.iter().map(|one| (one.repository.as_str(), one.version.as_str()));
    playbooks.chain(others).collect()
}

fn playbook_json(playbook: &Playbook) -> Value {
    let Playbook { source_repo, version, playbook_path, requirements_path } = playbook;
    json!({
        "source_repo": source_repo,
        "version": version,
        "playbook_path": playbook_path,
        "requirements_path": requirements_path,
    })
}

fn reference_json(reference: &Reference) -> Value {
    let Reference { name, repository, version, variable } = reference;
    json!({ "name": name, "repository": repository, "version": version, "variable": variable })
}
