//! What the program is asked.

use serde::Serialize;
use shared_types::ServerId;

use crate::machines::provider::{MachineRef, MachineSpec};

/// The version of the contract (docs/provider-contract.md).
pub(super) const VERSION: u64 = 1;

/// An operation of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    Find,
    Create,
    Reboot,
    Terminate,
    List,
    Offers,
}

impl Operation {
    /// The word in a request.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Create => "create",
            Self::Reboot => "reboot",
            Self::Terminate => "terminate",
            Self::List => "list",
            Self::Offers => "offers",
        }
    }

    /// Whether it changes nothing.
    pub(super) const fn is_read(self) -> bool {
        matches!(self, Self::Find | Self::List | Self::Offers)
    }
}

/// A request. Every field is in the JSON; null where it does not apply.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    version: u64,
    pub operation: Operation,
    installation: &'a str,
    pub server_id: Option<ServerId>,
    /// The provider's id, where it is known already; the server id alone identifies the machine.
    provider_id: Option<&'a str>,
    name: Option<&'a str>,
    authorized_key: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// A request about no machine in particular.
    pub(super) fn plain(operation: Operation, installation: &'a str) -> Self {
        let (server_id, provider_id, name, authorized_key) = (None, None, None, None);
        Self { version: VERSION, operation, installation, server_id, provider_id, name, authorized_key }
    }

    /// A request about a machine that may exist.
    pub(super) fn about(operation: Operation, installation: &'a str, machine: &'a MachineRef) -> Self {
        let provider_id = machine.provider_id.as_deref();
        Self { server_id: Some(machine.server_id), provider_id, ..Self::plain(operation, installation) }
    }

    /// A request to create a machine.
    pub(super) fn create(installation: &'a str, spec: &'a MachineSpec) -> Self {
        Self {
            server_id: Some(spec.server_id),
            name: Some(&spec.name),
            authorized_key: Some(&spec.authorized_key),
            ..Self::plain(Operation::Create, installation)
        }
    }

    /// The request as one line of JSON.
    ///
    /// # Errors
    /// None that is known: every field has a form in JSON.
    pub(super) fn line(&self) -> serde_json::Result<String> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }
}
