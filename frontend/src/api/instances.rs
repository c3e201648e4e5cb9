//! Instances.

use serde_json::{Map, Value};
use shared_types::app_server::Activation;
use shared_types::comparison::Render;
use shared_types::instance_type::InstanceTypes;
use shared_types::launch::LaunchAppServer;
use shared_types::operations::{ActivationResult, Purge, Purged, Rollback, WithReason};
use shared_types::{AppServer, Instance, InstanceId, InstanceSummary, Page};

use super::Result;
use super::request::{delete, get, patch, post, put, send, send_for_nothing, send_json, send_json_for_nothing};
use crate::paths::encode;

/// One page of those in use, or of those that were archived; `cursor` from the page before.
pub async fn list(is_archived: bool, cursor: Option<&str>) -> Result<Page<InstanceSummary>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    send(get(&format!("/instances?archived={is_archived}&limit=500{cursor}"))).await
}

/// These of those in use, as many as one page holds.
pub async fn some(ids: &[InstanceId]) -> Result<Page<InstanceSummary>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    send(get(&format!("/instances?limit=500&ids={}", ids.join(",")))).await
}

/// The application types.
pub async fn types() -> Result<InstanceTypes> {
    send(get("/instance-types")).await
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

/// The variables that a launch would give to Ansible now.
pub async fn render(id: InstanceId) -> Result<Render> {
    send(get(&format!("/instances/{id}/render"))).await
}

/// Gives the traffic back to the fallback, and sets a hold; waits until the gateway has it, at most 30 s.
pub async fn roll_back(id: InstanceId, rollback: &Rollback) -> Result<ActivationResult> {
    send_json(post(&format!("/instances/{id}/rollback")).header("Prefer", "wait=30"), rollback).await
}

/// Keeps automation from activating.
pub async fn hold(id: InstanceId, reason: Option<String>) -> Result<()> {
    send_json_for_nothing(put(&format!("/instances/{id}/hold")), &WithReason { reason }).await
}

/// Lets automation activate again.
pub async fn release_hold(id: InstanceId) -> Result<()> {
    send_for_nothing(delete(&format!("/instances/{id}/hold"))).await
}

/// Puts it away, its machines with it.
pub async fn archive(id: InstanceId) -> Result<Instance> {
    send(delete(&format!("/instances/{id}?terminate=true"))).await
}

/// Takes it into use again.
pub async fn restore(id: InstanceId) -> Result<Instance> {
    send(post(&format!("/instances/{id}/restore"))).await
}

/// Deletes what it owns; `confirm` is its domain, typed.
pub async fn purge(id: InstanceId, confirm: String) -> Result<Purged> {
    send_json(post(&format!("/instances/{id}/purge")), &Purge { confirm }).await
}
