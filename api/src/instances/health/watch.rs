//! Checks every active app server once per interval, and once more soon after a first failure.
//!
//! Results are collected and written once a second ([`super::record`]). A failed check counts only if the gateway
//! answers: otherwise nothing is known of the sites. Several processes that update a gateway may run it at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use shared_types::app_server::Checks;
use shared_types::{AppServerId, EventKind, InstanceId, ServerStatus};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Found;
use super::record::{self, Look};
use super::schedule::{Aim, Schedule, Start};
use super::stale;
use crate::instances::application::CheckSpec;
use crate::instances::health::checks;
use crate::instances::store::health_watch::{self as store, Target};
use crate::instances::{Manager, Pace, store as tables};
use crate::platform::db::DbError;
use crate::platform::events::bus::Signal;
use crate::platform::events::{self, About};
use crate::routing::traffic::Traffic;

/// How often results are written and checks begin.
const TICK: Duration = Duration::from_secs(1);
/// How long the gateway may take to answer that it is reachable.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(2);
/// The reason that is stored if a site could not be asked and its check gives none.
const UNSAID: &str = "the sites cannot be asked";

/// Watches until `signals` is closed or the future is dropped.
pub async fn watch(manager: &Manager, mut signals: Receiver<Signal>) {
    let mut watch = Watch::new(manager);
    let mut ticks = interval(TICK.min(manager.options.pace.interval));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if let Err(error) = watch.tick().await {
                    tracing::warn!(%error, "checks of active app servers were not written; they are kept for another try");
                }
            }
            Some(ended) = watch.asked.join_next() => watch.take(ended),
            signal = signals.recv() => match signal {
                Ok(signal) => watch.hear(&signal),
                Err(RecvError::Lagged(_)) => watch.hear(&Signal::Gap),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Which active app servers are to be read again.
#[derive(Debug, Default)]
enum News {
    #[default]
    None,
    Of(HashSet<InstanceId>),
    All,
}

impl News {
    /// Notes instances whose active app server or its machine's address may have changed.
    fn hear(&mut self, signal: &Signal) {
        let event = match signal {
            Signal::Gap => {
                *self = Self::All;
                return;
            }
            Signal::Access(_) | Signal::Gateways | Signal::Rates(_) => return,
            Signal::Event(event) => event,
        };
        let concerns =
            matches!(event.kind, EventKind::AppServerActivated | EventKind::InstanceUpdated | EventKind::ServerUpdated);
        let Some(id) = event.instance_id.filter(|_| concerns) else { return };
        match self {
            Self::All => {}
            Self::None => *self = Self::Of(HashSet::from([id])),
            Self::Of(ids) => {
                ids.insert(id);
            }
        }
    }
}

#[derive(Debug)]
struct Watch<'a> {
    manager: &'a Manager,
    pace: Pace,
    schedule: Schedule,
    news: News,
    read_at: Option<Instant>,
    asked: JoinSet<(Start, Look, Duration)>,
    /// Results that are not written yet, the latest of each instance.
    found: HashMap<InstanceId, Look>,
    /// When sites could last be asked; their answers may have been bad or missing.
    answered_at: Option<Instant>,
    beaten_at: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(manager: &'a Manager) -> Self {
        let pace = manager.options.pace;
        Self {
            manager,
            pace,
            schedule: Schedule::new(pace.interval),
            news: News::All,
            read_at: None,
            asked: JoinSet::new(),
            found: HashMap::new(),
            answered_at: None,
            beaten_at: None,
        }
    }

    fn hear(&mut self, signal: &Signal) {
        self.news.hear(signal);
        // Another caller that makes checks has stored its own results.
        match signal {
            Signal::Gap => self.schedule.forget_stored(None),
            Signal::Event(event) if event.kind == EventKind::ChecksMade => {
                self.schedule.forget_stored(event.instance_id);
            }
            Signal::Event(_) | Signal::Access(_) | Signal::Gateways | Signal::Rates(_) => {}
        }
    }

    async fn tick(&mut self) -> Result<(), DbError> {
        self.read().await?;
        self.write().await?;
        for start in self.schedule.begin(Instant::now()) {
            let traffic = self.manager.traffic.clone();
            self.asked.spawn(check(traffic, start));
        }
        Ok(())
    }

    /// Reads the active app servers: all of them in each interval, changed ones at once.
    async fn read(&mut self) -> Result<(), DbError> {
        let is_due = self.read_at.is_none_or(|at| at.elapsed() >= self.pace.interval);
        let of: Option<Vec<InstanceId>> = match (std::mem::take(&mut self.news), is_due) {
            (News::All, _) | (News::None | News::Of(_), true) => None,
            (News::Of(ids), false) => Some(ids.into_iter().collect()),
            (News::None, false) => return Ok(()),
        };
        let read = self.read_targets(of.as_deref()).await;
        match (&read, &of) {
            (Ok(()), None) => self.read_at = Some(Instant::now()),
            (Ok(()), Some(_)) => {}
            (Err(_), _) => self.news = News::All,
        }
        read
    }

    async fn read_targets(&mut self, of: Option<&[InstanceId]>) -> Result<(), DbError> {
        let targets = store::targets(&mut *self.manager.db.conn().await?, of).await?;
        let is_known = |target: &Target| {
            let known = self.schedule.get(target.instance_id);
            known.is_some_and(|known| known.app_server == target.app_server_id && known.specs.is_some())
        };
        let new: Vec<AppServerId> =
            targets.iter().filter(|target| !is_known(target)).map(|target| target.app_server_id).collect();
        let mut specs = self.specs(&new).await?;
        let active: Vec<InstanceId> = targets.iter().map(|target| target.instance_id).collect();
        self.schedule.keep_only(&active, of);
        for (place, target) in (0u32..).zip(targets) {
            let Target { instance_id, app_server_id, .. } = target;
            let known = || self.schedule.get(instance_id).and_then(|known| known.specs.clone());
            let specs = if new.contains(&app_server_id) { specs.remove(&app_server_id) } else { known() };
            self.schedule.put(instance_id, app_server_id, aim(&target), specs, place, Instant::now());
        }
        Ok(())
    }

    /// The checks of these app servers' sites; app servers whose application cannot name them are left out.
    async fn specs(&self, ids: &[AppServerId]) -> Result<HashMap<AppServerId, Arc<[CheckSpec]>>, DbError> {
        let mut found = HashMap::new();
        for ids in ids.chunks(500) {
            for (id, kind, version, settings) in store::settings(&mut *self.manager.db.conn().await?, ids).await? {
                let current = self.manager.current(&kind, version, settings.hidden());
                match current.and_then(|(application, settings)| application.checks(&settings)) {
                    Ok(specs) => drop(found.insert(id, specs.into())),
                    Err(error) => tracing::warn!(app_server = %id, %error, "the sites of an app server are not known"),
                }
            }
        }
        Ok(found)
    }

    fn take(&mut self, ended: Result<(Start, Look, Duration), JoinError>) {
        match ended {
            Ok((start, look, took)) => {
                self.schedule.ended(&start, took, Instant::now());
                self.found.insert(look.instance, look);
            }
            Err(error) if error.is_cancelled() => {}
            // No check should panic; if one does, all targets are read again.
            Err(error) => {
                tracing::error!(%error, "a check ended badly");
                self.schedule = Schedule::new(self.pace.interval);
                self.asked.abort_all();
                self.news = News::All;
            }
        }
    }

    /// Writes the results since the last time.
    async fn write(&mut self) -> Result<(), DbError> {
        let mut looks: Vec<Look> = self.found.values().cloned().collect();
        let trouble = self.doubt(&mut looks).await;
        let was_answered = looks.iter().any(|look| matches!(look.found, Found::Answers(_)));
        if was_answered {
            self.answered_at = Some(Instant::now());
        }
        // While no site can be asked, the watch as a whole is unknown, not each instance.
        let can_ask = self.answered_at.is_some_and(|at| at.elapsed() < self.pace.interval);
        looks.retain(|look| can_ask || look.found != Found::NotAsked);
        // Outcomes first: they are shown with the time of the last check.
        self.keep_outcomes(&looks).await?;
        for instance in record::record(self.manager, &looks).await? {
            self.schedule.again(instance, Instant::now() + self.pace.recheck);
        }
        self.found.clear();
        self.beat(was_answered, trouble).await
    }

    /// Discards failed checks while the gateway is away. Returns why sites could not be asked, if some could not.
    async fn doubt(&self, looks: &mut [Look]) -> Option<String> {
        let fails = |look: &Look| matches!(&look.found, Found::Answers(sites) if sites.iter().any(|(_, is_ok)| !is_ok));
        let unasked = |look: &Look| look.found == Found::NotAsked;
        let first = looks.iter().find(|look| unasked(look));
        let mut trouble = first.map(|look| {
            look.made.items.iter().find(|check| !check.is_ok).map_or(UNSAID, |check| check.detail.as_str()).to_owned()
        });
        if looks.iter().any(fails) {
            let answer = match timeout(GATEWAY_PATIENCE, self.manager.traffic.answers()).await {
                Ok(Ok(())) => return trouble,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("the gateway does not answer within {} s", GATEWAY_PATIENCE.as_secs()),
            };
            looks.iter_mut().filter(|look| fails(look)).for_each(|look| look.found = Found::NotAsked);
            trouble = Some(answer);
        }
        trouble
    }

    /// Stores the results of app servers whose outcome differs from the stored one.
    async fn keep_outcomes(&mut self, looks: &[Look]) -> Result<(), DbError> {
        use tables::checks as rows;
        let is_news = |look: &&Look| {
            let known = self.schedule.get(look.instance).and_then(|target| target.stored.as_ref());
            look.found != Found::NotAsked && known.is_none_or(|known| !rows::have_one_outcome(known, &look.made))
        };
        let other: Vec<&Look> = looks.iter().filter(is_news).collect();
        if other.is_empty() {
            return Ok(());
        }
        let ids: Vec<AppServerId> = other.iter().map(|look| look.app_server).collect();
        let mut conn = self.manager.db.conn().await?;
        let stored = rows::of_each(&mut conn, &ids).await?;
        let is_new = |look: &&&Look| {
            stored.get(&look.app_server).is_none_or(|stored| !rows::have_one_outcome(stored, &look.made))
        };
        let new: Vec<&Look> = other.iter().filter(is_new).copied().collect();
        if !new.is_empty() {
            write_outcomes(&mut conn, &new).await?;
        }
        for look in other {
            if let Some(target) = self.schedule.get_mut(look.instance) {
                target.stored = Some(look.made.clone());
            }
        }
        Ok(())
    }

    /// Records that checks are made, or why they cannot be made.
    async fn beat(&mut self, was_answered: bool, trouble: Option<String>) -> Result<(), DbError> {
        let has_answers = was_answered || !self.schedule.has_questions();
        let is_due = self.beaten_at.is_none_or(|at| at.elapsed() >= self.pace.interval / 5);
        if has_answers && is_due {
            stale::beat(self.manager).await?;
            self.beaten_at = Some(Instant::now());
        } else if let (false, Some(words)) = (was_answered, trouble) {
            self.beaten_at = None;
            store::trouble(&mut *self.manager.db.conn().await?, &words, self.pace.interval).await?;
        }
        Ok(())
    }
}

