//! The cache, which is filled before the first launch needs it.

use std::sync::Arc;

use super::report::{say, step};
use super::{StartError, containers, repositories, sandbox};
use crate::ansible::real::AnsibleConfig;
use crate::ansible::virtualenv;
use crate::config::providers::KindSettings;
use crate::config::{ProviderKind, Settings};
use crate::machines::providers::local;
use crate::platform::sandbox::Sandbox;

/// Fills the cache in advance with what a launch needs: the local machines' base tree and the demo's wheels.
///
/// # Errors
/// An error that says what could not be obtained, and what to do.
pub async fn prepare_cache(settings: &Settings) -> Result<(), StartError> {
    let all = settings.providers()?;
    if all.iter().any(|one| one.kind.kind() == ProviderKind::Fake) {
        return Ok(());
    }
    let cache_dir = settings.cache_dir();
    let cannot = |error| {
        format!("the cache {} cannot be written ({error}); choose another with OCIM_CACHE_DIR", cache_dir.display())
    };
    std::fs::create_dir_all(&cache_dir).map_err(cannot)?;
    let local = all.iter().find_map(|one| match &one.kind {
        KindSettings::Local(own) => Some(own),
        KindSettings::Containers(..)
        | KindSettings::OpenStack(_)
        | KindSettings::Command(_)
        | KindSettings::Fake(_) => None,
    });
    if let Some(own) = local {
        let base = own.ocim_local_base.as_deref();
        let tree = local::prepare_tree(&cache_dir, base, &|line| say(format_args!("  {line}")));
        step("Base tree of the local machines", tree).await?;
    }
    for one in &all {
        if let KindSettings::Containers(own, machines) = &one.kind {
            containers::ready((settings, own, machines), &settings.data.ocim_data_dir, "prepare").await?;
        }
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
