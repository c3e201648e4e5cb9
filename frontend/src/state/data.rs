//! The fetched data. Views read it as signals and register what they show; events say what to fetch again.
//!
//! Each thing is fetched by one task at a time, so that an older response never overwrites a newer one.

mod activities;
mod counts;
mod fetched;
mod key;
mod people;
mod pull_requests;
mod rows;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::Activation;
use shared_types::ids::PullRequestId;
use shared_types::queue::Queue;
use shared_types::retention::{Expiring, Orphans};
use shared_types::system::SystemState;
use shared_types::user::{Account, Session as Browser, Token};
use shared_types::{AppServer, AppServerId, Instance, InstanceId, PullRequest};

use super::coalesce::Coalesce;
use super::session::Session;
use crate::api::{self, ApiError};
use crate::paths::{ActivityFilter, PullRequestFilter};
pub use activities::Activities;
pub use counts::Counts;
pub use fetched::Fetched;
use fetched::is_waiting;
pub use key::Key;
pub use pull_requests::PullRequests;
use rows::Changed;
pub use rows::{Row, Rows, Words};

/// The delay before a retry when the server does not respond.
const RETRY_MS: u32 = 1_000;
/// The poll interval, while shown, for data whose changes send no event.
const LOOK: Duration = Duration::from_secs(5);

type Kept<K, T> = RwSignal<HashMap<K, Fetched<T>>>;

#[derive(Debug, Clone, Copy)]
pub struct Data {
    session: Session,
    list: RwSignal<Fetched<Rows>>,
    counts: Memo<Counts>,
    changed: StoredValue<Changed>,
    instances: Kept<InstanceId, Instance>,
    app_servers: Kept<AppServerId, AppServer>,
    activations: Kept<InstanceId, Vec<Activation>>,
    archived: Kept<(), Rows>,
    queue: Kept<(), Queue>,
    orphans: Kept<(), Orphans>,
    expiring: Kept<(), Vec<Expiring>>,
    pull_requests: Kept<PullRequestId, PullRequest>,
    pull_request_list: Kept<(), PullRequests>,
    /// The filter of the list of pull requests, and the number of pages to hold.
    wanted_pull_requests: StoredValue<(PullRequestFilter, usize)>,
    activities: Kept<(), Activities>,
    /// The filter of the audit trail, and the number of entries to hold.
    wanted_activities: StoredValue<(ActivityFilter, usize)>,
    tokens: Kept<(), Vec<Token>>,
    sessions: Kept<(), Vec<Browser>>,
    users: Kept<(), Vec<Account>>,
    system: Kept<(), SystemState>,
    /// The number of views that show each thing.
    shown: StoredValue<HashMap<Key, u32>>,
    under_way: StoredValue<Coalesce<Key>>,
}

impl Data {
    pub(super) fn new(session: Session) -> Self {
        let list: RwSignal<Fetched<Rows>> = RwSignal::new(Fetched::Waiting);
        let counts = move |rows: &Arc<Rows>| Counts::count(rows.values().map(|row| &row.summary));
        Self {
            session,
            list,
            counts: Memo::new(move |_| list.with(|list| list.here().map(counts).unwrap_or_default())),
            changed: StoredValue::default(),
            instances: RwSignal::default(),
            app_servers: RwSignal::default(),
            activations: RwSignal::default(),
            archived: RwSignal::default(),
            queue: RwSignal::default(),
            orphans: RwSignal::default(),
            expiring: RwSignal::default(),
            pull_requests: RwSignal::default(),
            pull_request_list: RwSignal::default(),
            wanted_pull_requests: StoredValue::default(),
            activities: RwSignal::default(),
            wanted_activities: StoredValue::default(),
            tokens: RwSignal::default(),
            sessions: RwSignal::default(),
            users: RwSignal::default(),
            system: RwSignal::default(),
            shown: StoredValue::default(),
            under_way: StoredValue::new(Coalesce::default()),
        }
    }

    /// The instances in use.
    pub fn list(self) -> Signal<Fetched<Rows>> {
        self.list.into()
    }

    /// The number of instances in use of each kind.
    pub fn counts(self) -> Memo<Counts> {
        self.counts
    }

    /// One instance, fetched anew and kept up to date while the calling view is shown.
    pub fn instance(self, id: InstanceId) -> Memo<Fetched<Instance>> {
        self.show(self.instances, id, Key::Instance(id))
    }

    /// One app server, kept up to date likewise.
    pub fn app_server(self, id: AppServerId) -> Memo<Fetched<AppServer>> {
        self.show(self.app_servers, id, Key::AppServer(id))
    }

