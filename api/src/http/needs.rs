//! The credentials that each operation needs, for the OpenAPI document. Handlers enforce them by their parameters;
//! tests compare both, and call each operation.

use shared_types::user::Scope;

/// The credentials that an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A session; API tokens are refused.
    Session,
    /// The scope's role; an API token also needs the scope.
    Scope(Scope),
    /// No user; the sender signs the body.
    Signature,
}

impl Need {
    /// The value of `x-required-scope` in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Scope(scope) => scope.as_str(),
            Self::Signature => "signature",
        }
    }

    /// The sentence about it in the document.
    pub fn words(self) -> String {
        match self {
            Self::Session => "Needs a session; an API token is refused.".to_owned(),
            Self::Signature => "Needs the sender's signature; sessions and tokens do not count.".to_owned(),
            Self::Scope(Scope::Read) => "Needs the role viewer; an API token, any scope.".to_owned(),
            Self::Scope(scope) => {
                format!("Needs the role {}; an API token, the scope {}.", scope.role().as_str(), scope.as_str())
            }
        }
    }
}

/// Operations that need the scope read.
const READ: &[&str] = &[
    "logout",
    "current_user",
    "list_tokens",
    "delete_token",
    "current_token",
    "list_instance_types",
    "list_instances",
    "read_instance",
    "list_instance_app_servers",
    "render_instance",
    "list_activations",
    "list_instance_logs",
    "list_instance_log_matches",
    "stream_instance_logs",
    "list_app_servers",
    "list_activity",
    "list_logs",
    "read_app_server",
    "diff_app_server",
    "read_checks",
    "list_app_server_logs",
    "list_app_server_log_matches",
    "stream_app_server_logs",
    "read_queue",
    "list_retention",
    "list_servers",
    "list_orphans",
    "read_server",
    "stream_events",
    "read_system",
    "report_client_error",
    "list_pull_requests",
    "read_pull_request",
];

/// The operations by need; one that is in no list is public.
const NEEDS: &[(Need, &[&str])] = &[
    (Need::Session, &["change_password", "list_sessions", "end_session", "end_other_sessions", "create_token"]),
    (Need::Scope(Scope::Read), READ),
    (Need::Signature, &["receive_github_webhook"]),
    (
        Need::Scope(Scope::Deploy),
        &[
            "create_instance",
            "update_instance",
            "archive_instance",
            "restore_instance",
            "launch_app_server",
            "stop_app_server",
            "terminate_app_server",
            "pin_app_server",
            "unpin_app_server",
            "check_app_server",
            "pause_queue",
            "resume_queue",
            "watch_pull_request",
            "update_instance_from_pull_request",
            "approve_pull_request",
            "ignore_pull_request",
        ],
    ),
    (Need::Scope(Scope::Activate), &["activate_app_server", "roll_back_instance", "hold_instance", "lift_hold"]),
    (
        Need::Scope(Scope::Admin),
        &[
            "purge_instance",
            "remove_orphans",
            "list_users",
            "create_user",
            "read_user",
            "update_user",
            "delete_user",
            "set_user_password",
        ],
    ),
];

/// The need of an operation. None: it is public.
pub fn of(operation: &str) -> Option<Need> {
    NEEDS.iter().find(|(_, operations)| operations.contains(&operation)).map(|(need, _)| *need)
}
