//! Which hosts a run has come to: a playbook that never came to the machine has deployed nothing, also when Ansible exits with 0.

use std::collections::BTreeSet;

/// So many plays and hosts are remembered.
const MOST: usize = 100;

/// Names of the manager itself.
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// What the events told so far.
#[derive(Debug, Default)]
pub(super) struct Reach {
    plays: Vec<Play>,
    hosts: BTreeSet<String>,
    /// The run came to its end, and said so.
    is_over: bool,
}

#[derive(Debug)]
struct Play {
    /// Its `hosts`; none: the callback did not tell.
    hosts: Option<String>,
    has_matched: bool,
}

impl Reach {
    /// A play began.
    pub(super) fn play(&mut self, hosts: Option<String>) {
        if self.plays.len() < MOST {
            self.plays.push(Play { hosts, has_matched: true });
        }
    }

    /// The play that began last has no hosts.
    pub(super) fn nothing_matched(&mut self) {
        if let Some(play) = self.plays.last_mut() {
            play.has_matched = false;
        }
    }

    /// A task was on this host.
    pub(super) fn host(&mut self, name: &str) {
        if self.hosts.len() < MOST && !self.hosts.contains(name) {
            self.hosts.insert(name.to_owned());
        }
    }

    /// The run told its counts.
    pub(super) fn over(&mut self) {
        self.is_over = true;
    }

    /// The `hosts` of the plays of a run that came to its end and never to the machine. None: it came there, or it is not
    /// known.
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