    /// The activations of an instance, kept up to date likewise.
    pub fn activations(self, id: InstanceId) -> Memo<Fetched<Vec<Activation>>> {
        self.show(self.activations, id, Key::Activations(id))
    }

    /// The archived instances, kept up to date likewise.
    pub fn archived(self) -> Memo<Fetched<Rows>> {
        self.show(self.archived, (), Key::Archived)
    }

    /// The build queue, kept up to date likewise. Polled: heartbeats of workers send no event.
    pub fn queue(self) -> Memo<Fetched<Queue>> {
        self.look_again_and_again(Key::Queue);
        self.show(self.queue, (), Key::Queue)
    }

    /// The last comparison of provider and database, likewise. Polled: comparisons send no event.
    pub fn orphans(self) -> Memo<Fetched<Orphans>> {
        self.look_again_and_again(Key::Orphans);
        self.show(self.orphans, (), Key::Orphans)
    }

    /// The state of the system, likewise. Polled.
    pub fn system(self) -> Memo<Fetched<SystemState>> {
        self.show(self.system, (), Key::System)
    }

    /// The app servers that are no longer needed, kept up to date likewise.
    pub fn expiring(self) -> Memo<Fetched<Vec<Expiring>>> {
        self.show(self.expiring, (), Key::Expiring)
    }

    /// Fetches `key` now. Skipped if no view shows it; the list of instances is always shown.
    pub fn refresh(self, key: Key) {
        self.fetch_after(key, 0);
    }

    /// Fetches `key` after a short delay, so that a burst of events causes one fetch.
    pub fn refresh_soon(self, key: Key) {
        // Most events are about things that are not shown: do not even start a timer for them.
        if matches!(key, Key::List | Key::Rows) || self.is_shown(key) {
            self.fetch_after(key, key.moment_ms());
        }
    }

    /// Fetches everything that is shown, after events may have been missed.
    pub fn refresh_all(self) {
        self.refresh(Key::List);
        let shown: Vec<Key> = self.shown.with_value(|shown| shown.keys().copied().collect());
        for key in shown {
            self.refresh(key);
        }
    }

    /// The shown app servers of an instance.
    pub fn shown_app_servers(self, of: InstanceId) -> Vec<AppServerId> {
        let is_of = |fetched: &Fetched<AppServer>| fetched.here().is_some_and(|one| one.summary.instance_id == of);
        self.app_servers
            .with_untracked(|kept| kept.iter().filter(|(_, fetched)| is_of(fetched)).map(|(id, _)| *id).collect())
    }

    /// Forgets everything, since another user may sign in next.
    pub fn clear(self) {
        self.list.set(Fetched::Waiting);
        self.changed.set_value(Changed::default());
        self.instances.update(HashMap::clear);
        self.app_servers.update(HashMap::clear);
        self.activations.update(HashMap::clear);
        self.archived.update(HashMap::clear);
        self.queue.update(HashMap::clear);
        self.orphans.update(HashMap::clear);
        self.expiring.update(HashMap::clear);
        self.pull_requests.update(HashMap::clear);
        self.pull_request_list.update(HashMap::clear);
        self.clear_people();
    }

    fn show<K, T>(self, kept: Kept<K, T>, id: K, key: Key) -> Memo<Fetched<T>>
    where
        K: Copy + Eq + Hash + Send + Sync + 'static,
        T: PartialEq + Send + Sync + 'static,
    {
        self.shown.update_value(|shown| *shown.entry(key).or_default() += 1);
        on_cleanup(move || self.hide(kept, id, key));
        self.refresh(key);
        Memo::new(move |_| kept.with(|kept| kept.get(&id).cloned().unwrap_or(Fetched::Waiting)))
    }

    /// Polls `key` while the calling view is shown, for changes that send no event.
    pub fn look_every(self, key: Key, pause: Duration) {
        if let Ok(timer) = set_interval_with_handle(move || self.refresh(key), pause) {
            on_cleanup(move || timer.clear());
        }
    }

    fn look_again_and_again(self, key: Key) {
        self.look_every(key, LOOK);
    }

