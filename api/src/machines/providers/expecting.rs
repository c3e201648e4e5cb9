//! What the providers' tests create, and the kind of error that they expect.

#![allow(clippy::panic, reason = "tests")]

use shared_types::ServerId;

use crate::machines::provider::{MachineSpec, ProviderError};

pub(super) fn spec(server_id: i64) -> MachineSpec {
    MachineSpec {
        server_id: ServerId(server_id),
        name: format!("demo-{server_id}"),
        authorized_key: "ssh-ed25519 AAAAC3Nza ocim".into(),
    }
}

/// The words of an error that a retry may heal.
pub(super) fn transient<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Transient(words)) => words,
        other => panic!("not transient: {other:?}"),
    }
}

/// The words of an error that a retry does not heal.
pub(super) fn permanent<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> String {
    match result {
        Err(ProviderError::Permanent(words)) => words,
        other => panic!("not permanent: {other:?}"),
    }
}
