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
    /// What app servers run on.
    pub ocim_provider: ProviderKind,
    /// Where a web server answers that plays the fake machines. None: one is started.
    pub ocim_fake_http: Option<SocketAddr>,
    /// How many lines a fake playbook prints.
    pub ocim_fake_lines: u32,
    /// Milliseconds between two of them.
    pub ocim_fake_pace_ms: u64,
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
    /// What becomes of builds under way when the program is told to end.
    pub ocim_on_sigterm: OnSigterm,
    /// Seconds that repositories may take to say which commit a branch is.
    pub ocim_pin_timeout: u64,
    /// Seconds that a machine may take until it answers SSH.
    pub ocim_machine_timeout: u64,
    /// Seconds that checkout and virtualenv may take.
    pub ocim_checkout_timeout: u64,
    /// Seconds that a machine may take to restart.
    pub ocim_reboot_timeout: u64,
    /// Seconds that an application may take until its checks pass.
    pub ocim_checks_timeout: u64,
    /// Seconds that requests under way may hold up the end of an app server that was replaced.
    pub ocim_drain_limit: u32,
    /// Hours that an app server which nobody needs keeps its machine.
    pub ocim_retention_hours: u32,
    /// Seconds that a machine which nobody owns is left alone.
    pub ocim_reaper_grace: u64,
    /// Days that events are kept.
    pub ocim_events_days: u32,
    /// Days that the audit log is kept; 0: for ever.
    pub ocim_audit_days: u32,
    /// Days that logs are kept.
    pub ocim_logs_days: u32,
    /// Days that logs of app servers which failed, or were active, are kept.
    pub ocim_kept_logs_days: u32,
    /// Megabytes that must be free on the disks of data and cache for a build to begin.
    pub ocim_min_free_mb: u64,
    /// Who gets mail about failed builds: addresses, separated by commas in the environment.
    pub admins: Vec<String>,
    /// The sender of that mail.
    pub server_email: String,
    /// What its subject begins with.
    pub email_subject_prefix: String,
    /// The SMTP server.
    pub email_host: String,
    /// Its port.
    pub email_port: u16,
    /// The name to sign in there with; blank: none.
    pub email_host_user: String,
    /// The password to sign in there with.
    pub email_host_password: Option<SecretString>,
    /// Whether the connection becomes TLS (STARTTLS) before anything is sent.
    pub email_use_tls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ocim_listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            ocim_gateway_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ocim_gateway_public_url: None,
            ocim_data_dir: PathBuf::from(".ocim"),
            ocim_cache_dir: None,
            ocim_provider: ProviderKind::Local,
            ocim_fake_http: None,
            ocim_fake_lines: 40,
            ocim_fake_pace_ms: 50,
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
            ocim_on_sigterm: OnSigterm::HandOver,
            ocim_pin_timeout: 180,
            ocim_machine_timeout: 3600,
            ocim_checkout_timeout: 1800,
            ocim_reboot_timeout: 600,
            ocim_checks_timeout: 300,
            ocim_drain_limit: 30,
            ocim_retention_hours: 48,
            ocim_reaper_grace: 3600,
            ocim_events_days: 7,
            ocim_audit_days: 0,
            ocim_logs_days: 90,
            ocim_kept_logs_days: 365,
            ocim_min_free_mb: 512,
            admins: Vec::new(),
            server_email: "ocim@localhost".into(),
            email_subject_prefix: "[OpenCraft] ".into(),
            email_host: "localhost".into(),
            email_port: 25,
            email_host_user: String::new(),
            email_host_password: None,
            email_use_tls: false,
        }
    }
}

/// What app servers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Machines on this host.
    Local,
    /// Nothing: machines are files and playbooks only print. For trying the API out, and for tests.
    Fake,
}

/// What becomes of builds under way when the program is told to end (SIGTERM, SIGINT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSigterm {
    /// They are given back, and another worker, or the next start, goes on with them.
    HandOver,
    /// They are ended first; nothing more is begun. A second signal hands them over.
    Finish,
}

/// The longest time-out: a week.
const MAX_SECONDS: u64 = 604_800;

/// The names, which are also the environment's in capitals.
const NAMES: &[&str] = &[
    "ocim_listen",
    "ocim_gateway_listen",
    "ocim_gateway_public_url",
    "ocim_data_dir",
    "ocim_cache_dir",
    "ocim_provider",
    "ocim_fake_http",
    "ocim_fake_lines",
    "ocim_fake_pace_ms",
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
    "ocim_on_sigterm",
    "ocim_pin_timeout",
    "ocim_machine_timeout",
    "ocim_checkout_timeout",
    "ocim_reboot_timeout",
    "ocim_checks_timeout",
    "ocim_drain_limit",
    "ocim_retention_hours",
    "ocim_reaper_grace",
    "ocim_events_days",
    "ocim_audit_days",
    "ocim_logs_days",
    "ocim_kept_logs_days",
    "ocim_min_free_mb",
    "admins",
    "server_email",
    "email_subject_prefix",
    "email_host",
    "email_port",
    "email_host_user",
    "email_host_password",
    "email_use_tls",
];

/// Those that are lists: in the environment their items are separated by commas.
const LISTS: &[&str] = &["admins"];

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
            let value = if LISTS.contains(&name.as_str()) {
                config::Value::from(value.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
            } else {
                config::Value::from(value)
            };
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
        let spans = [
            ("OCIM_PIN_TIMEOUT", self.ocim_pin_timeout),
            ("OCIM_MACHINE_TIMEOUT", self.ocim_machine_timeout),
            ("OCIM_CHECKOUT_TIMEOUT", self.ocim_checkout_timeout),
            ("OCIM_REBOOT_TIMEOUT", self.ocim_reboot_timeout),
            ("OCIM_CHECKS_TIMEOUT", self.ocim_checks_timeout),
            ("OCIM_REAPER_GRACE", self.ocim_reaper_grace),
            ("ANSIBLE_LINE_TIMEOUT", self.ansible_line_timeout),
            ("ANSIBLE_GLOBAL_TIMEOUT", self.ansible_global_timeout),
        ];
        if let Some((name, seconds)) = spans.into_iter().find(|(_, seconds)| !(1..=MAX_SECONDS).contains(seconds)) {
            return Err(ConfigError(format!("{name} is {seconds} seconds; it must be 1 to {MAX_SECONDS}")));
        }
        if self.ocim_drain_limit > 3600 {
            return Err(ConfigError(format!(
                "OCIM_DRAIN_LIMIT is {} seconds; it must be 0 to 3600",
                self.ocim_drain_limit
            )));
        }
        if !(1..=8760).contains(&self.ocim_retention_hours) {
            return Err(ConfigError(format!(
                "OCIM_RETENTION_HOURS is {}; it must be 1 to 8760",
                self.ocim_retention_hours
            )));
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
