//! What people do at GitHub, as verbs for tests.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::FakeGithub;
use super::world::{Pull, Remark};

/// A pull request to open.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct PullSpec {
    pub author: String,
    /// The repository that the change comes from. `None`: a fork of the author's with the same name.
    pub fork: Option<String>,
    pub branch: String,
    pub title: String,
    pub body: String,
    pub is_draft: bool,
}

impl Default for PullSpec {
    fn default() -> Self {
        Self {
            author: "ada".into(),
            fork: None,
            branch: "feature".into(),
            title: "A change".into(),
            body: String::new(),
            is_draft: false,
        }
    }
}

impl FakeGithub {
    /// Creates a repository of this name unless it exists; gives its id.
    pub fn repository(&self, name: &str) -> i64 {
        self.world().ensure(name)
    }

    /// Opens a pull request; gives its number.
    pub fn open_pull(&self, repository: &str, spec: PullSpec) -> i32 {
        let mut world = self.world();
        world.ensure(repository);
        let name = repository.split('/').nth(1).unwrap();
        let fork = spec.fork.unwrap_or_else(|| format!("{}/{name}", spec.author));
        let fork = world.ensure(&fork);
        let (head, now) = (world.commit(), world.tick());
        let repository = world.known_mut(repository);
        repository.numbers += 1;
        let number = repository.numbers;
        repository.commits.insert(head.clone());
        let pull = Pull {
            number,
            title: spec.title,
            body: Some(spec.body).filter(|body| !body.is_empty()),
            author: Some(spec.author),
            is_draft: spec.is_draft,
            fork: Some(fork),
            branch: spec.branch,
            before: head.clone(),
            head,
            is_open: true,
            created: now,
            updated: now,
            closed: None,
            merged: None,
        };
        repository.pulls.insert(number, pull);
        number
    }

    /// Pushes a commit and gives its hash. A forced push of a new commit looks the same in the API.
    pub fn push(&self, repository: &str, number: i32) -> String {
        let mut world = self.world();
        let commit = world.commit();
        world.known_mut(repository).commits.insert(commit.clone());
        world.change(repository, number, |pull| {
            pull.before = std::mem::replace(&mut pull.head, commit.clone());
        });
        commit
    }

    /// Like `push --force` when the commit before was garbage-collected: statuses and deployments of it are refused.
    pub fn force_push(&self, repository: &str, number: i32) -> String {
        let commit = self.push(repository, number);
        let mut world = self.world();
        let repository = world.known_mut(repository);
        let before = repository.pulls[&number].before.clone();
        repository.commits.remove(&before);
        commit
    }

    /// Like `push --force` of a commit that was the head before.
    pub fn push_back(&self, repository: &str, number: i32, commit: &str) {
        self.world().change(repository, number, |pull| {
            pull.before = std::mem::replace(&mut pull.head, commit.to_owned());
        });
    }

    pub fn edit_title(&self, repository: &str, number: i32, title: &str) {
        self.world().change(repository, number, |pull| pull.title = title.into());
    }

    pub fn edit_body(&self, repository: &str, number: i32, body: &str) {
        let body = Some(body.to_owned()).filter(|body| !body.is_empty());
        self.world().change(repository, number, |pull| pull.body = body);
    }

    pub fn set_draft(&self, repository: &str, number: i32, is_draft: bool) {
        self.world().change(repository, number, |pull| pull.is_draft = is_draft);
    }

    pub fn close(&self, repository: &str, number: i32) {
        self.world().change(repository, number, |pull| {
            (pull.is_open, pull.closed) = (false, Some(pull.updated));
        });
    }

    pub fn merge(&self, repository: &str, number: i32) {
        self.world().change(repository, number, |pull| {
            (pull.is_open, pull.closed, pull.merged) = (false, Some(pull.updated), Some(pull.updated));
        });
    }

    pub fn reopen(&self, repository: &str, number: i32) {
        self.world().change(repository, number, |pull| {
            assert!(pull.merged.is_none() && pull.fork.is_some(), "GitHub reopens no such pull request");
            (pull.is_open, pull.closed) = (true, None);
        });
    }

    /// Deletes the author's account: the pull request has no author from now on.
    pub fn delete_author(&self, repository: &str, number: i32) {
        self.world().change(repository, number, |pull| pull.author = None);
    }

    /// Deletes a repository. As at GitHub, pull requests from it stay open and have no source any more.
    pub fn delete_repository(&self, name: &str) {
        let mut world = self.world();
        let id = world.names[&name.to_lowercase()];
        world.names.retain(|_, known| *known != id);
        world.repositories.remove(&id);
        for pull in world.repositories.values_mut().flat_map(|repository| repository.pulls.values_mut()) {
            pull.fork = pull.fork.filter(|fork| *fork != id);
        }
    }

    /// Renames or transfers a repository. The old name redirects until another repository takes it.
    pub fn rename_repository(&self, from: &str, to: &str) {
        let mut world = self.world();
        let id = world.names[&from.to_lowercase()];
        world.names.insert(to.to_lowercase(), id);
        world.known_mut(to).name = to.into();
    }

    /// Sets the members of a team.
    pub fn set_team(&self, organization: &str, team: &str, logins: &[&str]) {
        let logins = logins.iter().map(ToString::to_string).collect();
        self.world().teams.insert(format!("{organization}/{team}").to_lowercase(), logins);
    }

    /// Sets the public SSH keys of a user.
    pub fn set_keys(&self, login: &str, keys: &[&str]) {
        let keys = keys.iter().map(ToString::to_string).collect();
        self.world().keys.insert(login.to_lowercase(), keys);
    }

    pub fn delete_team(&self, organization: &str, team: &str) {
        self.world().teams.remove(&format!("{organization}/{team}").to_lowercase());
    }

    /// Adds a comment; gives its id.
    pub fn comment(&self, repository: &str, number: i32, author: &str, body: &str) -> i64 {
        let mut world = self.world();
        let id = world.fresh();
        world.change(repository, number, |_| ());
        let remark = Remark { id, number, author: author.into(), body: body.into(), edits: 0 };
        world.known_mut(repository).remarks.insert(id, remark);
        id
    }

    pub fn delete_comment(&self, repository: &str, id: i64) {
        self.world().known_mut(repository).remarks.remove(&id).unwrap();
    }

    /// The time by the fake's own clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.world().now
    }

    /// Moves the fake's clock; a negative `by` sets it back.
    pub fn advance(&self, by: TimeDelta) {
        self.world().now += by;
    }

    /// When a pull request last changed.
    pub fn updated(&self, repository: &str, number: i32) -> DateTime<Utc> {
        self.world().known(repository).pulls[&number].updated
    }

    /// The last commit of a pull request.
    pub fn head(&self, repository: &str, number: i32) -> String {
        self.world().known(repository).pulls[&number].head.clone()
    }
}
