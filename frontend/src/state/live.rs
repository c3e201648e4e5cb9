//! Keeps the shown data up to date: one event stream per tab. Events are hints; after a gap everything is refetched.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::future::{AbortHandle, abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{AppServerId, Event, EventKind, InstanceId, ProblemType};

use super::data::{Data, Key};
use super::session::Session;
use crate::api::{self, events::Signal as Heard};

/// The shortest and the longest wait before reconnecting.
const BACK_OFF_MS: (u32, u32) = (500, 15_000);

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Connecting,
    Live,
    /// Disconnected since this time.
    Lost(DateTime<Utc>),
}

/// The client of the event stream.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    data: Data,
    session: Session,
    link: RwSignal<Link>,
    log_ends: RwSignal<HashMap<AppServerId, i64>>,
    instance_news: RwSignal<HashMap<InstanceId, u32>>,
    openings: RwSignal<u32>,
    stop: StoredValue<Option<AbortHandle>>,
}

impl Live {
    pub(super) fn new(data: Data, session: Session) -> Self {
        Self {
            data,
            session,
            link: RwSignal::new(Link::Connecting),
            log_ends: RwSignal::default(),
            instance_news: RwSignal::default(),
            openings: RwSignal::default(),
            stop: StoredValue::new(None),
        }
    }

    /// The state of the connection.
    pub fn link(self) -> Signal<Link> {
        self.link.into()
    }

    /// Counts connections and gaps: a view that tracks it refetches after a gap.
    pub fn openings(self) -> u32 {
        self.openings.get()
    }

    /// The highest line number of an app server's log that an event has named.
    pub fn log_end(self, id: AppServerId) -> Option<i64> {
        self.log_ends.with(|ends| ends.get(&id).copied())
    }

    /// Counts the events about an instance: with each, its own log may have grown.
    pub fn news_of(self, id: InstanceId) -> u32 {
        self.instance_news.with(|news| news.get(&id).copied().unwrap_or_default())
    }

    /// Starts listening, and fetches the list of instances.
    pub fn start(self) {
        self.stop();
        self.data.refresh(Key::List);
        let (run, handle) = abortable(self.run());
        self.stop.set_value(Some(handle));
        spawn_local(async move {
            // Ends with the session or when `stop` aborts it: nothing is left to do in either case.
            let _ = run.await;
        });
    }

    /// Stops listening to events.
    pub fn stop(self) {
        if let Some(handle) = self.stop.try_update_value(Option::take).flatten() {
            handle.abort();
        }
        self.link.set(Link::Connecting);
    }

    async fn run(self) {
        let mut wait_ms = BACK_OFF_MS.0;
        loop {
            if self.listen().await {
                wait_ms = BACK_OFF_MS.0;
            }
            self.lose();
            gloo_timers::future::TimeoutFuture::new(wait_ms).await;
            wait_ms = (wait_ms * 2).min(BACK_OFF_MS.1);
            if let Err(error) = api::auth::me().await
                && error.is(ProblemType::Unauthenticated)
            {
                self.session.end();
                return;
            }
        }
    }

    /// Listens until the browser gives up. Returns whether it was ever connected.
    async fn listen(self) -> bool {
        let Ok(mut events) = api::events::Events::open() else {
            return false;
        };
        let mut was_connected = false;
        while let Some(heard) = events.next().await {
            match heard {
                Heard::Opened => {
                    was_connected = true;
                    self.opened();
                }
                Heard::Lost => self.lose(),
                Heard::Gap => self.gap(),
                Heard::Changed(event) => self.hear(&event),
            }
        }
        was_connected
    }

    fn opened(self) {
        let is_first = self.openings.get_untracked() == 0;
        self.link.set(Link::Live);
        if is_first {
            self.openings.set(1);
        } else {
            self.gap();
        }
    }

    /// Refetches everything shown, since events may have been missed.
    fn gap(self) {
        self.openings.update(|times| *times += 1);
        self.data.refresh_all();
    }

    fn lose(self) {
        if !matches!(self.link.get_untracked(), Link::Lost(_)) {
            self.link.set(Link::Lost(Utc::now()));
        }
    }

    fn hear(self, event: &Event) {
        if let (Some(id), Some(seq)) = (event.app_server_id, event.last_seq) {
            self.log_ends.update(|ends| {
                let end = ends.entry(id).or_default();
                *end = seq.max(*end);
            });
        }
        let is_log = event.kind == EventKind::LogAppended;
        if let Some(id) = event.instance_id
            && !(is_log && event.app_server_id.is_some())
        {
            self.instance_news.update(|news| *news.entry(id).or_default() += 1);
        }
        for key in concerns(event) {
            if let Key::Instance(id) = key {
                self.data.row_changed(id);
            }
            self.data.refresh_soon(key);
        }
        // Any event but a log line may come with a new entry of the audit trail.
        if !is_log {
            self.data.refresh_soon(Key::Activity);
        }
        // The event does not name its pull request, and few pull requests are shown at once.
        if event.kind == EventKind::PullRequestUpdated {
            for id in self.data.shown_pull_requests() {
                self.data.refresh_soon(Key::PullRequest(id));
            }
        }
        // Without an instance the event concerns all: health checks work again, or have stopped working.
        if event.kind == EventKind::HealthChanged && event.instance_id.is_none() {
            self.data.refresh_all();
        }
        if moves_traffic(event.kind)
            && let Some(instance) = event.instance_id
        {
            for id in self.data.shown_app_servers(instance) {
                self.data.refresh_soon(Key::AppServer(id));
            }
        }
    }
}

