//! Settings: environment variables, or the same names in lower case in the TOML file that `OCIM_CONFIG` names. The
//! environment wins. The original's names are kept where it had the setting.

pub mod address;
pub mod gateway;
mod settings;

use std::path::PathBuf;

pub use settings::{LogFormat, OnCommit, OnSigterm, ProviderKind, Settings};

/// The longest timeout: a week, in seconds.
const MAX_SECONDS: u64 = 604_800;

/// The settings' names; in upper case, those of the environment variables.
const NAMES: &[&str] = &[
    "ocim_listen",
    "ocim_gateway_listen",
    "ocim_gateway_public_url",
    "ocim_gateway_trusted_proxies",
    "ocim_gateway_proxy_protocol",
    "ocim_gateway_target_connections",
    "ocim_gateway_source_connections",
    "ocim_gateway_max_hosts",
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
    "ocim_public_url",
    "ocim_allowed_hosts",
    "ocim_trusted_proxies",
    "ocim_cors_origins",
    "ocim_request_timeout",
    "ocim_stall_timeout",
    "ocim_principal_rate",
    "ocim_address_rate",
    "ocim_max_streams",
    "ocim_max_streams_each",
    "ocim_secret_keys",
    "ocim_metrics_token",
    "ocim_log_format",
    "ocim_oidc_issuer",
    "ocim_oidc_client_id",
    "ocim_oidc_client_secret",
    "ocim_oidc_name",
    "ocim_oidc_groups_claim",
    "ocim_github_client_id",
    "ocim_github_client_secret",
    "ocim_sign_in_roles",
    "github_api_url",
    "github_url",
    "watch_fork",
    "watch_organization",
    "watch_team",
    "watch_interval",
    "watch_on_commit",
    "watch_archive_minutes",
    "watch_ttl_days",
    "watch_configuration_repositories",
    "watch_report",
    "github_access_token",
    "github_app_id",
    "github_app_private_key_file",
    "github_webhook_secrets",
    "database_url",
    "instances_base_domain",
    "instance_ephemeral_databases",
    "default_fork",
    "default_configuration_repo_url",
    "default_configuration_version",
    "default_configuration_playbook",
    "default_configuration_requirements",
    "default_openedx_release",
    "default_admin_organization",
    "default_tutor_release",
    "default_tutor_playbooks_repo_url",
    "default_tutor_playbooks_version",
    "tutor_wheels",
    "ansible_line_timeout",
    "ansible_global_timeout",
    "ocim_pythons",
    "ocim_python",
    "ocim_on_sigterm",
    "ocim_pin_timeout",
    "ocim_machine_timeout",
    "ocim_checkout_timeout",
    "ocim_reboot_timeout",
    "ocim_checks_timeout",
    "ocim_check_interval",
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

/// The settings that are lists; in the environment, their items are separated by commas.
const LISTS: &[&str] = &[
    "ocim_gateway_trusted_proxies",
    "ocim_allowed_hosts",
    "ocim_trusted_proxies",
    "ocim_cors_origins",
    "ocim_secret_keys",
    "ocim_sign_in_roles",
    "watch_fork",
    "watch_configuration_repositories",
    "watch_report",
    "github_webhook_secrets",
    "ocim_pythons",
    "admins",
];

/// A setting is invalid; names it.
#[derive(Debug, thiserror::Error)]
#[error("a setting is not valid: {0}")]
pub struct ConfigError(String);

impl Settings {
    /// Reads the settings file, if OCIM_CONFIG names one, and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting, and says what is wrong.
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
            ("OCIM_REQUEST_TIMEOUT", self.ocim_request_timeout),
            ("OCIM_STALL_TIMEOUT", self.ocim_stall_timeout),
            ("WATCH_INTERVAL", self.watch_interval),
            ("ANSIBLE_LINE_TIMEOUT", self.ansible_line_timeout),
            ("ANSIBLE_GLOBAL_TIMEOUT", self.ansible_global_timeout),
        ];
        if let Some((name, seconds)) = spans.into_iter().find(|(_, seconds)| !(1..=MAX_SECONDS).contains(seconds)) {
            return Err(ConfigError(format!("{name} is {seconds} seconds; it must be 1 to {MAX_SECONDS}")));
        }
        if !(5..=3600).contains(&self.ocim_check_interval) {
            return Err(ConfigError(format!(
                "OCIM_CHECK_INTERVAL is {} seconds; it must be 5 to 3600",
                self.ocim_check_interval
            )));
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
        gateway::GatewaySettings::new(&self).map_err(ConfigError)?;
        Ok(self)
    }

    /// The Python interpreters that Ansible may run with, in the order they are tried. Never empty.
    pub fn pythons(&self) -> Vec<String> {
        let names = self.ocim_pythons.iter().flat_map(|names| names.split(':')).map(str::trim);
        let names: Vec<_> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.is_empty() { vec![self.ocim_python.clone()] } else { names }
    }

    /// The cache directory: the setting, or `~/.cache/ocim`.
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
    fn interpreters_are_separated_by_colons_or_commas() {
        let pythons = |variables: &[(&str, &str)]| load(variables).unwrap().pythons();
        assert_eq!(pythons(&[]), ["python3"]);
        assert_eq!(pythons(&[("OCIM_PYTHON", "python3.12")]), ["python3.12"]);
        let both =
            [("OCIM_PYTHON", "python3.12"), ("OCIM_PYTHONS", "python3.11:/opt/python3.8/bin/python3, python3.9,")];
        assert_eq!(pythons(&both), ["python3.11", "/opt/python3.8/bin/python3", "python3.9"]);
    }

    #[test]
    fn every_setting_has_its_name_in_the_environment() {
        let text = include_str!("settings.rs");
        let fields = text.split("pub struct Settings {").nth(1).unwrap().split("\n}").next().unwrap();
        let fields: Vec<_> = fields.lines().filter_map(|l| l.trim().strip_prefix("pub ")?.split(':').next()).collect();
        assert_eq!(fields, NAMES);
    }
}
