//! Whether a build migrates databases outside the machine.

use shared_types::applications::openedx::OpenEdxSettings;

use crate::instances::application::SchemaChange;

/// Another release, or other code of edx-platform, may bring migrations. A branch that has moved has the same name, and is not noticed.
pub(super) fn migrates(last: &OpenEdxSettings, next: &OpenEdxSettings) -> Option<SchemaChange> {
    if last.use_ephemeral_databases || next.use_ephemeral_databases {
        return None;
    }
    let code = |settings: &OpenEdxSettings| {
        let OpenEdxSettings { openedx_release, edx_platform_commit, edx_platform_repository_url, .. } =
            settings.clone();
        (openedx_release, edx_platform_commit, edx_platform_repository_url)
    };
    (code(last) != code(next)).then(|| SchemaChange { from: words(last), to: words(next) })
}

/// The release, and the version of edx-platform if it has another name.
fn words(settings: &OpenEdxSettings) -> String {
    let OpenEdxSettings { openedx_release: release, edx_platform_commit: commit, .. } = settings;
    if release == commit { release.clone() } else { format!("{release} (edx-platform {commit})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::openedx::testing::sample;

    fn persistent(release: &str, commit: &str) -> OpenEdxSettings {
        OpenEdxSettings {
            use_ephemeral_databases: false,
            openedx_release: release.to_owned(),
            edx_platform_commit: commit.to_owned(),
            ..sample()
        }
    }

    #[test]
    fn another_release_and_other_code_migrate() {
        let last = persistent("quince", "quince");
        let change = |from: &str, to: &str| Some(SchemaChange { from: from.to_owned(), to: to.to_owned() });
        assert_eq!(migrates(&last, &persistent("redwood", "redwood")), change("quince", "redwood"));
        assert_eq!(migrates(&last, &persistent("quince", "fix")), change("quince", "quince (edx-platform fix)"));
        let forked =
            OpenEdxSettings { edx_platform_repository_url: "https://git.example/fork.git".into(), ..last.clone() };
        assert!(migrates(&last, &forked).is_some());
        assert_eq!(migrates(&last, &last), None);
    }

    #[test]
    fn databases_that_end_with_the_machine_are_not_migrated() {
        let next = persistent("redwood", "redwood");
        let ephemeral = OpenEdxSettings { use_ephemeral_databases: true, ..persistent("quince", "quince") };
        assert_eq!((migrates(&ephemeral, &next), migrates(&next, &ephemeral)), (None, None));
    }
}
