//! Builds that wait, and those who build.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, InstanceId};

/// Whose builds begin first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// First.
    #[default]
    Production,
    /// When no build of production waits for the slot.
    Preview,
}

impl Tier {
    /// Every tier, the first first.
    pub const ALL: &[Self] = &[Self::Production, Self::Preview];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Preview => "preview",
        }
    }
}

/// Where a build stands that nobody has begun, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queued {
    /// How many builds begin before this one.
    #[schema(minimum = 0)]
    pub ahead: i64,
    /// How many builds can be under way at once, over all workers that live.
    #[schema(minimum = 0)]
    pub slots: i64,
    /// How many are.
    #[schema(minimum = 0)]
    pub slots_in_use: i64,
    /// Whether a person has paused the queue.
    pub is_paused: bool,
    /// Whether another build of the same instance must end first.
    pub is_instance_busy: bool,
    /// Why no worker begins a build, in the words of one that cannot; null where one can.
    pub trouble: Option<String>,
}

impl Queued {
    /// What a person reads: `queued: 4 of 4 slots in use, 2 ahead`.
    pub fn words(&self) -> String {
        let why = if self.is_paused {
            "the queue is paused".to_owned()
        } else if self.is_instance_busy {
            "another build of this instance is under way".to_owned()
        } else if let Some(trouble) = &self.trouble {
            trouble.clone()
        } else if self.slots == 0 {
            "no worker runs".to_owned()
        } else if self.slots_in_use >= self.slots {
            format!("{} of {} slots in use", self.slots_in_use, self.slots)
        } else {
            "a worker takes it up now".to_owned()
        };
        format!("queued: {why}, {} ahead", self.ahead)
    }
}

/// The queue of builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// Who paused it, and why; null while builds begin.
    pub pause: Option<QueuePause>,
    /// How many builds can be under way at once, over all workers that live.
    #[schema(minimum = 0)]
    pub slots: i64,
    /// How many are.
    #[schema(minimum = 0)]
    pub slots_in_use: i64,
    /// Who builds.
    pub workers: Vec<WorkerState>,
    /// What is under way, in the order it was begun.
    pub building: Vec<QueueEntry>,
    /// What waits, in the order it will begin.
    pub waiting: Vec<QueueEntry>,
}

impl Queue {
    /// What keeps builds from beginning, in words for whoever can help; none while all is well.
    pub fn alarm(&self) -> Option<String> {
        if let Some(pause) = &self.pause {
            let reason = pause.reason.as_ref().map(|reason| format!(", «{reason}»")).unwrap_or_default();
            return Some(format!("{} paused the queue{reason}: what is launched waits.", pause.by));
        }
        let begins = |worker: &WorkerState| worker.trouble.is_none() && !worker.is_draining;
        if self.workers.iter().any(begins) {
            let troubled = self.workers.iter().find_map(|worker| Some((worker, worker.trouble.as_ref()?)));
            return troubled
                .map(|(worker, trouble)| format!("The worker on {} begins no build: {trouble}.", worker.hostname));
        }
        match self.workers.iter().find_map(|worker| worker.trouble.as_ref()) {
            Some(trouble) => Some(format!("No worker begins a build: {trouble}.")),
            None if self.workers.is_empty() => {
                Some("No worker runs: nothing is built until one is started.".to_owned())
            }
            None => Some("Every worker is ending: nothing is begun until another one is started.".to_owned()),
        }
    }
}

/// A pause of the queue: nothing begins, what is under way goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueuePause {
    /// Who paused it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// A process that builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerState {
    /// Host, process number and start time.
    pub id: String,
    /// The machine it runs on.
    pub hostname: String,
    /// The program's version.
    pub version: String,
    /// How many builds it does at once.
    #[schema(minimum = 1)]
    pub slots: i32,
    /// When it started.
    pub started: DateTime<Utc>,
    /// Its last sign of life.
    pub seen: DateTime<Utc>,
    /// Whether it ends its builds and begins no other.
    pub is_draining: bool,
    /// Why it begins no build; null while it does.
    pub trouble: Option<String>,
}

/// A build in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueEntry {
    /// Which app server.
    pub app_server_id: AppServerId,
    /// Its name.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// Of which instance.
    pub instance_id: InstanceId,
    /// The instance's name.
    pub instance_name: String,
    /// Whose builds begin first.
    pub tier: Tier,
    /// When it was launched.
    pub created: DateTime<Utc>,
    /// When a worker took it up; null while it waits.
    pub begun_at: Option<DateTime<Utc>>,
    /// Which worker is at it; null where none is.
    pub worker: Option<String>,
    /// What it waits for; null once it was begun.
    #[schema(example = "queued: 4 of 4 slots in use, 2 ahead")]
    pub waits_for: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_waits_for_is_said_in_words() {
        let free =
            Queued { ahead: 2, slots: 4, slots_in_use: 3, is_paused: false, is_instance_busy: false, trouble: None };
        let with = |change: fn(&mut Queued)| {
            let mut queued = free.clone();
            change(&mut queued);
            queued.words()
        };
        assert_eq!(free.words(), "queued: a worker takes it up now, 2 ahead");
        assert_eq!(with(|q| q.slots_in_use = 4), "queued: 4 of 4 slots in use, 2 ahead");
        assert_eq!(with(|q| q.is_paused = true), "queued: the queue is paused, 2 ahead");
        assert_eq!(with(|q| q.is_instance_busy = true), "queued: another build of this instance is under way, 2 ahead");
        assert_eq!(with(|q| (q.slots, q.slots_in_use) = (0, 0)), "queued: no worker runs, 2 ahead");
        assert_eq!(with(|q| q.trouble = Some("the disk is full".into())), "queued: the disk is full, 2 ahead");
    }
    fn worker(trouble: Option<&str>, is_draining: bool) -> WorkerState {
        WorkerState {
            id: "a-1-0".into(),
            hostname: "a".into(),
            version: "1".into(),
            slots: 4,
            started: DateTime::default(),
            seen: DateTime::default(),
            is_draining,
            trouble: trouble.map(Into::into),
        }
    }

    #[test]
    fn the_queue_says_what_keeps_builds_from_beginning() {
        let alarm = |workers: Vec<WorkerState>, pause: Option<QueuePause>| {
            let (building, waiting) = (Vec::new(), Vec::new());
            Queue { pause, slots: 4, slots_in_use: 0, workers, building, waiting }.alarm()
        };
        assert_eq!(alarm(vec![worker(None, false)], None), None);
        let full = Some("the disk is full");
        assert_eq!(
            alarm(vec![worker(full, false), worker(None, false)], None).as_deref(),
            Some("The worker on a begins no build: the disk is full.")
        );
        assert_eq!(
            alarm(vec![worker(full, false)], None).as_deref(),
            Some("No worker begins a build: the disk is full.")
        );
        assert!(alarm(vec![worker(None, true)], None).is_some_and(|words| words.starts_with("Every worker is ending")));
        assert!(alarm(Vec::new(), None).is_some_and(|words| words.starts_with("No worker runs")));
        let pause = QueuePause { by: "ada".into(), at: DateTime::default(), reason: Some("upgrade".into()) };
        assert_eq!(
            alarm(vec![worker(None, false)], Some(pause)).as_deref(),
            Some("ada paused the queue, «upgrade»: what is launched waits.")
        );
    }
}
