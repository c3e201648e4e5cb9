//! Playbooks that run on an app server's machine when traffic moves.

use shared_types::applications::tutor::TutorSettings;
use shared_types::yaml;

use crate::instances::application::{Hook, Moment};

/// Whether the background workers run only while the app server is active. With an external Redis all app servers of
/// the instance share one queue, and a candidate must not take its tasks; otherwise each machine has its own Redis.
pub(super) fn holds_workers(settings: &TutorSettings) -> bool {
    settings.persistent_databases
        || yaml::parse_map(&settings.databases).is_ok_and(|map| map.contains_key("REDIS_HOST"))
}

/// Background workers start before the first visitor. They finish their tasks before they stop, even if the machine of
/// an app server ends that was active until its instance was archived.
pub(super) fn hooks(settings: &TutorSettings) -> Vec<Hook> {
    if !holds_workers(settings) {
        return Vec::new();
    }
    let hook = |(moment, playbook): (Moment, &str)| Hook { moment, playbook: playbook.to_owned() };
    let all = [
        (Moment::BeforeTraffic, "playbooks/start_workers.yml"),
        (Moment::AfterTraffic, "playbooks/stop_workers.yml"),
        (Moment::BeforeEnd, "playbooks/stop_workers.yml"),
    ];
    all.into_iter().map(hook).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::tutor::testing::{DATABASES, sample};

    #[test]
    fn workers_follow_the_traffic_only_where_app_servers_share_a_queue() {
        let shared = TutorSettings { databases: DATABASES.into(), ..sample() };
        let found: Vec<_> = hooks(&shared).into_iter().map(|hook| (hook.moment, hook.playbook)).collect();
        let expected = [
            (Moment::BeforeTraffic, "playbooks/start_workers.yml".to_owned()),
            (Moment::AfterTraffic, "playbooks/stop_workers.yml".to_owned()),
            (Moment::BeforeEnd, "playbooks/stop_workers.yml".to_owned()),
        ];
        assert_eq!(found, expected);
        assert_eq!(hooks(&sample()), []);
    }
}
