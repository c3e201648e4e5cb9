//! Instances.

use serde_json::{Map, Value};
use shared_types::app_server::Activation;
use shared_types::launch::LaunchAppServer;
use shared_types::{AppServer, Instance, InstanceId, InstanceSummary, Page};

use super::Result;
use super::request::{get, patch, post, send, send_json};
use crate::paths::encode;

/// One page of the list; `cursor` from the page before.
pub async fn list(cursor: Option<&str>) -> Result<Page<InstanceSummary>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    send(get(&format!("/instances?limit=500{cursor}"))).await
}

/// One instance.
pub async fn read(id: InstanceId) -> Result<Instance> {
    send(get(&format!("/instances/{id}"))).await
}

/// Makes an instance of its name and settings; those left out get their defaults.
pub async fn create(fields: &Map<String, Value>) -> Result<Instance> {
    send_json(post("/instances"), fields).await
}

/// Changes the fields given, if the instance is still as `etag` says.
pub async fn update(id: InstanceId, etag: &str, fields: &Map<String, Value>) -> Result<Instance> {
    send_json(patch(&format!("/instances/{id}")).header("If-Match", etag), fields).await
}

/// Launches an app server.
pub async fn launch(id: InstanceId, launch: &LaunchAppServer) -> Result<AppServer> {
    send_json(post(&format!("/instances/{id}/app-servers")), launch).await
}

/// The newest switches of its traffic, the newest first.
pub async fn activations(id: InstanceId) -> Result<Page<Activation>> {
    send(get(&format!("/instances/{id}/activations"))).await
}
