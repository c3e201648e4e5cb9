//! Settings: environment variables, or the same names in lower case in the TOML file that `OCIM_CONFIG` names. The
//! environment wins. The original's names are kept where it had the setting.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// Every setting with its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where API and pages answer.
    pub ocim_listen: SocketAddr,
    /// Where visitors of the instances come.
    pub ocim_gateway_listen: SocketAddr,
    /// What the instances' URLs carry: the port, where it is not the protocol's own. None: taken from
    /// `ocim_gateway_listen` with the local provider, no port otherwise.
    pub ocim_gateway_public_url: Option<String>,
    /// Holds the embedded database, the local machines, keys and runs.
    pub ocim_data_dir: PathBuf,
    /// Holds what can be made again: base tree, clones, virtualenvs, wheels. None: `~/.cache/ocim`.
    pub ocim_cache_dir: Option<PathBuf>,
    /// The /24 of the local machines. None: the first free one.
    pub ocim_local_subnet: Option<String>,
    /// The first administrator's password, at the first start only. None: a random one, printed once.
    pub ocim_admin_password: Option<SecretString>,
    /// How many app servers are built at once.
    pub ocim_build_slots: usize,
    /// Whether a proxy in front ends TLS: cookies are then sent over TLS only.
    pub ocim_behind_tls: bool,
    /// A Postgres to use instead of the embedded one.
    pub database_url: Option<SecretString>,
    /// The base domain of instances that name none.
    pub instances_base_domain: String,
    /// Whether databases live on the app server's machine unless an instance says otherwise.
    pub instance_ephemeral_databases: bool,
    /// The edx-platform repository of instances that name none: a GitHub `owner/name`, a URL or a path. None: the demo's.
    pub default_fork: Option<String>,
    /// The configuration repository of instances that name none. None: the demo's.
    pub default_configuration_repo_url: Option<String>,
    /// Its version. None: the release.
    pub default_configuration_version: Option<String>,
    /// The release of instances that name none.
    pub default_openedx_release: String,
    /// The GitHub organization whose team gets SSH access.
    pub default_admin_organization: String,
    /// Seconds without output that end a playbook.
    pub ansible_line_timeout: u64,
    /// Seconds that end a playbook.
    pub ansible_global_timeout: u64,
    /// The Python that runs Ansible.
    pub ocim_python: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ocim_listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            ocim_gateway_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ocim_gateway_public_url: None,
            ocim_data_dir: PathBuf::from(".ocim"),
            ocim_cache_dir: None,
            ocim_local_subnet: None,
            ocim_admin_password: None,
            ocim_build_slots: 4,
            ocim_behind_tls: false,
            database_url: None,
            instances_base_domain: "localhost".into(),
            instance_ephemeral_databases: true,
            default_fork: None,
            default_configuration_repo_url: None,
            default_configuration_version: None,
            default_openedx_release: "master".into(),
            default_admin_organization: String::new(),
            ansible_line_timeout: 1500,
            ansible_global_timeout: 9000,
            ocim_python: "python3".into(),
        }
    }
}

/// The names, which are also the environment's in capitals.
const NAMES: &[&str] = &[
    "ocim_listen",
    "ocim_gateway_listen",
    "ocim_gateway_public_url",
    "ocim_data_dir",
    "ocim_cache_dir",
    "ocim_local_subnet",
    "ocim_admin_password",
    "ocim_build_slots",
    "ocim_behind_tls",
    "database_url",
    "instances_base_domain",
    "instance_ephemeral_databases",
    "default_fork",
    "default_configuration_repo_url",
    "default_configuration_version",
    "default_openedx_release",
    "default_admin_organization",
    "ansible_line_timeout",
    "ansible_global_timeout",
    "ocim_python",
];

/// A setting that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("a setting is not valid: {0}")]
pub struct ConfigError(String);

impl Settings {
    /// Reads the file, where one is named, and the environment.
    ///
    /// # Errors
    /// Which setting makes no sense, and why.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    fn from(environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        let mut overrides = Vec::new();
        for (name, value) in environment {
            let lower = name.to_ascii_lowercase();
            if name == "OCIM_CONFIG" {
                builder = builder.add_source(config::File::new(&value, config::FileFormat::Toml));
            } else if name == name.to_ascii_uppercase() && NAMES.contains(&lower.as_str()) && !value.is_empty() {
                overrides.push((lower, value));
            }
        }
        for (name, value) in overrides {
            builder = builder.set_override(name, value).map_err(|error| ConfigError(error.to_string()))?;
        }
        let settings: Self = builder
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError(error.to_string()))?;
        settings.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        if !(1..=500).contains(&self.ocim_build_slots) {
            return Err(ConfigError(format!("OCIM_BUILD_SLOTS is {}; it must be 1 to 500", self.ocim_build_slots)));
        }
        Ok(self)
    }

    /// Where the cache is.
    pub fn cache_dir(&self) -> PathBuf {
        self.ocim_cache_dir.clone().unwrap_or_else(|| {
            let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
            home.join(".cache").join("ocim")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::from(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_both_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ocim.toml");
        std::fs::write(&file, "ocim_build_slots = 2\ndefault_openedx_release = \"teak\"\n").unwrap();
        let path = file.to_str().unwrap();
        let settings = load(&[("OCIM_CONFIG", path), ("OCIM_BUILD_SLOTS", "7"), ("OTHER", "x")]).unwrap();
        assert_eq!(settings.ocim_build_slots, 7);
        assert_eq!(settings.default_openedx_release, "teak");
        assert!(load(&[("OCIM_BUILD_SLOTS", "0")]).is_err());
        assert!(load(&[("OCIM_LISTEN", "nowhere")]).unwrap_err().to_string().contains("invalid"));
        std::fs::write(&file, "ocim_bild_slots = 2\n").unwrap();
        assert!(load(&[("OCIM_CONFIG", path)]).unwrap_err().to_string().contains("ocim_bild_slots"));
    }

    #[test]
    fn every_setting_has_its_name_in_the_environment() {
        let text = include_str!("config.rs");
        let fields = text.split("pub struct Settings {").nth(1).unwrap().split("\n}").next().unwrap();
        let fields: Vec<_> = fields.lines().filter_map(|l| l.trim().strip_prefix("pub ")?.split(':').next()).collect();
        assert_eq!(fields, NAMES);
    }
}
