//! Credentials of private repositories, for administrators.

use shared_types::source_credential::{NewSourceCredential, SourceCredential};
use shared_types::{Page, SourceCredentialId};

use super::Result;
use super::request::{delete, get, post, send, send_for_nothing, send_json};

/// All credentials, ordered by source, without their secrets.
pub async fn all() -> Result<Vec<SourceCredential>> {
    let page: Page<SourceCredential> = send(get("/source-credentials")).await?;
    Ok(page.items)
}

pub async fn create(new: &NewSourceCredential) -> Result<SourceCredential> {
    send_json(post("/source-credentials"), new).await
}

pub async fn remove(id: SourceCredentialId) -> Result<()> {
    send_for_nothing(delete(&format!("/source-credentials/{id}"))).await
}
