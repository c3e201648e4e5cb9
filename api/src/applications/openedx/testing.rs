//! Helpers shared by the tests of this folder.

use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::applications::openedx::Protocol;

use super::{Defaults, Installation, OpenEdx};

pub(super) fn open_edx() -> OpenEdx {
    OpenEdx {
        defaults: Defaults {
            base_domain: "campus.example".into(),
            email: "contact@example.com".into(),
            protocol: Protocol::Https,
            configuration_source_repo_url: "https://git.example/edx/configuration.git".into(),
            configuration_version: "release-1".into(),
            configuration_playbook: "playbooks/openedx_native.yml".into(),
            configuration_requirements: "requirements.txt".into(),
            edx_platform_repository_url: "https://git.example/edx/edx-platform.git".into(),
            openedx_release: "master".into(),
            use_ephemeral_databases: true,
            github_admin_organization_name: "open-craft".into(),
        },
        installation: Installation::default(),
    }
}

pub(super) fn sample() -> OpenEdxSettings {
    OpenEdxSettings {
        sub_domain: "astro".into(),
        base_domain: "campus.example".into(),
        email: "astro@campus.example".into(),
        protocol: Protocol::Https,
        configuration_source_repo_url: "https://git.example/edx/configuration.git".into(),
        configuration_version: "configuration-1".into(),
        configuration_playbook: "playbooks/openedx_native.yml".into(),
        configuration_requirements: "requirements.txt".into(),
        configuration_extra_settings: String::new(),
        edx_platform_repository_url: "https://git.example/astro/edx-platform.git".into(),
        edx_platform_commit: "astro-branch".into(),
        openedx_release: "open-release/quince.3".into(),
        use_ephemeral_databases: true,
        github_admin_organization_name: "open-craft".into(),
    }
}
