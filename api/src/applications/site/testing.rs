//! Helpers shared by the tests of this folder.

use shared_types::applications::site::{PlaybookSource, SiteSettings};

use super::{Defaults, Site};
use crate::routing::public::PublicUrls;

pub(super) fn site() -> Site {
    let defaults = Defaults { base_domain: "campus.example".into(), protocol: "https".into() };
    Site { defaults, urls: PublicUrls::at_port(8080), examples: "/srv/examples".into() }
}

pub(super) fn sample() -> SiteSettings {
    let playbook = |repository: &str, version: &str, path: &str| PlaybookSource {
        repository: repository.into(),
        version: version.into(),
        path: path.into(),
        requirements: "requirements.txt".into(),
    };
    SiteSettings {
        hostnames: vec!["school.campus.example".into(), "school-content.campus.example".into()],
        base_domain: "campus.example".into(),
        protocol: "http".into(),
        playbooks: vec![
            playbook("https://git.example/base.git", "v2", "base.yml"),
            playbook("https://git.example/school.git", "main", "playbooks/site.yml"),
            playbook("https://git.example/school.git", "main", "playbooks/more.yml"),
        ],
        variables: "school_language: fr\n".into(),
        resources: vec![],
        checks: vec![],
        hooks: vec![],
        memory_mb: 0,
        disk_gb: 0,
    }
}
