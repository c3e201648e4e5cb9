use super::*;
use crate::applications::site::PlaybookSource;
use crate::hook::Moment;

pub(in super::super) fn right() -> SiteSettings {
    SiteSettings {
        hostnames: vec!["school.example.org".into(), "school-content.example.org".into()],
        base_domain: "example.org".into(),
        protocol: "https".into(),
        playbooks: vec![PlaybookSource {
            repository: "https://git.example/x.git".into(),
            version: "main".into(),
            path: "playbooks/site.yml".into(),
            requirements: "requirements.txt".into(),
        }],
        variables: String::new(),
        checks: vec![SiteCheck::of("")],
        hooks: Moment::ALL
            .iter()
            .map(|moment| Hook { moment: *moment, playbook: "playbooks/hook.yml".into() })
            .collect(),
        resources: vec![],
        memory_mb: 0,
        disk_gb: 0,
    }
}

fn pointers(change: impl FnOnce(&mut SiteSettings)) -> Vec<String> {
    let mut settings = right();
    change(&mut settings);
    errors(&settings).into_iter().map(|error| error.pointer).collect()
}

#[test]
fn right_settings_have_no_errors() {
    assert_eq!(errors(&right()), []);
}

#[test]
fn whole_host_names_must_be_some_different_and_not_too_long() {
    assert_eq!(pointers(|it| it.hostnames.clear()), ["/hostnames"]);
    assert_eq!(pointers(|it| it.hostnames = vec!["a.b".into(), "a.b".into()]), ["/hostnames/1"]);
    assert_eq!(pointers(|it| it.hostnames = vec![format!("{}b", "a.".repeat(127))]), ["/hostnames/0"]);
}

#[test]
fn there_is_a_playbook() {
    assert_eq!(pointers(|it| it.playbooks.clear()), ["/playbooks"]);
}

#[test]
fn checks_ask_the_instances_own_hosts_for_paths() {
    let of = |change: fn(&mut SiteCheck)| pointers(|it| it.checks.iter_mut().for_each(change));
    assert_eq!(of(|check| check.host = "school-content.example.org".into()), [""; 0]);
    assert_eq!(of(|check| check.host = "other.example".into()), ["/checks/0/host"]);
    for path in ["health", "/a b", "/x\r\nHost: y", ""] {
        let settings = pointers(|it| it.checks.iter_mut().for_each(|check| check.path = path.into()));
        assert_eq!(settings, ["/checks/0/path"], "{path}");
    }
    assert_eq!(of(|check| check.statuses = "2xx".into()), ["/checks/0/statuses"]);
}

#[test]
fn a_hook_is_named_once_for_each_moment() {
    assert_eq!(pointers(|it| it.hooks.extend(it.hooks.first().cloned())), ["/hooks/3/playbook"]);
}
