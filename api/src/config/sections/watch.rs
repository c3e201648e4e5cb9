use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::{WEEK, settings};

settings! {
    /// Which pull requests get instances; see [pull-requests.md](pull-requests.md).
    pub struct Watch = "Pull requests";

    /// The repositories whose pull requests get instances, `owner/name`, separated by commas. Behind a name,
    /// `=nothing`, `=update` or `=rebuild` sets `WATCH_ON_COMMIT` for that repository.
    watch_fork: Vec<String> = Vec::new();
    /// The GitHub organization whose team is trusted: pull requests by its members, from repositories of theirs or the
    /// watched one, need no approval. Unset: every pull request needs one.
    watch_organization: String = String::new();
    /// The slug of the trusted team in `WATCH_ORGANIZATION`, as in the team's address at GitHub.
    watch_team: String = "owners".into();
    /// Seconds between two polls of GitHub. Webhooks are handled at once.
    watch_interval: u64 = 60, seconds(1..=WEEK);
    /// What new commits do to the instance: `nothing` until a user asks for it; `update` its settings; or `rebuild`:
    /// update them and launch an app server, which is activated when it runs; an older build of the instance is
    /// stopped.
    watch_on_commit: OnCommit = OnCommit::Nothing;
    /// How long after a pull request is closed or merged its instance is archived; its machines, and the data on them,
    /// are then deleted.
    watch_archive_minutes: u32 = 5;
    /// Days without a change at GitHub after which the instance of an open pull request is archived; a change restores
    /// it. 0: never.
    watch_ttl_days: u32 = 30;
    /// The configuration repositories that the settings of a pull request may name, separated by commas. Those outside
    /// of `OCIM_CONFIGURATION_SOURCES` are left out, which the log says at the start.
    watch_configuration_repositories: Vec<String> = Vec::new(), unset("the default one");
    /// What is reported to GitHub about builds, or `nothing`. Needs a token or an App that may write these.
    watch_report: Vec<String> = ["deployments", "statuses", "comments"].map(str::to_owned).to_vec();
}

/// What new commits of a pull request do to its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCommit {
    /// Nothing, until a user asks for it.
    Nothing,
    /// The instance's settings are updated.
    Update,
    /// The settings are updated, an app server is launched, and activated when it runs; an older build is stopped.
    Rebuild,
}

impl Setting for OnCommit {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}