fn aim(target: &Target) -> Aim {
    match (target.server_status, &target.http_address) {
        (ServerStatus::Terminated, _) => Aim::Gone,
        (
            ServerStatus::Pending
            | ServerStatus::Building
            | ServerStatus::Booting
            | ServerStatus::Ready
            | ServerStatus::Unknown
            | ServerStatus::Failed,
            address,
        ) => address.as_deref().and_then(|address| address.parse().ok()).map_or(Aim::Nowhere, Aim::At),
    }
}

async fn check(traffic: Arc<dyn Traffic>, start: Start) -> (Start, Look, Duration) {
    let began = Instant::now();
    let specs: &[CheckSpec] = start.target.specs.as_deref().unwrap_or_default();
    let (found, made) = match &start.target.aim {
        Aim::At(address) => checks::ask(traffic.as_ref(), *address, specs, Duration::MAX).await,
        Aim::Gone => checks::gone(specs),
        Aim::Nowhere => (Found::NotAsked, Checks::default()),
    };
    let (instance, app_server) = (start.instance, start.target.app_server);
    let look = Look { instance, app_server, found, made, at: Utc::now() };
    (start, look, began.elapsed())
}

async fn write_outcomes(conn: &mut diesel_async::AsyncPgConnection, looks: &[&Look]) -> Result<(), DbError> {
    use diesel_async::AsyncConnection;
    let made: Vec<(AppServerId, &Checks)> = looks.iter().map(|look| (look.app_server, &look.made)).collect();
    let about: Vec<About> = looks.iter().map(|look| About::app_server(look.instance, look.app_server)).collect();
    conn.transaction(async |conn| {
        tables::checks::keep(conn, &made).await?;
        events::record_all(conn, EventKind::ChecksMade, &about).await
    })
    .await
}
