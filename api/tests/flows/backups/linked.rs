//! A server in memory whose databases are those of a fake place of backups: one that is deleted holds nothing any more.

use std::sync::Arc;

use async_trait::async_trait;
use ocim::backups::fake::FakeBackups;
use ocim::resources::providers::fake::FakeServer;
use ocim::resources::server::{Account, Attempt, Endpoint, ResourceServer, ServerError};
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

/// A server of databases.
#[derive(Debug)]
pub struct Linked {
    pub server: Arc<FakeServer>,
    pub backups: Arc<FakeBackups>,
}

#[async_trait]
impl ResourceServer for Linked {
    fn kind(&self) -> ResourceKind {
        self.server.kind()
    }

    fn endpoint(&self) -> &Endpoint {
        self.server.endpoint()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.server.has(part, name).await
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        self.server.names(part, prefix).await
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        self.server.make_account(account, attempt).await
    }

    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError> {
        self.server.make_database(name, username, attempt).await
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        let deleted = self.server.delete_database(name).await;
        if !self.server.databases().contains_key(name) {
            self.backups.set_database(name, "");
        }
        deleted
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        self.server.delete_account(username).await
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        self.server.size(database).await
    }
}
