//! Effects of an app server on data that outlives it.

use shared_types::applications::tutor::TutorSettings;
use shared_types::applications::tutor::releases::place;
use shared_types::yaml;

use crate::instances::application::ApplicationError;

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
