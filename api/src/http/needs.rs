//! What each operation takes of whoever asks, for the document: as its handler's parameters say, which a test compares, and
//! as it answers, which a test asks of each.

use shared_types::user::Scope;

/// What an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A session: a token is refused.
    Session,
    /// The scope's role; and of a token, the scope.
    Scope(Scope),
    /// No user: the sender signs what it sends.
    Signature,
}

impl Need {
    /// The word in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Scope(scope) => scope.as_str(),
            Self::Signature => "signature",
        }
    }

    /// The sentence in the document.
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

/// Who looks.
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

/// The needs; an operation that is in none of the lists is open to everybody.
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

/// What an operation takes. None: it is open to everybody.
pub fn of(operation: &str) -> Option<Need> {
    NEEDS.iter().find(|(_, operations)| operations.contains(&operation)).map(|(need, _)| *need)
}
