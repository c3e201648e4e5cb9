//! Nova's servers: list, create, reboot, delete.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use super::catalog::Service;
use super::error::OpenStackError;
use super::pace;
use super::server::Server;
use super::session::{Call, Session};

/// How often a deletion that ended in an error is tried again.
const DELETE_RETRIES: u32 = 2;

/// A server to create.
#[derive(Debug, Serialize)]
pub(super) struct NewServer<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "flavorRef")]
    pub(super) flavor: &'a str,
    #[serde(rename = "imageRef")]
    pub(super) image: &'a str,
    /// Named even if there is one only: newer versions of Nova require it.
    pub(super) networks: [Attachment<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) security_groups: Vec<GroupName<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) availability_zone: Option<&'a str>,
    pub(super) metadata: BTreeMap<&'static str, String>,
    /// In Base64.
    pub(super) user_data: &'a str,
}

/// The network that Nova makes a port in.
#[derive(Debug, Serialize)]
pub(super) struct Attachment<'a> {
    pub(super) uuid: &'a str,
}

/// The name or id of a security group.
#[derive(Debug, Serialize)]
pub(super) struct GroupName<'a> {
    pub(super) name: &'a str,
}

#[derive(Deserialize)]
struct One {
    server: Server,
}

#[derive(Deserialize)]
struct Created {
    server: Id,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Every server of the project, also those of others: check each before it is used.
pub(super) async fn list(session: &Session) -> Result<Vec<Server>, OpenStackError> {
    // Without a filter: Nova ignores those that it does not know, and gives all servers.
    session.list(Call::get(Service::Compute, &["servers", "detail"], "List servers"), "servers").await
}

/// A server by Nova's id; none: there is none, or it is another project's.
pub(super) async fn get(session: &Session, id: &str) -> Result<Option<Server>, OpenStackError> {
    let path = ["servers", id];
    let call = Call::get(Service::Compute, &path, format!("Look at server {id}"));
    match session.send(&call).await {
        Ok(answer) => Ok(Some(answer.json::<One>()?.server).filter(|server| !server.is_gone())),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a server and gives its id. The answer has a password for the console, which is not read.
pub(super) async fn create(session: &Session, server: &NewServer<'_>) -> Result<String, OpenStackError> {
    let what = format!("Create server {}", server.name);
    let call = Call::post(Service::Compute, &["servers"], json!({ "server": server }), what);
    let answer = session.send(&Call { secret: Some(server.user_data.into()), ..call }).await?;
    Ok(answer.json::<Created>()?.server.id)
}

/// Restarts a server: softly, so that its programs end in order, or hard if it does not run. A restart that is under way is
/// enough. Nova does not say when a restart fails: the server is ACTIVE again, without a fault. Compare the boots.
///
/// # Errors
/// [`OpenStackError`], with Nova's words where it refuses.
pub(super) async fn reboot(session: &Session, server: &Server) -> Result<(), OpenStackError> {
    let refusal = match send_reboot(session, &server.id, "SOFT").await {
        Err(error) if error.status() == Some(409) => error,
        answer => return answer,
    };
    let Some(now) = get(session, &server.id).await? else {
        return Err(OpenStackError::Settings(format!("server {} was deleted at the cloud", server.id)));
    };
    match now.status.as_str() {
        "REBOOT" | "HARD_REBOOT" => Ok(()),
        "SHUTOFF" | "PAUSED" | "SUSPENDED" | "ERROR" if !now.is_being_deleted() => {
            send_reboot(session, &server.id, "HARD").await
        }
        // It is being built, or another operation is under way.
        _ if !now.is_being_deleted() => Err(OpenStackError::NotDone(refusal.to_string())),
        _ => Err(refusal),
    }
}

async fn send_reboot(session: &Session, id: &str, kind: &str) -> Result<(), OpenStackError> {
    let path = ["servers", id, "action"];
    let body = json!({ "reboot": { "type": kind } });
    session.send(&Call::post(Service::Compute, &path, body, format!("Reboot server {id}"))).await.map(drop)
}

/// Deletes a server and returns when it is verified gone. A deletion that ends in an error is tried again.
///
/// # Errors
/// [`OpenStackError::NotDone`] if it is still there after the time limit; otherwise with Nova's words.
pub(super) async fn delete(session: &Session, id: &str) -> Result<(), OpenStackError> {
    let until = Instant::now() + session.pace().delete;
    let mut retries = 0;
    send_delete(session, id).await?;
    loop {
        pace::pause(session.pace().poll).await;
        let Some(server) = get(session, id).await? else { return Ok(()) };
        let has_failed = server.is_in_error() && !server.is_being_deleted();
        if has_failed && retries == DELETE_RETRIES {
            return Err(OpenStackError::NotDone(format!("Delete server {id}: {}", server.fault())));
        }
        if Instant::now() >= until {
            let Server { status, .. } = &server;
            let task = server.task_state.as_deref().unwrap_or("none");
            let words =
                format!("it is still there after {:?}, with status {status}, task {task}", session.pace().delete);
            return Err(OpenStackError::NotDone(format!("Delete server {id}: {words}")));
        }
        if has_failed {
            retries += 1;
            send_delete(session, id).await?;
        }
    }
}

/// Asks for the deletion of a server; gone already is success.
pub(super) async fn send_delete(session: &Session, id: &str) -> Result<(), OpenStackError> {
    let path = ["servers", id];
    let call = Call::get(Service::Compute, &path, format!("Delete server {id}"));
    match session.send(&Call { method: Method::DELETE, ..call }).await {
        Err(error) if error.status() != Some(404) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
