//! The provider with small programs that break the contract, each in one way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod answers;
mod contract;
mod opening;
mod processes;

use std::path::PathBuf;
use std::time::Duration;

use shared_types::ServerId;

use super::{CommandConfig, CommandProvider};
use crate::machines::provider::{MachineRef, MachineSpec, ProviderError};

const INSTALLATION: &str = "11111111-aaaa";
/// Machine 7, as a program tells it.
const SEVEN: &str = r#"{"server_id": 7, "installation": "11111111-aaaa", "provider_id": "vm-7", "state": "active",
    "address": "192.0.2.7"}"#;
const OFFERS: &str = r#"{"version": 1, "offers": {"has_own_kernel": true, "memory_mb": 2048, "disk_gb": null}}"#;

/// A shell script as the provider's program. Its first lines answer `offers`; `$request` is the request.
fn config(script: &str) -> CommandConfig {
    let script = format!("read -r request; case $request in *'\"offers\"'*) echo '{OFFERS}'; exit;; esac\n{script}");
    CommandConfig {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".to_owned(), script],
        environment: Vec::new(),
        ssh_user: "debian".to_owned(),
        installation: INSTALLATION.to_owned(),
        read_limit: Duration::from_secs(20),
        change_limit: Duration::from_secs(20),
        at_once: 4,
    }
}

async fn provider(script: &str) -> CommandProvider {
    CommandProvider::open(config(script)).await.unwrap()
}

/// A program that prints this text for every request.
async fn printing(answer: &str) -> CommandProvider {
    provider(&format!("cat <<'THE_END'\n{answer}\nTHE_END")).await
}

fn seven() -> MachineRef {
    MachineRef { server_id: ServerId(7), provider_id: None }
}

fn spec() -> MachineSpec {
    MachineSpec { server_id: ServerId(7), name: "demo-7".to_owned(), authorized_key: "ssh-ed25519 AAAA".to_owned() }
}

/// The words of an error that a retry may remedy.
fn transient<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Transient(words)) => words,
        other => panic!("{other:?} is not transient"),
    }
}

/// The words of an error that a retry does not remedy.
fn permanent<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Permanent(words)) => words,
        other => panic!("{other:?} is not permanent"),
    }
}
