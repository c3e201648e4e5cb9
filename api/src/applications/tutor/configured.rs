//! Defaults of Tutor instances from the program's settings.

use std::path::Path;

use shared_types::applications::tutor::releases;

use super::{Defaults, Tutor};
use crate::applications::{EMAIL, PROTOCOL, Repositories};
use crate::config::Settings;

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
        let release = settings.default_tutor_release.as_deref().unwrap_or(releases::NEWEST);
        if releases::named(release).is_none() {
            let names = releases::NAMES.join(", ");
            return Err(format!("DEFAULT_TUTOR_RELEASE: there is no release {release}; there are: {names}"));
        }
        let wheels = settings.tutor_wheels.as_deref();
        if let Some(relative) = wheels.filter(|path| path.is_relative()) {
            return Err(format!("TUTOR_WHEELS: {} must be an absolute path", relative.display()));
        }
        Ok(Self {
            base_domain: settings.instances_base_domain.clone(),
            email: EMAIL.to_owned(),
            protocol: PROTOCOL.to_owned(),
            release: release.to_owned(),
            playbooks_repository_url: settings
                .default_tutor_playbooks_repo_url
                .clone()
                .unwrap_or_else(|| playbooks.display().to_string()),
            playbooks_version: settings.default_tutor_playbooks_version.clone(),
            wheels: wheels.map(|path| path.display().to_string()).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn configured(settings: &Settings) -> Result<Defaults, String> {
        Defaults::configured(settings, Path::new("/srv/playbooks"))
    }

    #[test]
    fn an_instance_that_names_nothing_gets_the_newest_release_and_the_playbooks_of_the_program() {
        let defaults = configured(&Settings::default()).unwrap();
        assert_eq!(defaults.release, releases::NEWEST);
        assert_eq!(defaults.playbooks_repository_url, "/srv/playbooks");
        assert_eq!((defaults.playbooks_version.as_str(), defaults.wheels.as_str()), ("master", ""));
    }

    #[test]
    fn a_release_that_does_not_exist_and_relative_wheels_are_refused() {
        let refused = configured(&Settings { default_tutor_release: Some("quince".into()), ..Settings::default() });
        assert!(refused.unwrap_err().contains("there is no release quince; there are: "));
        let refused = configured(&Settings { tutor_wheels: Some("wheels".into()), ..Settings::default() });
        assert_eq!(refused.unwrap_err(), "TUTOR_WHEELS: wheels must be an absolute path");
    }
}
