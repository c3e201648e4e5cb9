//! What an instance has outside its machines.

use shared_types::resource::{InstanceResources, Resource, ResourceChoice, ResourceCredentials, RotatePassword};
use shared_types::{InstanceId, Page, ResourceKind};

use super::Result;
use super::request::{get, post, put, send, send_json};

/// What there is, without passwords, and what the next app server asks for.
pub async fn of(id: InstanceId) -> Result<InstanceResources> {
    send(get(&format!("/instances/{id}/resources"))).await
}

/// How to connect, with the password. For administrators; recorded in the audit trail.
pub async fn credentials(id: InstanceId, kind: ResourceKind) -> Result<ResourceCredentials> {
    send(post(&format!("/instances/{id}/resources/{kind}/credentials"))).await
}

/// Replaces the password of the account. For administrators.
pub async fn rotate(id: InstanceId, kind: ResourceKind, how: &RotatePassword) -> Result<()> {
    let _: Page<Resource> = send_json(post(&format!("/instances/{id}/resources/{kind}/rotate")), how).await?;
    Ok(())
}

/// Says where the resources of one kind are.
pub async fn choose(id: InstanceId, kind: ResourceKind, choice: &ResourceChoice) -> Result<()> {
    let _: Page<Resource> = send_json(put(&format!("/instances/{id}/resources/{kind}")), choice).await?;
    Ok(())
}