    /// Forgets a thing when the last view that showed it is gone.
    fn hide<K, T>(self, kept: Kept<K, T>, id: K, key: Key)
    where
        K: Eq + Hash + Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        let is_last = self.shown.try_update_value(|shown| {
            let views = shown.entry(key).or_default();
            *views = views.saturating_sub(1);
            let is_last = *views == 0;
            if is_last {
                shown.remove(&key);
            }
            is_last
        });
        if is_last == Some(true) {
            kept.try_update_untracked(|kept| kept.remove(&id));
        }
    }

    fn is_shown(self, key: Key) -> bool {
        self.shown.with_value(|shown| shown.contains_key(&key))
    }

    fn fetch_after(self, key: Key, wait_ms: u32) {
        let starts = self.under_way.try_update_value(|under_way| under_way.wish(key)).unwrap_or(false);
        if starts {
            spawn_local(self.fetch_until_true(key, wait_ms));
        }
    }

    async fn fetch_until_true(self, key: Key, mut wait_ms: u32) {
        loop {
            if wait_ms > 0 {
                gloo_timers::future::TimeoutFuture::new(wait_ms).await;
            }
            self.under_way.update_value(|under_way| under_way.begin(&key));
            let retries = self.fetch(key).await == Err(ApiError::Unreachable) && self.session.is_open();
            wait_ms = if retries { RETRY_MS } else { key.moment_ms() };
            if retries {
                self.under_way.update_value(|under_way| {
                    under_way.wish(key);
                });
            }
            if !self.under_way.try_update_value(|under_way| under_way.end(&key)).unwrap_or(false) {
                return;
            }
        }
    }

    async fn fetch(self, key: Key) -> api::Result<()> {
        match key {
            Key::List => self.fetch_list().await,
            Key::Rows => self.fetch_rows().await,
            Key::Instance(_) if !self.is_shown(key) => Ok(()),
            Key::Instance(id) => {
                let answer = api::instances::read(id).await;
                if let Ok(instance) = &answer {
                    self.put_rows(&[id], vec![instance.summary.clone()]);
                }
                self.keep(self.instances, id, key, answer)
            }
            Key::AppServer(_) if !self.is_shown(key) => Ok(()),
            Key::AppServer(id) => self.keep(self.app_servers, id, key, api::app_servers::read(id).await),
            Key::Activations(_) if !self.is_shown(key) => Ok(()),
            Key::Activations(id) => {
                let answer = api::instances::activations(id).await.map(|page| page.items);
                self.keep(self.activations, id, key, answer)
            }
            Key::PullRequest(_) | Key::PullRequests if !self.is_shown(key) => Ok(()),
            Key::PullRequest(id) => self.keep(self.pull_requests, id, key, api::pull_requests::read(id).await),
            Key::PullRequests => {
                let (filter, pages) = self.wanted_pull_requests.get_value();
                self.keep(self.pull_request_list, (), key, pull_requests::listed(filter, pages).await)
            }
            Key::Activity | Key::Tokens | Key::Sessions | Key::Users if !self.is_shown(key) => Ok(()),
            Key::Activity => self.fetch_activities().await,
            Key::Tokens => self.keep(self.tokens, (), key, api::account::tokens().await),
            Key::Sessions => self.keep(self.sessions, (), key, api::account::sessions().await),
            Key::Users => self.keep(self.users, (), key, api::users::all().await),
            Key::Archived | Key::Queue | Key::Orphans | Key::Expiring | Key::System if !self.is_shown(key) => Ok(()),
            Key::Archived => self.fetch_archived().await,
            Key::Queue => self.keep(self.queue, (), key, api::queue::read().await),
            Key::System => self.keep(self.system, (), key, api::system::read().await),
            Key::Orphans => self.keep(self.orphans, (), key, api::machines::orphans().await),
            Key::Expiring => self.keep(self.expiring, (), key, api::machines::expiring().await),
        }
    }

    fn keep<K, T>(self, kept: Kept<K, T>, id: K, key: Key, answer: api::Result<T>) -> api::Result<()>
    where
        K: Copy + Eq + Hash + Send + Sync + 'static,
        T: PartialEq + Send + Sync + 'static,
    {
        // Not kept if no view shows it: events may be about anything.
        if !self.is_shown(key) {
            return answer.map(drop);
        }
        let put = move |fetched| {
            kept.update(|kept| {
                kept.insert(id, fetched);
            });
        };
        let is_waiting = move || kept.with_untracked(|kept| kept.get(&id).is_none_or(is_waiting));
        self.settle(answer, put, is_waiting)
    }

    /// Stores a response. An error does not replace fetched data unless the thing no longer exists.
    fn settle<T>(
        self,
        answer: api::Result<T>,
        put: impl FnOnce(Fetched<T>),
        is_waiting: impl FnOnce() -> bool,
    ) -> api::Result<()> {
        match answer {
            Ok(value) => put(Fetched::Here(Arc::new(value))),
            Err(error) => {
                let is_gone = error.is(shared_types::ProblemType::NotFound);
                if !self.session.ends_by(&error) && (is_gone || is_waiting()) {
                    put(Fetched::Failed(error.clone()));
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
