//! Hosts that a run reached: a playbook that never ran on the machine deployed nothing, even if Ansible exits with 0.

use std::collections::BTreeSet;

/// Limit of the plays and of the hosts that are remembered.
const MOST: usize = 100;

/// Names of the manager's own host.
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// The plays and hosts of the events so far.
#[derive(Debug, Default)]
pub(super) struct Reach {
    plays: Vec<Play>,
    hosts: BTreeSet<String>,
    /// The run reported its final counts.
    is_over: bool,
}

#[derive(Debug)]
struct Play {
    /// Its `hosts`; none: the callback did not report them.
    hosts: Option<String>,
    has_matched: bool,
}

impl Reach {
    /// Call when a play began.
    pub(super) fn play(&mut self, hosts: Option<String>) {
        if self.plays.len() < MOST {
            self.plays.push(Play { hosts, has_matched: true });
        }
    }

    /// Call when the play that began last matched no hosts.
    pub(super) fn nothing_matched(&mut self) {
        if let Some(play) = self.plays.last_mut() {
            play.has_matched = false;
        }
    }

    /// Call when a task ran on this host.
    pub(super) fn host(&mut self, name: &str) {
        if self.hosts.len() < MOST && !self.hosts.contains(name) {
            self.hosts.insert(name.to_owned());
        }
    }

    /// Call when the run reported its final counts.
    pub(super) fn over(&mut self) {
        self.is_over = true;
    }

    /// The `hosts` of the plays of a run that ended and never ran on the machine. None: it did, or that is not known.
    pub(super) fn missed(&self, machine: &str) -> Option<Vec<String>> {
        let is_elsewhere = |name: &str| LOCAL.contains(&name) && name != machine;
        let has_come = |play: &Play| play.has_matched && !play.hosts.as_deref().is_some_and(is_elsewhere);
        if !self.is_over || self.plays.iter().any(has_come) || self.hosts.iter().any(|host| !is_elsewhere(host)) {
            return None;
        }
        let mut patterns: Vec<String> = Vec::new();
        for hosts in self.plays.iter().filter_map(|play| play.hosts.clone()) {
            if !patterns.contains(&hosts) {
                patterns.push(hosts);
            }
        }
        Some(patterns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(plays: &[(&str, bool)], hosts: &[&str]) -> Option<Vec<String>> {
        let mut reach = Reach::default();
        for (hosts, has_matched) in plays {
            reach.play(Some((*hosts).to_owned()));
            if !has_matched {
                reach.nothing_matched();
            }
        }
        for host in hosts {
            reach.host(host);
        }
        assert_eq!(reach.missed("192.0.2.1"), None, "a run that goes on");
        reach.over();
        reach.missed("192.0.2.1")
    }

    #[test]
    fn a_run_that_never_came_to_the_machine_is_known() {
        assert_eq!(
            missed(&[("web", false), ("db", false), ("web", false)], &[]),
            Some(vec!["web".into(), "db".into()])
        );
        assert_eq!(
            missed(&[("web", false), ("localhost", true)], &["localhost"]),
            Some(vec!["web".into(), "localhost".into()])
        );
        assert_eq!(missed(&[], &[]), Some(Vec::new()), "a playbook without plays");
    }

    #[test]
    fn one_play_that_came_there_is_enough() {
        assert_eq!(missed(&[("web", false), ("app", true)], &["192.0.2.1"]), None);
        assert_eq!(missed(&[("all", true)], &[]), None, "a play that ended before its first task");
        assert_eq!(missed(&[("localhost", true)], &["localhost", "192.0.2.1"]), None, "a delegated task");
        assert_eq!(missed(&[("127.0.0.1", true)], &["127.0.0.1", "made"]), None, "a host that the playbook added");
        let mut of_an_older_callback = Reach::default();
        of_an_older_callback.play(None);
        of_an_older_callback.over();
        assert_eq!(of_an_older_callback.missed("192.0.2.1"), None);
    }
}
