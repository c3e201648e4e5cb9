//! What can be fetched again.

use shared_types::ids::PullRequestId;
use shared_types::{AppServerId, InstanceId};

/// Events come in flocks; one fetch serves all of a moment's.
const MOMENT_MS: u32 = 100;
const LONG_MOMENT_MS: u32 = 300;
/// What can be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The list of instances.
    List,
    /// The rows of the list that events named.
    Rows,
    /// One instance.
    Instance(InstanceId),
    /// One app server.
    AppServer(AppServerId),
    /// The activations of an instance.
    Activations(InstanceId),
    /// The list of archived instances.
    Archived,
    /// The queue of builds.
    Queue,
    /// What the comparison of provider and database found.
    Orphans,
    /// The app servers that nobody needs any more.
    Expiring,
    /// The list of pull requests.
    PullRequests,
    /// One pull request.
    PullRequest(PullRequestId),
    /// The audit trail.
    Activity,
    /// One's own API tokens.
    Tokens,
    /// One's own sessions.
    Sessions,
    /// Who may sign in.
    Users,
    /// How the system is.
    System,
}

impl Key {
    /// For how long events about it are gathered: longer for what changes with every step of every build.
    pub(super) const fn moment_ms(self) -> u32 {
        match self {
            Self::List | Self::Rows | Self::Instance(_) | Self::AppServer(_) | Self::Activations(_) => MOMENT_MS,
            Self::Archived
            | Self::Queue
            | Self::Orphans
            | Self::Expiring
            | Self::PullRequests
            | Self::PullRequest(_)
            | Self::Activity
            | Self::Tokens
            | Self::Sessions
            | Self::Users
            | Self::System => LONG_MOMENT_MS,
        }
    }
}
