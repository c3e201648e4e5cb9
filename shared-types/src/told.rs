//! Texts about app servers and instances that follow from their fields, and which actions are possible on them.

use crate::app_server::{AppServerSummary, Possible, can_stop, can_terminate};
use crate::app_server_status::AppServerStatus;
use crate::ids::AppServerId;
use crate::instance::Instance;
use crate::launch::Trigger;

impl AppServerSummary {
    /// Who or what launched it, and which attempt it is: `admin`, `admin, attempt 2 of 2, after AppServer 4 failed`.
    /// `before` is the name of the attempt before, where it is known.
    pub fn origin(&self, before: Option<&str>) -> String {
        let mut words = self.requested_by.clone();
        match self.trigger {
            Trigger::User | Trigger::Retry => {}
            Trigger::Token => words.push_str(", by token"),
            Trigger::PullRequest => words.push_str(", for a pull request"),
            Trigger::Schedule => words.push_str(", by schedule"),
        }
        if self.num_attempts > 1 {
            words.push_str(&format!(", attempt {} of {}", self.attempt, self.num_attempts));
        }
        match (self.retry_of, before) {
            (Some(_), Some(name)) => words.push_str(&format!(", after {name} failed")),
            (Some(id), None) => words.push_str(&format!(", after app server {id} failed")),
            (None, _) => {}
        }
        words
    }

    /// Whether its build can be stopped.
    pub fn can_be_stopped(&self) -> Possible {
        match (can_stop(self.status), &self.stop_requested_by) {
            (Possible::Yes, Some(_)) => Possible::No("It is being stopped already."),
            (possible, _) => possible,
        }
    }

    /// Whether its machine can be deleted.
    pub fn can_be_terminated(&self) -> Possible {
        match can_terminate(self.status, self.serving) {
            Possible::Yes if self.is_machine_going() => Possible::No("Its machine is being deleted already."),
            Possible::Yes if !self.has_machine => Possible::No("It has no machine any more."),
            possible @ (Possible::Yes | Possible::No(_)) => possible,
        }
    }

    /// Whether its machine still exists but is being deleted.
    pub fn is_machine_going(&self) -> bool {
        self.has_machine && matches!(self.status, AppServerStatus::Terminated | AppServerStatus::Stopped)
    }

    /// Whether it can be pinned: its machine exists and is not being deleted.
    pub fn can_be_pinned(&self) -> bool {
        self.has_machine && !self.is_machine_going()
    }

    /// Whether it can be asked to become active once its build succeeds.
    pub fn can_be_activated_later(&self) -> bool {
        self.status.is_building() && self.stop_requested_by.is_none() && !self.activate_when_running
    }
}

impl Instance {
    /// Whether an app server can be launched, as far as that follows from the instance.
    pub fn can_launch(&self) -> Possible {
        if self.summary.archived_at.is_some() {
            return Possible::No("The instance is archived; restore it to launch app servers.");
        }
        if !self.refused_sources.is_empty() {
            return Possible::No(
                "Its playbooks come from a repository that is not among the allowed sources. Choose another repository in the \
                 settings, or have an administrator change OCIM_CONFIGURATION_SOURCES.",
            );
        }
        Possible::Yes
    }

    /// Whether it can be archived.
    pub fn can_be_archived(&self) -> Possible {
        if self.appservers.iter().any(|one| one.status.is_building()) {
            return Possible::No("An app server is being built; stop the build, or wait for its end.");
        }
        Possible::Yes
    }

    /// The next app server: the newest after the active one that was neither terminated nor stopped, even if a stopped
    /// one is newer.
    pub fn next_app_server(&self) -> Option<&AppServerSummary> {
        comes_next(&self.appservers, self.summary.active_appserver.as_ref().map(|active| active.id))
    }

    /// The app servers that have a machine, among those shown.
    pub fn with_machines(&self) -> impl Iterator<Item = &AppServerSummary> {
        self.appservers.iter().filter(|one| one.has_machine)
    }
}

fn comes_next(newest_first: &[AppServerSummary], active: Option<AppServerId>) -> Option<&AppServerSummary> {
    let is_over = |one: &AppServerSummary| matches!(one.status, AppServerStatus::Terminated | AppServerStatus::Stopped);
    newest_first.iter().find(|one| active.is_none_or(|active| active < one.id) && !is_over(one))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::mark::tests::server;
    use crate::{AppServerStatus::*, Serving};

    #[test]
    fn says_who_launched_it_and_which_attempt_it_is() {
        let mut one = server(7, Running, Serving::Idle);
        assert_eq!(one.origin(None), "admin");
        one.trigger = Trigger::Token;
        assert_eq!(one.origin(None), "admin, by token");
        (one.trigger, one.attempt, one.num_attempts) = (Trigger::Retry, 2, 2);
        one.retry_of = Some(AppServerId(6));
        assert_eq!(one.origin(Some("AppServer 4")), "admin, attempt 2 of 2, after AppServer 4 failed");
        assert_eq!(one.origin(None), "admin, attempt 2 of 2, after app server 6 failed");
    }

    #[test]
    fn a_build_is_stopped_once() {
        let mut one = server(1, Configuring, Serving::Idle);
        assert_eq!(one.can_be_stopped(), Possible::Yes);
        assert!(one.can_be_activated_later());
        one.stop_requested_by = Some("ada".into());
        assert_ne!(one.can_be_stopped(), Possible::Yes);
        assert!(!one.can_be_activated_later());
        assert_ne!(server(1, Running, Serving::Idle).can_be_stopped(), Possible::Yes);
    }

    #[test]
    fn a_machine_goes_once_and_never_under_visitors() {
        for status in [Running, Failed, Error] {
            assert_eq!(server(1, status, Serving::Idle).can_be_terminated(), Possible::Yes);
        }
        for serving in [Serving::Active, Serving::Draining] {
            assert_ne!(server(1, Running, serving).can_be_terminated(), Possible::Yes);
        }
        let mut gone = server(1, Terminated, Serving::Idle);
        assert_eq!(gone.can_be_terminated(), Possible::No("Its machine is being deleted already."));
        assert!(!gone.can_be_pinned());
        gone.has_machine = false;
        assert_eq!(gone.can_be_terminated(), Possible::No("It has no machine any more."));
    }

    #[test]
    fn a_stopped_build_does_not_hide_the_one_that_waits_for_activation() {
        let servers =
            [server(4, Stopped, Serving::Idle), server(3, Running, Serving::Idle), server(1, Running, Serving::Active)];
        let next = |active| comes_next(&servers, active).map(|one| one.id.0);
        assert_eq!(next(Some(AppServerId(1))), Some(3));
        assert_eq!(next(Some(AppServerId(3))), None);
        assert_eq!(next(None), Some(3));
    }

    #[test]
    fn no_more_tasks_are_done_than_there_are() {
        let mut progress = server(1, Configuring, Serving::Idle).progress;
        assert_eq!((progress.tasks_words(), progress.tasks_share()), (None, 0.0), "unknown");
        (progress.tasks_done, progress.tasks_total) = (3, 12);
        assert_eq!((progress.tasks_words().as_deref(), progress.tasks_share()), (Some("3 of 12"), 0.25));
        progress.tasks_done = 14;
        assert_eq!((progress.tasks_words().as_deref(), progress.tasks_share()), (Some("14"), 1.0));
    }
}
