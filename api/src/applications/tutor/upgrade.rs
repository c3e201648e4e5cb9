//! Effects of an app server on data that outlives it.

use shared_types::applications::tutor::TutorSettings;
use shared_types::applications::tutor::releases::place;
use shared_types::yaml;

use crate::instances::application::{ApplicationError, SchemaChange};

/// What names the MySQL database, where most of a release's data is.
const PLACE: [&str; 3] = ["MYSQL_HOST", "MYSQL_PORT", "OPENEDX_MYSQL_DATABASE"];

/// Whether the databases are external and outlive app servers.
pub(super) fn has_shared_databases(settings: &TutorSettings) -> bool {
    settings.persistent_databases || yaml::parse_map(&settings.databases).is_ok_and(|map| !map.is_empty())
}

/// The release of an earlier app server, if it ran on the databases that `next` names; a password may differ.
pub(super) fn migrated_by<'a>(earlier: &'a TutorSettings, next: &TutorSettings) -> Option<&'a str> {
    // An instance keeps the databases that ocim makes, or that were entered, for its life.
    let place = |settings: &TutorSettings| {
        let map = yaml::parse_map(&settings.databases).unwrap_or_default();
        (settings.persistent_databases, PLACE.map(|key| map.get(key).cloned()))
    };
    (has_shared_databases(next) && place(earlier) == place(next)).then_some(earlier.release.as_str())
}

/// Whether a build changes the schema of databases that an app server with the settings `last` used: another release, and other
/// code, plugins or packages may bring migrations. A branch or an image that has moved has the same name, and is not noticed.
pub(super) fn migrates(last: &TutorSettings, next: &TutorSettings) -> Option<SchemaChange> {
    migrated_by(last, next)?;
    let parts = |settings: &TutorSettings| {
        let TutorSettings { release, plugins, requirements, openedx_image, .. } = settings.clone();
        let TutorSettings { images_to_build, edx_platform_repository_url, edx_platform_commit, .. } = settings.clone();
        [
            release,
            plugins,
            requirements,
            openedx_image,
            images_to_build,
            edx_platform_repository_url,
            edx_platform_commit,
        ]
    };
    if parts(last) == parts(next) {
        return None;
    }
    let words = |settings: &TutorSettings, other: &TutorSettings| {
        if settings.release != other.release {
            return settings.release.clone();
        }
        let known =
            [&settings.openedx_image, &settings.edx_platform_commit].into_iter().filter(|text| !text.is_empty());
        let words: Vec<_> = [&settings.release].into_iter().chain(known).map(String::as_str).collect();
        words.join(", ")
    };
    Some(SchemaChange { from: words(last, next), to: words(next, last) })
}

/// The release that the playbook upgrades from; none if there is nothing to upgrade.
///
/// `last` is the release that last migrated the instance's databases; none: no app server did.
///
/// # Errors
/// [`ApplicationError`] if a later release migrated the databases: an earlier one cannot use them.
pub(super) fn upgrades_from<'a>(
    last: Option<&'a str>,
    next: &TutorSettings,
) -> Result<Option<&'a str>, ApplicationError> {
    let Some(last) = last.filter(|_| has_shared_databases(next)) else { return Ok(None) };
    match (place(last), place(&next.release)) {
        (Some(before), Some(after)) if before > after => Err(ApplicationError(format!(
            "The databases of this instance were migrated by {last}; {} cannot use them. Restore a backup from before the \
             upgrade and terminate the app servers of {last}, or set the release to {last}.",
            next.release
        ))),
        (Some(before), Some(after)) if before == after => Ok(None),
        // A release that is too old for ocim: Tutor knows its name or refuses it.
        (_, Some(_)) => Ok(Some(last)),
        (_, None) => Err(ApplicationError(format!("There is no release {}.", next.release))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::applications::tutor::testing::{DATABASES, sample};

    fn shared(release: &str) -> TutorSettings {
        TutorSettings { databases: DATABASES.into(), release: release.into(), ..sample() }
    }

    #[test]
    fn an_upgrade_begins_at_the_release_that_last_migrated_the_databases() {
        assert_eq!(upgrades_from(Some("teak"), &shared("verawood")), Ok(Some("teak")));
        assert_eq!(upgrades_from(Some("redwood"), &shared("sumac")), Ok(Some("redwood")));
        assert_eq!(upgrades_from(Some("verawood"), &shared("verawood")), Ok(None));
        assert_eq!(upgrades_from(None, &shared("verawood")), Ok(None));
    }

    #[test]
    fn another_database_was_not_migrated_by_an_earlier_app_server() {
        let earlier = shared("ulmo");
        let with = |databases: String| TutorSettings { databases, ..shared("verawood") };
        assert_eq!(migrated_by(&earlier, &shared("verawood")), Some("ulmo"));
        let another_password = with(DATABASES.replace("given", "changed"));
        assert_eq!(migrated_by(&earlier, &another_password), Some("ulmo"));
        for (from, to) in [("mysql.example", "other.example"), ("DATABASE: demo", "DATABASE: copy")] {
            assert_eq!(migrated_by(&earlier, &with(DATABASES.replace(from, to))), None, "{to}");
        }
        assert_eq!(migrated_by(&sample(), &sample()), None, "they end with the machine");
    }

    #[test]
    fn another_release_and_other_code_change_the_schema_of_shared_databases() {
        let last = shared("ulmo");
        let change = |from: &str, to: &str| Some(SchemaChange { from: from.to_owned(), to: to.to_owned() });
        assert_eq!(migrates(&last, &shared("verawood")), change("ulmo", "verawood"));
        let image = TutorSettings { openedx_image: "registry.example/openedx:2".into(), ..last.clone() };
        assert_eq!(migrates(&last, &image), change("ulmo", "ulmo, registry.example/openedx:2"));
        assert_eq!(migrates(&last, &last), None);
        let own = |release: &str| TutorSettings { release: release.into(), ..sample() };
        assert_eq!(migrates(&own("ulmo"), &own("verawood")), None, "they end with the machine");
    }

    #[test]
    fn databases_of_a_later_release_are_refused() {
        let refused = upgrades_from(Some("verawood"), &shared("ulmo")).unwrap_err().0;
        assert!(refused.contains("migrated by verawood; ulmo cannot use them"), "{refused}");
    }

    #[test]
    fn databases_that_end_with_the_machine_are_never_upgraded() {
        let settings = TutorSettings { release: "ulmo".into(), ..sample() };
        assert_eq!(upgrades_from(Some("verawood"), &settings), Ok(None));
    }
}
