//! The settings that tests and benches run the program with.

use std::path::Path;
use std::time::Duration;

use ocim::applications::openedx::{Defaults, Installation, OpenEdx};
use ocim::config::Settings;
use ocim::git::sources::Sources;
use ocim::instances::Options;
use ocim::platform::vault::Keyring;
use ocim::start;
use shared_types::applications::openedx::Protocol;

/// The program's default options, with these limits of waiting.
pub fn options(runs_dir: &Path, patience: Duration, poll: Duration) -> Options {
    Options {
        runs_dir: runs_dir.to_owned(),
        cache_dir: runs_dir.join("cache"),
        min_free_mb: 0,
        pin_timeout: patience,
        machine_timeout: patience,
        checkout_timeout: patience,
        resources_timeout: patience,
        snapshot_timeout: patience,
        reboot_timeout: patience,
        checks_timeout: patience,
        line_timeout: patience,
        global_timeout: patience,
        poll,
        sources: Sources::new(["https://*", "/srv/examples"], Vec::new()).unwrap(),
        ..start::options(&Settings::default(), runs_dir, keyring()).unwrap()
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
