//! Pull requests become instances, tested against the fake GitHub.

mod asked;
mod closing;
mod commits;
mod descriptions;
mod domains;
mod hooks;
mod moods;
mod outsiders;
mod random;
mod reporting;
mod seen;

use chrono::TimeDelta;
use ocim::config::{OnCommit, Settings};
use ocim::pull_requests::{sweep, tend};
use serde_json::Value;

use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{Setup, TestApp, until};

pub const FORK: &str = "acme/edx-platform";
const SECRET: &str = "what GitHub signs with";

/// The program, watching a fake GitHub.
pub struct Story {
    pub app: TestApp,
    pub github: FakeGithub,
}

impl Story {
    /// Starts with the default rule: new commits change nothing.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with this rule for new commits.
    pub async fn that(on_commit: OnCommit) -> Self {
        Self::with(move |settings| settings.watch.watch_on_commit = on_commit).await
    }

    /// Starts with these settings. After the first sweep, only the test sweeps.
    pub async fn with(change: impl FnOnce(&mut Settings) + 'static) -> Self {
        Self::beside(FakeGithub::start().await, change).await
    }

    /// Like `with`, against a GitHub that already has content.
    pub async fn beside(github: FakeGithub, change: impl FnOnce(&mut Settings) + 'static) -> Self {
        github.repository(FORK);
        github.set_team("acme", "owners", &["ada", "grace"]);
        github.set_secret(SECRET);
        let base = github.base.clone();
        let settings = move |settings: &mut Settings| {
            settings.github.github_api_url = base;
            settings.watch.watch_fork = vec![FORK.into()];
            settings.watch.watch_organization = "acme".into();
            settings.watch.watch_interval = 3600;
            settings.watch.watch_report = vec!["nothing".into()];
            settings.github.github_webhook_secrets = vec![SECRET.into()];
            change(settings);
        };
        let app = TestApp::with(Setup { settings: Box::new(settings), ..Setup::default() }).await;
        let story = Self { app, github };
        // Wait for the worker's first sweep, so that later ones are the test's.
        let forks = i64::try_from(story.app.watch.rules.forks.len()).unwrap();
        let seen = "SELECT count(*) AS n FROM watched_repositories WHERE swept_whole_at IS NOT NULL";
        until("the first sweep is over", async || story.app.number(seen).await == forks).await;
        story
    }

    /// A team member opens a pull request; gives its number.
    pub fn open(&self) -> i32 {
        self.github.open_pull(FORK, PullSpec::default())
    }

    /// Sweeps, and waits until the pull requests that changed are synchronized.
    pub async fn sweep(&self) {
        sweep::sweep(&self.app.watch, TimeDelta::zero()).await.unwrap();
        self.settled().await;
    }

    /// Sweeps all open pull requests, changed or not.
    pub async fn sweep_whole(&self) {
        self.app.execute("UPDATE watched_repositories SET swept_whole_at = NULL").await;
        self.sweep().await;
    }

    /// Waits until no sync job is due.
    pub async fn settled(&self) {
        let waiting = "SELECT count(*) AS n FROM graphile_worker.jobs WHERE task_identifier = 'SyncPullRequest' \
                       AND run_at <= now() AND attempts < max_attempts";
        until("no sync job is due", async || self.app.number(waiting).await == 0).await;
    }

    /// A pull request as the API gives it.
    pub async fn read(&self, number: i32) -> Value {
        self.find(number).await.unwrap_or_else(|| panic!("pull request {number} is not known"))
    }

    /// A pull request as the API gives it; `None` if the program does not know it.
    pub async fn find(&self, number: i32) -> Option<Value> {
        let page = self.app.viewer().await.get("/api/v1/pull-requests?limit=500").await.expect(200);
        page["items"].as_array().unwrap().iter().find(|one| one["github_pr_number"] == number).cloned()
    }

    /// The id of a pull request's instance.
    pub async fn instance(&self, number: i32) -> i64 {
        let read = self.read(number).await;
        read["instance"]["id"].as_i64().unwrap_or_else(|| panic!("it has no instance: {read:#}"))
    }

    /// The pull request's instance as the API gives it.
    pub async fn whole(&self, number: i32) -> Value {
        self.app.read_instance(self.instance(number).await).await
    }

    /// Waits until the newest app server of a pull request is active.
    pub async fn until_active(&self, number: i32) {
        until("the app server is active", async || {
            let instance = &self.read(number).await["instance"];
            !instance["active_appserver"].is_null()
                && instance["active_appserver"]["id"] == instance["newest_appserver"]["id"]
        })
        .await;
    }

    /// Waits until an instance has no machine and is archived.
    pub async fn until_archived(&self, instance: i64) {
        let left = format!(
            "SELECT count(*) AS n FROM servers AS s JOIN app_servers AS a ON a.server_id = s.id \
             WHERE a.instance_id = {instance} AND s.status <> 'terminated'"
        );
        until("the instance is archived", async || {
            tend::archive_due(&self.app.watch).await.unwrap();
            !self.app.read_instance(instance).await["archived_at"].is_null() && self.app.number(&left).await == 0
        })
        .await;
    }

    /// The number of app servers that an instance ever had.
    pub async fn launches(&self, instance: i64) -> i64 {
        self.app.number(&format!("SELECT count(*) AS n FROM app_servers WHERE instance_id = {instance}")).await
    }

    /// A setting of the pull request's instance.
    pub async fn setting(&self, number: i32, name: &str) -> Value {
        self.whole(number).await[name].clone()
    }

    pub async fn end(self) {
        self.app.end().await;
        self.github.stop().await;
    }
}

/// A description with a settings block.
pub fn settings(yaml: &str) -> String {
    format!("What it does.\r\n\r\n**Settings**\r\n```yaml\r\n{yaml}\r\n```\r\n")
}
