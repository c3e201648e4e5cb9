//! What the API and the browser share: the data that is exchanged, which states exist, which may follow which, and what
//! a person may do in each. The browser calls these functions instead of copying the server's rules.
//!
//! Not here: anything that reads a database, a clock or the network. The crate compiles to `wasm32-unknown-unknown`;
//! the feature `orm` adds the ORM's conversions for ids and statuses and is never on in the browser.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod app_server;
pub mod app_server_status;
pub mod applications;
pub mod audit;
pub mod backup;
pub mod care;
pub mod certificate;
pub mod client_error;
pub mod comparison;
pub mod dns;
pub mod event;
pub mod gateway;
pub mod health;
pub mod hook;
pub mod https;
pub mod ids;
pub mod instance;
pub mod instance_copy;
pub mod instance_type;
pub mod launch;
pub mod log_entry;
pub mod machine;
pub mod mark;
pub mod migration;
pub mod operations;
#[cfg(feature = "orm")]
mod orm;
pub mod pagination;
pub mod preview_link;
pub mod problem;
pub mod pull_request;
pub mod queue;
pub mod resource;
pub mod retention;
pub mod secret;
pub mod server;
pub mod settings;
pub mod sign_in;
pub mod source_credential;
pub mod ssh_access;
pub mod system;
pub mod told;
pub mod user;
pub mod warning;
pub mod yaml;

pub use app_server::{AppServer, AppServerStatus, AppServerSummary, Serving};
pub use certificate::{Certificate, CertificateState};
pub use event::{Event, EventKind};
pub use health::{HealthState, InstanceHealth};
pub use ids::{
    ActivationId, ActivityId, AppServerId, BackupId, CertificateId, EventId, InstanceId, LogEntryId, PreviewLinkId,
    PullRequestId, ResourceId, ServerId, SessionId, SourceCredentialId, SshKeyId, TokenId, UserId,
};
pub use instance::{Instance, InstanceSummary};
pub use launch::Trigger;
pub use log_entry::{LogEntry, LogLevel};
pub use machine::{MachineRole, ServerDetail};
pub use pagination::Page;
pub use problem::{FieldError, Problem, ProblemType};
pub use pull_request::PullRequest;
pub use resource::{Resource, ResourceKind, ResourceServerName};
pub use server::{ProviderKind, ProviderName, Server, ServerStatus};
pub use settings::diff;
pub use ssh_access::SshLogin;
pub use user::{Role, User};
pub use warning::FieldWarning;

/// The prefix of every path of the REST API.
pub const API_BASE: &str = "/api/v1";
