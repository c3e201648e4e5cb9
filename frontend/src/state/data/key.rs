//! The keys of data that can be fetched again.

use shared_types::ids::PullRequestId;
use shared_types::{AppServerId, InstanceId, UserId};

/// The delay within which events are coalesced into one fetch.
const MOMENT_MS: u32 = 100;
const LONG_MOMENT_MS: u32 = 300;

/// What can be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The whole list of instances in use.
    List,
    /// The rows of the list that events named.
    Rows,
    Instance(InstanceId),
    AppServer(AppServerId),
    Activations(InstanceId),
    Archived,
    /// The build queue.
    Queue,
    /// The last comparison of provider and database.
    Orphans,
    /// The app servers that are no longer needed.
    Expiring,
    /// The list of machines.
    Machines,
    /// How many machines there are.
    MachineCounts,
    PullRequests,
    PullRequest(PullRequestId),
    Activity,
    /// Who may log in to the machine of an app server.
    Access(AppServerId),
    /// What an instance has outside its machines.
    Resources(InstanceId),
    /// The backups of what an instance has outside its machines.
    Backups(InstanceId),
    /// The certificate of an instance's host names.
    Certificate(InstanceId),
    /// The names of an instance in the DNS.
    Dns(InstanceId),
    /// The signed-in user's API tokens.
    Tokens,
    /// The signed-in user's public SSH keys.
    SshKeys,
    /// The signed-in user's sessions.
    Sessions,
    /// The user accounts.
    Users,
    /// The sessions of a user, for administrators.
    UserSessions(UserId),
    /// The API tokens of a user, for administrators.
    UserTokens(UserId),
    /// The credentials of private repositories.
    SourceCredentials,
    /// The state of the system.
    System,
}

impl Key {
    /// Whether it is fetched although no view has registered it: the list is on every page.
    pub(super) const fn is_always_shown(self) -> bool {
        matches!(self, Self::List | Self::Rows)
    }

    /// How long events about this key are coalesced: longer for data that changes with every step of every build.
    pub(super) const fn moment_ms(self) -> u32 {
        match self {
            Self::List | Self::Rows | Self::Instance(_) | Self::AppServer(_) | Self::Activations(_) => MOMENT_MS,
            Self::Archived
            | Self::Queue
            | Self::Orphans
            | Self::Expiring
            | Self::Machines
            | Self::MachineCounts
            | Self::PullRequests
            | Self::PullRequest(_)
            | Self::Activity
            | Self::Access(_)
            | Self::Resources(_)
            | Self::Backups(_)
            | Self::Certificate(_)
            | Self::Dns(_)
            | Self::Tokens
            | Self::SshKeys
            | Self::Sessions
            | Self::Users
            | Self::UserSessions(_)
            | Self::UserTokens(_)
            | Self::SourceCredentials
            | Self::System => LONG_MOMENT_MS,
        }
    }
}
