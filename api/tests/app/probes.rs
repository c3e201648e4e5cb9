//! A probe for the machines of two providers.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use ocim::machines::key::KeyPair;
use ocim::machines::probe::{Login, Probe, SshError};
use ocim::machines::providers::fake::FakeProvider;

/// Asks the provider that has the machine. Machines of both have different addresses.
#[derive(Debug)]
pub struct TwoProbes(pub Arc<FakeProvider>, pub Arc<FakeProvider>);

#[async_trait]
impl Probe for TwoProbes {
    async fn answers_ssh(&self, address: SocketAddr) -> bool {
        self.0.answers_ssh(address).await || self.1.answers_ssh(address).await
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        match self.0.boot_marker(login).await {
            Ok(marker) => Ok(marker),
            Err(_) => self.1.boot_marker(login).await,
        }
    }

    async fn first_boot(&self, login: &Login) -> Result<Option<&'static str>, SshError> {
        match self.0.first_boot(login).await {
            Ok(what) => Ok(what),
            Err(_) => self.1.first_boot(login).await,
        }
    }

    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError> {
        match self.0.replace_key(login, next).await {
            Ok(()) => Ok(()),
            Err(_) => self.1.replace_key(login, next).await,
        }
    }

    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError> {
        match self.0.install_people(login, block).await {
            Ok(()) => Ok(()),
            Err(_) => self.1.install_people(login, block).await,
        }
    }
}
