//! Instances and their application types.

use serde_json::{Map, Value};
use shared_types::app_server::Activation;
use shared_types::comparison::Render;
use shared_types::instance_type::InstanceTypes;
use shared_types::launch::LaunchAppServer;
use shared_types::operations::{ActivationResult, BeginMaintenance, Purge, Purged, Rollback, WithReason};
use shared_types::{AppServer, AppServerId, Instance, InstanceId, InstanceSummary, Page};

use super::Result;
use super::request::{delete, get, patch, post, put, send, send_for_nothing, send_json, send_json_for_nothing};
use crate::paths::encode;

/// One page of the instances in use, or of the archived ones; `cursor` comes from the page before.
pub async fn list(is_archived: bool, cursor: Option<&str>) -> Result<Page<InstanceSummary>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    send(get(&format!("/instances?archived={is_archived}&limit=500{cursor}"))).await
}

/// Those of the given instances that are in use, at most one page.
pub async fn some(ids: &[InstanceId]) -> Result<Page<InstanceSummary>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    send(get(&format!("/instances?limit=500&ids={}", ids.join(",")))).await
}

/// The application types with their settings and defaults.
pub async fn types() -> Result<InstanceTypes> {
    send(get("/instance-types")).await
}

pub async fn read(id: InstanceId) -> Result<Instance> {
    send(get(&format!("/instances/{id}"))).await
}

/// Creates an instance from its name and settings; missing settings get their defaults.
pub async fn create(fields: &Map<String, Value>) -> Result<Instance> {
    send_json(post("/instances"), fields).await
}

/// Changes the given fields, if the instance's version is still `etag`.
pub async fn update(id: InstanceId, etag: &str, fields: &Map<String, Value>) -> Result<Instance> {
    send_json(patch(&format!("/instances/{id}")).header("If-Match", etag), fields).await
}

pub async fn launch(id: InstanceId, launch: &LaunchAppServer) -> Result<AppServer> {
    send_json(post(&format!("/instances/{id}/app-servers")), launch).await
}

/// The latest activations of an instance, newest first.
pub async fn activations(id: InstanceId) -> Result<Page<Activation>> {
    send(get(&format!("/instances/{id}/activations"))).await
}

/// The variables that a launch would pass to Ansible now.
pub async fn render(id: InstanceId) -> Result<Render> {
    send(get(&format!("/instances/{id}/render"))).await
}

/// Rolls back to the fallback and sets a hold; waits at most 30 s until the gateway has applied it.
pub async fn roll_back(id: InstanceId, rollback: &Rollback) -> Result<ActivationResult> {
    send_json(post(&format!("/instances/{id}/rollback")).header("Prefer", "wait=30"), rollback).await
}

/// Sets a hold: automation must not activate app servers.
pub async fn hold(id: InstanceId, reason: Option<String>) -> Result<()> {
    send_json_for_nothing(put(&format!("/instances/{id}/hold")), &WithReason { reason }).await
}

/// Puts the maintenance page up, or changes its text.
pub async fn begin_maintenance(id: InstanceId, body: &BeginMaintenance) -> Result<()> {
    send_json_for_nothing(put(&format!("/instances/{id}/maintenance")), body).await
}

/// Takes the maintenance page down.
pub async fn end_maintenance(id: InstanceId) -> Result<()> {
    send_for_nothing(delete(&format!("/instances/{id}/maintenance"))).await
}

/// Releases the hold: automation may activate again.
pub async fn release_hold(id: InstanceId) -> Result<()> {
    send_for_nothing(delete(&format!("/instances/{id}/hold"))).await
}

/// Takes the notice about a failed migration away.
pub async fn dismiss_migration(id: InstanceId, of: AppServerId) -> Result<()> {
    let path = format!("/instances/{id}/migrations/{of}/dismiss");
    send_json_for_nothing(post(&path), &WithReason::default()).await
}

/// Lets the next app servers of a copy mail people and take payments. For administrators.
pub async fn end_neutralisation(id: InstanceId) -> Result<()> {
    send_for_nothing(delete(&format!("/instances/{id}/neutralisation"))).await
}

/// Archives an instance and terminates its machines.
pub async fn archive(id: InstanceId) -> Result<Instance> {
    send(delete(&format!("/instances/{id}?terminate=true"))).await
}

/// Restores an archived instance.
pub async fn restore(id: InstanceId) -> Result<Instance> {
    send(post(&format!("/instances/{id}/restore"))).await
}

/// Deletes everything the instance owns; `confirm` must be its domain, typed by the user.
pub async fn purge(id: InstanceId, confirm: String) -> Result<Purged> {
    send_json(post(&format!("/instances/{id}/purge")), &Purge { confirm }).await
}
