//! The cache, which is filled before the first launch needs it.

use std::sync::Arc;

use super::report::{say, step};
use super::{StartError, containers, repositories, sandbox};
use crate::ansible::real::AnsibleConfig;
use crate::ansible::virtualenv;
use crate::config::{ProviderKind, Settings};
use crate::machines::providers::local::base_tree;
use crate::platform::sandbox::Sandbox;

/// Fills the cache in advance with what a launch needs: the local machines' base tree and the demo's wheels.
///
/// # Errors
/// An error that says what could not be obtained, and what to do.
pub async fn prepare_cache(settings: &Settings) -> Result<(), StartError> {
    let kind = containers::provider_kind(settings, &settings.data.ocim_data_dir).await?;
    let has_local_machines = match kind {
        ProviderKind::Fake => return Ok(()),
        ProviderKind::Local => true,
        ProviderKind::OpenStack | ProviderKind::Command | ProviderKind::Containers => false,
    };
    let cache_dir = settings.cache_dir();
    let cannot = |error| {
        format!("the cache {} cannot be written ({error}); choose another with OCIM_CACHE_DIR", cache_dir.display())
    };
    std::fs::create_dir_all(&cache_dir).map_err(cannot)?;
    if has_local_machines {
        let tree = base_tree::ensure(&cache_dir, &|line| say(format_args!("  {line}")));
        step("Base tree of the local machines", tree).await?;
    }
    if kind == ProviderKind::Containers {
        containers::prepare(settings).await?;
    }
    let ansible = ansible_config(settings, sandbox::open(settings)?);
    let mut told = |line: &str| say(format_args!("  {line}"));
    let requirements = repositories::requirements();
    let wheels = virtualenv::fill_wheels(&ansible, &requirements, &mut told);
    step("Ansible's wheels", wheels).await
}

pub(super) fn ansible_config(settings: &Settings, sandbox: Arc<Sandbox>) -> AnsibleConfig {
    AnsibleConfig { cache_dir: settings.cache_dir(), pythons: settings.pythons(), sandbox }
}
