//! Settings: environment variables, or the same names in lower case in the TOML file that `OCIM_CONFIG` names. The
//! environment wins. The original's names are kept where it had the setting.
//!
//! [`sections`] declares those of the program; an application type declares its own in its room, and reads them by
//! [`Settings::section`].

pub mod address;
pub mod dns;
pub mod gateway;
pub mod page;
pub mod providers;
pub mod resources;
pub mod sections;
pub mod setting;
pub mod table;

use std::path::PathBuf;

pub use sections::{ContainersReach, LocalNetwork, LogFormat, OnCommit, OnSigterm, SandboxMode, Settings};
pub use shared_types::ProviderKind;
use table::{Declared, Section, Values};

/// A setting is invalid; names it.
#[derive(Debug, thiserror::Error)]
#[error("a setting is not valid: {0}")]
pub struct ConfigError(String);

impl From<config::ConfigError> for ConfigError {
    fn from(error: config::ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl Settings {
    /// Reads the settings file, if OCIM_CONFIG names one, and the environment. `others`: the sections that other rooms
    /// declare.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting, and says what is wrong.
    pub fn load(others: &[Declared]) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os();
        Self::of(
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
            others,
        )
    }

    /// The same, with these variables instead of the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting, and says what is wrong.
    pub fn of(
        environment: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        others: &[Declared],
    ) -> Result<Self, ConfigError> {
        let declared: Vec<_> = Self::own().iter().chain(others).copied().collect();
        let values = collect(environment.into_iter().map(|(name, value)| (name.into(), value.into())), &declared)?;
        others.iter().try_for_each(|section| (section.check)(&values))?;
        let settings = Self::read(values)?;
        gateway::GatewaySettings::new(&settings).map_err(ConfigError)?;
        dns::NameSettings::new(&settings).map_err(ConfigError)?;
        settings.backups.check().map_err(ConfigError)?;
        settings.certificates.check().map_err(ConfigError)?;
        settings.providers()?;
        settings.resources()?;
        Ok(settings)
    }

    /// The defaults with a change, which is not checked.
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut settings = Self::default();
        change(&mut settings);
        settings
    }

    /// A section that another room declares. Sections given to [`Settings::load`] are valid.
    ///
    /// # Errors
    /// A message that names the setting, and says what is wrong.
    pub fn section<S: Section>(&self) -> Result<S, String> {
        self.values.read().map_err(|ConfigError(message)| message)
    }

    /// The Python interpreters that Ansible may run with, in the order they are tried. Never empty.
    pub fn pythons(&self) -> Vec<String> {
        let names = self.builds.ocim_pythons.iter().flat_map(|names| names.split(':')).map(str::trim);
        let names: Vec<_> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.is_empty() { vec![self.builds.ocim_python.clone()] } else { names }
    }

    /// The cache directory: the setting, or `~/.cache/ocim`.
    pub fn cache_dir(&self) -> PathBuf {
        self.data.ocim_cache_dir.clone().unwrap_or_else(|| {
            let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
            home.join(".cache").join("ocim")
        })
    }
}