/// Whether an event may change which of its instance's app servers are active, fallback or draining.
const fn moves_traffic(kind: EventKind) -> bool {
    match kind {
        EventKind::AppServerActivated | EventKind::RoutingApplied => true,
        EventKind::InstanceCreated
        | EventKind::InstanceUpdated
        | EventKind::AppServerLaunched
        | EventKind::AppServerUpdated
        | EventKind::ServerUpdated
        | EventKind::AppServerStopRequested
        | EventKind::ChecksMade
        | EventKind::HealthChanged
        | EventKind::QueueChanged
        | EventKind::PullRequestUpdated
        | EventKind::LogAppended => false,
    }
}

/// What says which machines there are, and what each is needed for.
const MACHINES: [Key; 3] = [Key::Expiring, Key::Machines, Key::MachineCounts];

/// The data that an event makes stale.
fn concerns(event: &Event) -> Vec<Key> {
    let instance = event.instance_id.map(Key::Instance);
    let app_server = event.app_server_id.map(Key::AppServer);
    let activations = event.instance_id.map(Key::Activations);
    match event.kind {
        EventKind::InstanceCreated | EventKind::InstanceUpdated => {
            let of = |key: fn(InstanceId) -> Key| event.instance_id.map(key);
            let data =
                of(Key::Resources).into_iter().chain(of(Key::Backups)).chain(of(Key::Dns)).chain(of(Key::Certificate));
            let lists = [Key::Archived, Key::PullRequests, Key::Machines];
            instance.into_iter().chain(data).chain(lists).collect()
        }
        EventKind::AppServerLaunched | EventKind::AppServerUpdated | EventKind::AppServerStopRequested => {
            let access = event.app_server_id.map(Key::Access);
            instance.into_iter().chain(app_server).chain(access).chain([Key::Queue]).chain(MACHINES).collect()
        }
        EventKind::AppServerActivated | EventKind::RoutingApplied => {
            instance.into_iter().chain(app_server).chain(activations).chain(MACHINES).collect()
        }
        EventKind::ServerUpdated => {
            instance.into_iter().chain(app_server).chain([Key::Orphans]).chain(MACHINES).collect()
        }
        EventKind::ChecksMade => app_server.into_iter().collect(),
        EventKind::HealthChanged => instance.into_iter().chain(app_server).collect(),
        EventKind::QueueChanged => vec![Key::Queue],
        EventKind::PullRequestUpdated => instance.into_iter().chain([Key::PullRequests]).collect(),
        EventKind::LogAppended => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn event(kind: EventKind) -> Event {
        Event {
            id: None,
            kind,
            created: DateTime::default(),
            instance_id: Some(InstanceId(1)),
            app_server_id: Some(AppServerId(2)),
            server_id: None,
            last_seq: None,
        }
    }

    #[test]
    fn an_event_makes_untrue_what_it_is_about() {
        let (instance, server) = (Key::Instance(InstanceId(1)), Key::AppServer(AppServerId(2)));
        assert_eq!(
            concerns(&event(EventKind::InstanceUpdated)),
            [
                instance,
                Key::Resources(InstanceId(1)),
                Key::Backups(InstanceId(1)),
                Key::Dns(InstanceId(1)),
                Key::Certificate(InstanceId(1)),
                Key::Archived,
                Key::PullRequests,
                Key::Machines
            ]
        );
        let [expiring, machines, counts] = MACHINES;
        assert_eq!(
            concerns(&event(EventKind::AppServerUpdated)),
            [instance, server, Key::Access(AppServerId(2)), Key::Queue, expiring, machines, counts]
        );
        assert_eq!(
            concerns(&event(EventKind::ServerUpdated)),
            [instance, server, Key::Orphans, expiring, machines, counts]
        );
        assert_eq!(
            concerns(&event(EventKind::AppServerActivated)),
            [instance, server, Key::Activations(InstanceId(1)), expiring, machines, counts]
        );
        assert_eq!(concerns(&event(EventKind::QueueChanged)), [Key::Queue]);
        assert_eq!(concerns(&event(EventKind::PullRequestUpdated)), [instance, Key::PullRequests]);
        let without_instance = Event { instance_id: None, ..event(EventKind::PullRequestUpdated) };
        assert_eq!(concerns(&without_instance), [Key::PullRequests]);
        assert_eq!(concerns(&event(EventKind::LogAppended)), [], "the log asks for its own rows");
    }
}
