//! The settings that tests and benches run the program with.

use std::path::Path;
use std::time::Duration;

use ocim::applications::openedx::{Defaults, Installation, OpenEdx};
use ocim::instances::store::housekeeping::Kept;
use ocim::instances::{Options, Pace};
use ocim::platform::vault::Keyring;
use shared_types::applications::openedx::Protocol;

/// The settings of builds.
pub fn options(runs_dir: &Path, patience: Duration, poll: Duration) -> Options {
    Options {
        runs_dir: runs_dir.to_owned(),
        cache_dir: runs_dir.join("cache"),
        min_free_mb: 0,
        retention_hours: 48,
        reaper_grace: Duration::from_secs(3600),
        kept: Kept { events_days: 7, audit_days: 0, logs_days: 90, kept_logs_days: 365 },
        private_key: runs_dir.join("id_ed25519"),
        authorized_key: "ssh-ed25519 AAAA nobody".to_owned(),
        pin_timeout: patience,
        machine_timeout: patience,
        checkout_timeout: patience,
        reboot_timeout: patience,
        pace: Pace::every(Duration::from_secs(30)),
        checks_timeout: patience,
        line_timeout: patience,
        global_timeout: patience,
        max_hosts: 250_000,
        drain_limit: Duration::from_secs(30),
        poll,
        keyring: keyring(),
    }
}

/// A key ring with one fixed key.
pub fn keyring() -> Keyring {
    Keyring::of([format!("test:{}", "00".repeat(32)).as_str()]).unwrap()
}

/// Open edX with defaults that point to no real server.
pub fn open_edx() -> OpenEdx {
    let defaults = Defaults {
        base_domain: "localhost".into(),
        email: "contact@example.com".into(),
        protocol: Protocol::Http,
        configuration_source_repo_url: "https://git.example/configuration.git".into(),
        configuration_version: "master".into(),
        configuration_playbook: "playbooks/openedx_native.yml".into(),
        configuration_requirements: "requirements.txt".into(),
        edx_platform_repository_url: "https://git.example/edx-platform.git".into(),
        openedx_release: "master".into(),
        use_ephemeral_databases: true,
        github_admin_organization_name: String::new(),
    };
    OpenEdx { defaults, installation: Installation::default() }
}