/// The values of these sections' settings, from the file and the environment.
fn collect(environment: impl Iterator<Item = (String, String)>, declared: &[Declared]) -> Result<Values, ConfigError> {
    let entries: Vec<_> = declared.iter().flat_map(|section| (section.entries)()).collect();
    let mut builder = config::Config::builder();
    let mut overrides = Vec::new();
    for (name, value) in environment {
        if name == "OCIM_CONFIG" {
            builder = builder.add_source(config::File::new(&value, config::FileFormat::Toml));
        } else if let Some(entry) = entries.iter().find(|entry| entry.variable() == name)
            && !value.is_empty()
        {
            let items = || value.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>();
            let value = if entry.is_list { config::Value::from(items()) } else { config::Value::from(value) };
            overrides.push((entry.name, value));
        }
    }
    for (name, value) in overrides {
        builder = builder.set_override(name, value)?;
    }
    let values = Values(config::Source::collect(&builder.build()?)?);
    for (name, value) in
        values.0.iter().filter(|(name, _)| ![providers::TABLES, resources::TABLES].contains(&name.as_str()))
    {
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            return Err(ConfigError(format!("there is no setting `{name}`, which the file names")));
        };
        // Refused here: the reader of lists would quote the value, which may be a secret.
        if entry.is_list && !matches!(value.kind, config::ValueKind::Array(_)) {
            return Err(ConfigError(format!("{} must be a list in the file", entry.variable())));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    table::settings! {
        /// A section of another room.
        pub struct Other = "Other";

        /// A label.
        other_label: String = "none".into();
        /// Items.
        other_items: Vec<String> = Vec::new();
        /// A size.
        other_size: u32 = 7, within(1..=9);
    }

    fn load(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::of(variables.iter().copied(), &[Declared::of::<Other>()])
    }

    #[test]
    fn the_environment_wins_over_the_file_and_both_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ocim.toml");
        std::fs::write(&file, "ocim_build_slots = 2\nocim_oidc_name = \"Campus\"\nother_label = \"x\"\n").unwrap();
        let path = file.to_str().unwrap();
        let settings = load(&[("OCIM_CONFIG", path), ("OCIM_BUILD_SLOTS", "7"), ("OTHER", "x")]).unwrap();
        assert_eq!(settings.builds.ocim_build_slots, 7);
        assert_eq!(settings.sign_in.ocim_oidc_name, "Campus");
        assert_eq!(settings.section::<Other>().unwrap().other_label, "x");
        assert!(load(&[("OCIM_LISTEN", "nowhere")]).unwrap_err().to_string().contains("ocim_listen"));
        std::fs::write(&file, "ocim_bild_slots = 2\n").unwrap();
        assert!(load(&[("OCIM_CONFIG", path)]).unwrap_err().to_string().contains("ocim_bild_slots"));
        std::fs::write(&file, "ocim_secret_keys = \"k1:00ff\"\n").unwrap();
        assert_eq!(load(&[("OCIM_CONFIG", path)]).unwrap_err().0, "OCIM_SECRET_KEYS must be a list in the file");
    }

    #[test]
    fn a_number_outside_its_limits_is_refused_with_them() {
        for (name, value, message) in [
            ("OCIM_BUILD_SLOTS", "0", "OCIM_BUILD_SLOTS is 0; it must be 1 to 500"),
            ("OCIM_PIN_TIMEOUT", "604801", "OCIM_PIN_TIMEOUT is 604801 seconds; it must be 1 to 604800"),
            ("OCIM_CHECK_INTERVAL", "4", "OCIM_CHECK_INTERVAL is 4 seconds; it must be 5 to 3600"),
            ("OCIM_GATEWAY_MAX_HOSTS", "0", "OCIM_GATEWAY_MAX_HOSTS is 0; it must be 1 to 1000000"),
            ("OTHER_SIZE", "10", "OTHER_SIZE is 10; it must be 1 to 9"),
        ] {
            assert_eq!(load(&[(name, value)]).unwrap_err().0, message);
        }
    }

    #[test]
    fn backups_need_a_key_and_a_schedule_needs_a_place() {
        let error = |variables: &[(&str, &str)]| load(variables).unwrap_err().0;
        assert!(error(&[("OCIM_BACKUP_DIR", "/mnt")]).contains("OCIM_BACKUP_RECIPIENTS names no key"));
        assert!(error(&[("OCIM_BACKUP_BUCKET", "files/ocim")]).contains("OCIM_BACKUP_RECIPIENTS names no key"));
        assert!(error(&[("OCIM_BACKUP_EVERY", "24")]).contains("neither OCIM_BACKUP_DIR nor OCIM_BACKUP_BUCKET is"));
        let both =
            [("OCIM_BACKUP_DIR", "/mnt"), ("OCIM_BACKUP_BUCKET", "files/ocim"), ("OCIM_BACKUP_RECIPIENTS", "age1")];
        assert!(error(&both).contains("one place"));
        for bad in ["files", "/ocim", "files/", "Files/ocim", "files/ocim/below", "files/..", "files/a", "files/o cim"]
        {
            let words = error(&[("OCIM_BACKUP_BUCKET", bad), ("OCIM_BACKUP_RECIPIENTS", "age1")]);
            assert!(words.contains(&format!("OCIM_BACKUP_BUCKET is “{bad}”; ")), "{words}");
        }
        assert!(error(&[("OCIM_BACKUP_KEEP", "0")]).contains("it must be 1 to 1000"));
        let set =
            [("OCIM_BACKUP_DIR", "/mnt"), ("OCIM_BACKUP_RECIPIENTS", "age1a, age1b"), ("OCIM_BACKUP_EVERY", "24")];
        let backups = load(&set).unwrap().backups;
        assert_eq!((backups.ocim_backup_recipients.len(), backups.ocim_backup_every), (2, Some(24)));
        assert_eq!((backups.ocim_backup_keep, backups.ocim_backup_verify), (7, true));
    }

    #[test]
    fn certificates_need_an_agreement_and_files_need_a_directory() {
        let error = |variables: &[(&str, &str)]| load(variables).unwrap_err().0;
        let acme = ("OCIM_CERTIFICATES", "acme");
        let agreed = ("OCIM_ACME_AGREE_TO_TERMS", "true");
        assert!(error(&[acme]).contains("OCIM_ACME_AGREE_TO_TERMS is not true"));
        assert!(load(&[acme, agreed]).is_ok());
        assert!(error(&[acme, agreed, ("OCIM_ACME_DIRECTORY", "http://ca.example/dir")]).contains("https://"));
        for bad in ["me", "me@host", "mailto:me@example.org", "a@example.org, b@example.org", "a@example.org?x=1"] {
            assert!(error(&[acme, agreed, ("OCIM_ACME_CONTACT", bad)]).contains("one mail address"), "{bad}");
        }
        let half = ("OCIM_ACME_EXTERNAL_ACCOUNT", "kid");
        assert!(error(&[acme, agreed, half]).contains("OCIM_ACME_EXTERNAL_ACCOUNT_KEY is not"));
        assert!(error(&[("OCIM_CERTIFICATES", "files")]).contains("OCIM_CERTIFICATE_DIR"));
    }

    #[test]
    fn a_section_of_another_room_has_its_defaults_and_shows_no_values() {
        let other: Other = Settings::default().section().unwrap();
        assert_eq!((other.other_label.as_str(), other.other_size), ("none", 7));
        let settings = load(&[("OTHER_LABEL", "hidden"), ("OTHER_ITEMS", "a, b")]).unwrap();
        assert_eq!(settings.section::<Other>().unwrap().other_items, ["a", "b"]);
        let shown = format!("{settings:?}");
        assert!(shown.contains("other_label") && !shown.contains("hidden"), "{shown}");
        assert!(Settings::of([("OTHER_SIZE", "10")], &[]).is_ok(), "not declared");
    }

    #[test]
    fn interpreters_are_separated_by_colons_or_commas() {
        let pythons = |variables: &[(&str, &str)]| load(variables).unwrap().pythons();
        assert_eq!(pythons(&[]), ["python3"]);
        assert_eq!(pythons(&[("OCIM_PYTHON", "python3.12")]), ["python3.12"]);
        let both =
            [("OCIM_PYTHON", "python3.12"), ("OCIM_PYTHONS", "python3.11:/opt/python3.8/bin/python3, python3.9,")];
        assert_eq!(pythons(&both), ["python3.11", "/opt/python3.8/bin/python3", "python3.9"]);
    }

    #[test]
    fn no_setting_is_declared_twice() {
        let entries: Vec<_> = Settings::own().iter().flat_map(|section| (section.entries)()).collect();
        let names: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), entries.len());
    }
}
