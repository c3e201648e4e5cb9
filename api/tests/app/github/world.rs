//! The state that the fake keeps.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::app::Apps;
use super::moods::Moods;
use super::serve::Asked;

pub struct World {
    pub base: String,
    /// The fake's clock: an hour behind, and one second later after each change.
    pub now: DateTime<Utc>,
    count: u64,
    pub repositories: BTreeMap<i64, Repository>,
    /// Repository ids by present and former name, in lower case.
    pub names: HashMap<String, i64>,
    /// Logins by `organization/team`, in lower case.
    pub teams: HashMap<String, Vec<String>>,
    /// Public SSH keys by login.
    pub keys: HashMap<String, Vec<String>>,
    pub moods: Moods,
    pub apps: Apps,
    /// The secret that webhooks are signed with.
    pub secret: String,
    pub asked: Vec<Asked>,
}

#[derive(Default)]
pub struct Repository {
    pub id: i64,
    pub name: String,
    pub numbers: i32,
    pub pulls: BTreeMap<i32, Pull>,
    pub commits: HashSet<String>,
    pub deployments: Vec<Deployment>,
    pub statuses: Vec<Status>,
    pub remarks: BTreeMap<i64, Remark>,
}

pub struct Pull {
    pub number: i32,
    pub title: String,
    pub body: Option<String>,
    pub author: Option<String>,
    pub is_draft: bool,
    /// `None`: the source repository was deleted.
    pub fork: Option<i64>,
    pub branch: String,
    pub head: String,
    /// The head before the last push.
    pub before: String,
    pub is_open: bool,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub closed: Option<DateTime<Utc>>,
    pub merged: Option<DateTime<Utc>>,
}

/// A deployment as the client requested it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    pub id: i64,
    pub commit: String,
    pub environment: String,
    pub description: String,
    /// Earliest first.
    pub states: Vec<DeploymentStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentStatus {
    pub state: String,
    pub environment_url: Option<String>,
    pub log_url: Option<String>,
    pub description: String,
}

/// A status of a commit, as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub commit: String,
    pub state: String,
    pub target_url: Option<String>,
    pub description: String,
    pub context: String,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    pub id: i64,
    pub number: i32,
    pub author: String,
    pub body: String,
    /// How often the comment was edited.
    pub edits: usize,
}

impl World {
    pub fn new(base: &str) -> Self {
        Self {
            base: base.into(),
            now: (Utc::now() - TimeDelta::hours(1)).with_nanosecond(0).unwrap(),
            count: 0,
            repositories: BTreeMap::new(),
            names: HashMap::new(),
            teams: HashMap::new(),
            keys: HashMap::new(),
            moods: Moods::default(),
            apps: Apps::default(),
            secret: "a secret of webhooks".into(),
            asked: Vec::new(),
        }
    }

    /// A new number, used for no other object.
    pub fn fresh(&mut self) -> i64 {
        self.count += 1;
        i64::try_from(1000 + self.count).unwrap()
    }

    /// A new commit hash.
    pub fn commit(&mut self) -> String {
        let count = self.fresh();
        let seed = format!("{} {count}", self.base);
        hex::encode(&Sha256::digest(seed)[..20])
    }

    /// Advances the clock by a second, as each change does; gives the time.
    pub fn tick(&mut self) -> DateTime<Utc> {
        self.now += TimeDelta::seconds(1);
        self.now
    }

    /// The id of the repository of this name, created if missing. A renamed repository loses its former name to it.
    pub fn ensure(&mut self, name: &str) -> i64 {
        let known = self.names.get(&name.to_lowercase()).copied();
        if let Some(id) = known.filter(|id| self.repositories[id].name.eq_ignore_ascii_case(name)) {
            return id;
        }
        let id = self.fresh();
        self.names.insert(name.to_lowercase(), id);
        self.repositories.insert(id, Repository { id, name: name.into(), ..Repository::default() });
        id
    }

    pub fn known(&self, name: &str) -> &Repository {
        &self.repositories[&self.names[&name.to_lowercase()]]
    }

    pub fn known_mut(&mut self, name: &str) -> &mut Repository {
        self.repositories.get_mut(&self.names[&name.to_lowercase()]).unwrap()
    }

    /// Changes a pull request and its time of change.
    pub fn change<T>(&mut self, repository: &str, number: i32, change: impl FnOnce(&mut Pull) -> T) -> T {
        let now = self.tick();
        let pull = self.known_mut(repository).pulls.get_mut(&number).unwrap();
        pull.updated = now;
        change(pull)
    }
}
