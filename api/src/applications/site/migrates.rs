//! Whether a build may migrate databases outside the machine.

use shared_types::applications::site::{PlaybookSource, SiteSettings};

use crate::instances::application::SchemaChange;

/// ocim does not know what playbooks do to databases: other playbooks, or another version of one, may change their schema. A branch that
/// has moved has the same name, and is not noticed.
pub(super) fn migrates(last: &SiteSettings, next: &SiteSettings) -> Option<SchemaChange> {
    if last.resources.is_empty() || next.resources.is_empty() {
        return None;
    }
    let code = |settings: &SiteSettings| settings.playbooks.iter().map(code).collect::<Vec<_>>();
    (code(last) != code(next)).then(|| SchemaChange { from: words(last), to: words(next) })
}

fn code(playbook: &PlaybookSource) -> (String, String, String) {
    let PlaybookSource { repository, version, path, requirements: _ } = playbook.clone();
    (repository, version, path)
}

/// The versions of the playbooks, in the order in which they run: `app.yml v1.2, search.yml main`.
fn words(settings: &SiteSettings) -> String {
    let one = |playbook: &PlaybookSource| {
        let file = playbook.path.rsplit('/').next().unwrap_or(&playbook.path);
        format!("{file} {}", playbook.version)
    };
    settings.playbooks.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use shared_types::ResourceKind;
    use shared_types::applications::site::SiteResource;

    use super::*;
    use crate::applications::site::testing::sample;

    fn at(version: &str) -> SiteSettings {
        let playbook = PlaybookSource {
            repository: "https://git.example/wiki.git".into(),
            version: version.into(),
            path: "playbooks/wiki.yml".into(),
            requirements: "requirements.txt".into(),
        };
        let resources = vec![SiteResource { kind: ResourceKind::Postgresql, name: "wiki".into() }];
        SiteSettings { playbooks: vec![playbook], resources, ..sample() }
    }

    #[test]
    fn another_version_of_a_playbook_may_migrate() {
        let change = SchemaChange { from: "wiki.yml v1".into(), to: "wiki.yml v2".into() };
        assert_eq!(migrates(&at("v1"), &at("v2")), Some(change));
        assert_eq!(migrates(&at("v1"), &at("v1")), None);
        let own = SiteSettings { resources: Vec::new(), ..at("v1") };
        assert_eq!(migrates(&own, &at("v2")), None, "it had no databases that could be migrated");
    }
}
