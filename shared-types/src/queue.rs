//! The queue of builds, and the workers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, InstanceId};

/// The tier of an instance: whose builds begin first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Builds of this tier begin first.
    #[default]
    Production,
    /// Builds begin when no build of production waits for the slot.
    Preview,
}

impl Tier {
    /// Every tier, the first to be built first.
    pub const ALL: &[Self] = &[Self::Production, Self::Preview];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Preview => "preview",
        }
    }
}

/// Where a waiting build stands in the queue, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queued {
    /// How many builds begin before this one.
    #[schema(minimum = 0)]
    pub ahead: i64,
    /// How many builds can be in progress at once, over all live workers.
    #[schema(minimum = 0)]
    pub slots: i64,
    /// How many builds are in progress.
    #[schema(minimum = 0)]
    pub slots_in_use: i64,
    /// Whether the queue is paused.
    pub is_paused: bool,
    /// Whether another build of the same instance must end first.
    pub is_instance_busy: bool,
    /// Why no worker can begin a build, as one of them reports it; null if a worker can.
    pub trouble: Option<String>,
    /// What its provider must have before it makes another machine; null if it can make one.
    #[serde(default)]
    #[schema(example = "waiting for quota: 20 of 20 machines of frankfurt")]
    pub quota: Option<String>,
}

impl Queued {
    /// The text for people: `queued: 4 of 4 slots in use, 2 ahead`.
    pub fn words(&self) -> String {
        let why = if self.is_paused {
            "the queue is paused".to_owned()
        } else if self.is_instance_busy {
            "waiting for another build of this instance".to_owned()
        } else if let Some(quota) = &self.quota {
            quota.clone()
        } else if let Some(trouble) = &self.trouble {
            trouble.clone()
        } else if self.slots == 0 {
            "no worker runs".to_owned()
        } else if self.slots_in_use >= self.slots {
            format!("{} of {} slots in use", self.slots_in_use, self.slots)
        } else {
            "a slot is free".to_owned()
        };
        format!("queued: {why}, {} ahead", self.ahead)
    }
}

/// The queue of builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// Who paused it, and why; null if it is not paused.
    pub pause: Option<QueuePause>,
    /// How many builds can be in progress at once, over all live workers.
    #[schema(minimum = 0)]
    pub slots: i64,
    /// How many builds are in progress.
    #[schema(minimum = 0)]
    pub slots_in_use: i64,
    /// The live workers, of all processes.
    pub workers: Vec<WorkerState>,
    /// Builds in progress, in the order in which they were begun.
    pub building: Vec<QueueEntry>,
    /// Waiting builds, in the order in which they will begin.
    pub waiting: Vec<QueueEntry>,
}

impl Queue {
    /// What keeps builds from beginning, as a sentence for an operator; none if nothing does.
    pub fn alarm(&self) -> Option<String> {
        if let Some(pause) = &self.pause {
            let reason = pause.reason.as_ref().map(|reason| format!(", “{reason}”")).unwrap_or_default();
            return Some(format!("{} paused the queue{reason}; new launches wait.", pause.by));
        }
        let begins = |worker: &WorkerState| worker.trouble.is_none() && !worker.is_draining;
        if self.workers.iter().any(begins) {
            let troubled = self.workers.iter().find_map(|worker| Some((worker, worker.trouble.as_ref()?)));
            return troubled.map(|(worker, trouble)| {
                format!("The worker on {} is not accepting builds: {trouble}.", worker.hostname)
            });
        }
        match self.workers.iter().find_map(|worker| worker.trouble.as_ref()) {
            Some(trouble) => Some(format!("No worker is accepting builds: {trouble}.")),
            None if self.workers.is_empty() => Some("No worker runs; start one.".to_owned()),
            None => Some("All workers are draining; start another one.".to_owned()),
        }
    }
}

/// A pause of the queue: no build begins; builds in progress continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueuePause {
    /// The name of the user or token that paused it.
    pub by: String,
    /// When it was paused.
    pub at: DateTime<Utc>,
    /// The reason that was given; null if none was.
    pub reason: Option<String>,
}

/// A process that builds app servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerState {
    /// Host, process id and start time.
    pub id: String,
    /// The machine it runs on.
    pub hostname: String,
    /// The version of the program that it runs.
    pub version: String,
    /// How many builds it runs at once.
    #[schema(minimum = 1)]
    pub slots: i32,
    /// When the process was started.
    pub started: DateTime<Utc>,
    /// When it last wrote to the database that it lives.
    pub seen: DateTime<Utc>,
    /// Whether it drains: it finishes its builds and begins no other.
    pub is_draining: bool,
    /// Why it cannot begin a build; null if it can.
    pub trouble: Option<String>,
}

/// A build in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueEntry {
    /// The app server that is built.
    pub app_server_id: AppServerId,
    /// The app server's name.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// The instance that it belongs to.
    pub instance_id: InstanceId,
    /// The name of the instance.
    pub instance_name: String,
    /// The instance's tier: whose builds begin first.
    pub tier: Tier,
    /// When it was launched.
    pub created: DateTime<Utc>,
    /// When a worker began it; null while it waits.
    pub begun_at: Option<DateTime<Utc>>,
    /// The id of the worker that builds it; null if none does.
    pub worker: Option<String>,
    /// What it waits for; null once it has begun.
    #[schema(example = "queued: 4 of 4 slots in use, 2 ahead")]
    pub waits_for: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_waits_for_is_said_in_words() {
        let free = Queued {
            ahead: 2,
            slots: 4,
            slots_in_use: 3,
            is_paused: false,
            is_instance_busy: false,
            trouble: None,
            quota: None,
        };
        let with = |change: fn(&mut Queued)| {
            let mut queued = free.clone();
            change(&mut queued);
            queued.words()
        };
        assert_eq!(free.words(), "queued: a slot is free, 2 ahead");
        assert_eq!(with(|q| q.slots_in_use = 4), "queued: 4 of 4 slots in use, 2 ahead");
        assert_eq!(with(|q| q.is_paused = true), "queued: the queue is paused, 2 ahead");
        assert_eq!(with(|q| q.is_instance_busy = true), "queued: waiting for another build of this instance, 2 ahead");
        assert_eq!(with(|q| (q.slots, q.slots_in_use) = (0, 0)), "queued: no worker runs, 2 ahead");
        let full = with(|q| q.quota = Some("waiting for quota: 20 of 20 machines of frankfurt".into()));
        assert_eq!(full, "queued: waiting for quota: 20 of 20 machines of frankfurt, 2 ahead");
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
            Some("The worker on a is not accepting builds: the disk is full.")
        );
        assert_eq!(
            alarm(vec![worker(full, false)], None).as_deref(),
            Some("No worker is accepting builds: the disk is full.")
        );
        assert!(
            alarm(vec![worker(None, true)], None).is_some_and(|words| words.starts_with("All workers are draining"))
        );
        assert!(alarm(Vec::new(), None).is_some_and(|words| words.starts_with("No worker runs")));
        let pause = QueuePause { by: "ada".into(), at: DateTime::default(), reason: Some("upgrade".into()) };
        assert_eq!(
            alarm(vec![worker(None, false)], Some(pause)).as_deref(),
            Some("ada paused the queue, “upgrade”; new launches wait.")
        );
    }
}
