//! Certificates of the instances' host names.

use shared_types::InstanceId;
use shared_types::certificate::InstanceCertificate;

use super::Result;
use super::request::{get, post, send};

/// The certificate of an instance, or why there is none.
pub async fn of(id: InstanceId) -> Result<InstanceCertificate> {
    send(get(&path(id))).await
}

/// Has the next one ordered at once. Answers before that is done.
pub async fn renew(id: InstanceId) -> Result<InstanceCertificate> {
    send(post(&format!("{}/renew", path(id)))).await
}

fn path(id: InstanceId) -> String {
    format!("/instances/{id}/certificate")
}
