//! Names of an instance in the DNS.

use shared_types::InstanceId;
use shared_types::dns::InstanceDns;

use super::Result;
use super::request::{get, post, send};

/// The names, as they were last found.
pub async fn of(id: InstanceId) -> Result<InstanceDns> {
    send(get(&format!("/instances/{id}/dns"))).await
}

/// Asks all authoritative servers now, which takes some seconds.
pub async fn check(id: InstanceId) -> Result<InstanceDns> {
    send(post(&format!("/instances/{id}/dns/check"))).await
}
