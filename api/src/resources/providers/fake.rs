//! A server in memory for tests, which fails on request. What strangers have there is apart from what it was asked to make.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

use super::fake_objects::FakeObjects;
use crate::resources::names::SHARED;
use crate::resources::objects::Objects;
use crate::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};

/// The outcome of one call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeCall {
    /// Nothing is changed; the caller gets this error.
    Fails(ServerError),
    /// The change is made, but the caller gets an error as if the answer was lost.
    AnswerLost,
}

#[derive(Debug, Default)]
struct State {
    /// Passwords by user.
    accounts: BTreeMap<String, String>,
    /// Databases with the users that may use them.
    databases: BTreeMap<String, BTreeSet<String>>,
    /// Buckets that were opened to others: whether they are publicly readable, and to which origins.
    admitted: BTreeMap<String, (bool, Vec<String>)>,
    calls: VecDeque<FakeCall>,
    /// How often something was made or changed, successfully or not.
    changes: u32,
    is_away: bool,
    /// Whether it has no CORS.
    refuses_origins: bool,
}

/// A server in memory.
#[derive(Debug)]
pub struct FakeServer {
    kind: ResourceKind,
    endpoint: Endpoint,
    numbers: Option<u32>,
    state: Mutex<State>,
    /// What is in its buckets.
    pub objects: Arc<FakeObjects>,
}

impl FakeServer {
    /// A server of this kind, without anything; one of Redis has 16 numbers.
    pub fn new(kind: ResourceKind) -> Self {
        let endpoint = Endpoint { host: "db.example".to_owned(), port: kind.port(), has_tls: true };
        let numbers = (kind == ResourceKind::Redis).then_some(16);
        Self { kind, endpoint, numbers, state: Mutex::default(), objects: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the outcome of a call that changes something. Without one, it succeeds.
    pub fn next_call(&self, call: FakeCall) {
        self.state().calls.push_back(call);
    }

    /// Sets whether it answers.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Gives it a database of a stranger.
    pub fn add_stranger(&self, database: &str) {
        self.state().databases.insert(database.to_owned(), BTreeSet::from(["stranger".to_owned()]));
    }

    /// Lets it refuse what buckets admit besides their account.
    pub fn refuse_origins(&self) {
        self.state().refuses_origins = true;
    }

    /// Who may use which bucket besides its account: whether it is publicly readable, and the origins.
    pub fn admitted(&self) -> BTreeMap<String, (bool, Vec<String>)> {
        self.state().admitted.clone()
    }

    /// Removes a database, as another program might.
    pub fn lose(&self, database: &str) {
        self.state().databases.remove(database);
    }

    /// The users, with their passwords.
    pub fn accounts(&self) -> BTreeMap<String, String> {
        self.state().accounts.clone()
    }

    /// The databases, with the users that may use them.
    pub fn databases(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.state().databases.clone()
    }

    /// How often something was made or changed, successfully or not.
    pub fn changes(&self) -> u32 {
        self.state().changes
    }

    fn answers(&self) -> Result<(), ServerError> {
        if self.state().is_away { Err(ServerError::Away("the server does not answer".to_owned())) } else { Ok(()) }
    }

    fn change(&self, change: impl FnOnce(&mut State) -> Result<(), ServerError>) -> Result<(), ServerError> {
        self.answers()?;
        let mut state = self.state();
        state.changes += 1;
        match state.calls.pop_front() {
            Some(FakeCall::Fails(error)) => Err(error),
            Some(FakeCall::AnswerLost) => {
                change(&mut state)?;
                Err(ServerError::Away("the answer was lost".to_owned()))
            }
            None => change(&mut state),
        }
    }
}

#[async_trait]
impl ResourceServer for FakeServer {
    fn kind(&self) -> ResourceKind {
        self.kind
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn numbers(&self) -> Option<u32> {
        self.numbers
    }

    fn shared_account(&self) -> Option<Account> {
        let shared = || Account { username: SHARED.to_owned(), password: "the-keys-secret".to_owned().into() };
        self.kind.shares_account().then(shared)
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.answers()?;
        let state = self.state();
        Ok(match part {
            ResourcePart::Account => state.accounts.contains_key(name) || self.kind.shares_account(),
            ResourcePart::Database => self.numbers.is_some() || state.databases.contains_key(name),
        })
    }

    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.answers()?;
        let state = self.state();
        Ok(match part {
            ResourcePart::Account => state.accounts.contains_key(name) && !self.kind.shares_account(),
            ResourcePart::Database => state.databases.contains_key(name),
        })
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        self.answers()?;
        let state = self.state();
        let names: Vec<_> = match part {
            ResourcePart::Account => state.accounts.keys().cloned().collect(),
            ResourcePart::Database if self.numbers.is_some() => Vec::new(),
            ResourcePart::Database => state.databases.keys().cloned().collect(),
        };
        Ok(names.into_iter().filter(|name| name.starts_with(prefix)).collect())
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        self.change(|state| {
            if attempt == Attempt::First
                && state.accounts.contains_key(&account.username)
                && !self.kind.shares_account()
            {
                return Err(ServerError::Taken);
            }
            state.accounts.insert(account.username.clone(), account.password.expose_secret().to_owned());
            Ok(())
        })
    }

    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError> {
        self.change(|state| {
            if attempt == Attempt::First && state.databases.contains_key(name) {
                return Err(ServerError::Taken);
            }
            if !state.accounts.contains_key(username) {
                return Err(ServerError::Refused(format!("there is no user {username}")));
            }
            state.databases.entry(name.to_owned()).or_default().insert(username.to_owned());
            Ok(())
        })
    }

    async fn admit(&self, bucket: &str, admitted: &Admitted<'_>) -> Result<Vec<String>, ServerError> {
        self.answers()?;
        let mut state = self.state();
        if state.refuses_origins {
            return Ok(vec!["the store has no CORS".to_owned()]);
        }
        state.admitted.insert(bucket.to_owned(), (admitted.is_public, admitted.origins.to_vec()));
        Ok(Vec::new())
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.change(|state| {
            state.databases.remove(name);
            state.admitted.remove(name);
            Ok(())
        })
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        if self.kind.shares_account() {
            return Ok(());
        }
        self.change(|state| {
            if state.databases.values().any(|users| users.contains(username)) {
                return Err(ServerError::Refused(format!("{username} owns a database")));
            }
            state.accounts.remove(username);
            Ok(())
        })
    }

    fn objects(self: Arc<Self>) -> Option<Arc<dyn Objects>> {
        self.kind.is_object_storage().then(|| self.objects.clone() as Arc<dyn Objects>)
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        self.answers()?;
        Ok(self.state().databases.contains_key(database).then_some(4096))
    }
}
