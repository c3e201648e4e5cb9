//! Defaults of Tutor instances from the program's settings.

use std::path::{Path, PathBuf};

use shared_types::applications::tutor::releases;

use super::{Defaults, Tutor};
use crate::applications::{EMAIL, PROTOCOL, Repositories};
use crate::config::Settings;
use crate::config::table::settings;

settings! {
    /// Defaults of instances of the type `tutor`; see [tutor.md](tutor.md).
    pub struct TutorDefaults = "Tutor";

    /// The release of instances of the type `tutor` that name none: one of the table in [tutor.md](tutor.md).
    default_tutor_release: Option<String> = None, unset("the newest");
    /// The repository with the playbooks of instances of the type `tutor` that name none; unset: `tutor` in the data
    /// directory, written at each start.
    default_tutor_playbooks_repo_url: Option<String> = None, unset("this program's");
    /// The branch, tag or commit of the repository with the playbooks for Tutor.
    default_tutor_playbooks_version: String = "master".into();
    /// An absolute path on the host of the server and of each worker: a directory with the wheels of Tutor and all that
    /// it needs, which is copied to machines. Unset: pip on the machine uses PyPI.
    tutor_wheels: Option<PathBuf> = None;
}

impl Tutor {
    /// The type with the operator's settings.
    ///
    /// # Errors
    /// A message that names the invalid setting and the remedy.
    pub fn configured(settings: &Settings, repositories: &Repositories) -> Result<Self, String> {
        Ok(Self { defaults: Defaults::configured(settings, &repositories.tutor)? })
    }
}

impl Defaults {
    /// `playbooks`: the repository that the program ships, the default of instances.
    fn configured(settings: &Settings, playbooks: &Path) -> Result<Self, String> {
        let given = settings.section::<TutorDefaults>()?;
        let release = given.default_tutor_release.as_deref().unwrap_or(releases::NEWEST);
        if releases::named(release).is_none() {
            let names = releases::NAMES.join(", ");
            return Err(format!("DEFAULT_TUTOR_RELEASE: there is no release {release}; there are: {names}"));
        }
        let wheels = given.tutor_wheels.as_deref();
        if let Some(relative) = wheels.filter(|path| path.is_relative()) {
            return Err(format!("TUTOR_WHEELS: {} must be an absolute path", relative.display()));
        }
        Ok(Self {
            base_domain: settings.instances.instances_base_domain.clone(),
            email: EMAIL.to_owned(),
            protocol: PROTOCOL.to_owned(),
            release: release.to_owned(),
            playbooks_repository_url: given
                .default_tutor_playbooks_repo_url
                .unwrap_or_else(|| playbooks.display().to_string()),
            playbooks_version: given.default_tutor_playbooks_version,
            wheels: wheels.map(|path| path.display().to_string()).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::table::Declared;

    fn configured(variables: &[(&str, &str)]) -> Result<Defaults, String> {
        let settings = Settings::of(variables.iter().copied(), &[Declared::of::<TutorDefaults>()]).unwrap();
        Defaults::configured(&settings, Path::new("/srv/playbooks"))
    }

    #[test]
    fn an_instance_that_names_nothing_gets_the_newest_release_and_the_playbooks_of_the_program() {
        let defaults = configured(&[]).unwrap();
        assert_eq!(defaults.release, releases::NEWEST);
        assert_eq!(defaults.playbooks_repository_url, "/srv/playbooks");
        assert_eq!((defaults.playbooks_version.as_str(), defaults.wheels.as_str()), ("master", ""));
    }

    #[test]
    fn a_release_that_does_not_exist_and_relative_wheels_are_refused() {
        let refused = configured(&[("DEFAULT_TUTOR_RELEASE", "quince")]);
        assert!(refused.unwrap_err().contains("there is no release quince; there are: "));
        let refused = configured(&[("TUTOR_WHEELS", "wheels")]);
        assert_eq!(refused.unwrap_err(), "TUTOR_WHEELS: wheels must be an absolute path");
    }
}
