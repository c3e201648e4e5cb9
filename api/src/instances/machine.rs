//! Whether the provider's machines are what an application needs.

use serde_json::Value;
use shared_types::ProviderName;
use shared_types::applications::{ApplicationType, MachineNeeds};

use super::application::Application;
use super::{Manager, Refusal};
use crate::machines::registry::Named;

/// Refuses a launch that no machine of the provider could serve.
///
/// # Errors
/// [`Refusal::Conflict`] with what is missing; [`Refusal::Application`] if the settings cannot be used.
pub(super) fn check(provider: &Named, application: &dyn Application, settings: &Value) -> Result<(), Refusal> {
    match missing(provider, application.kind(), application.machine(settings)?) {
        None => Ok(()),
        Some(words) => Err(Refusal::Conflict(words)),
    }
}

/// The provider that an instance has chosen, or the default one.
///
/// # Errors
/// [`Refusal::Conflict`] if the settings do not have the chosen one.
pub(super) fn chosen<'a>(manager: &'a Manager, choice: Option<&ProviderName>) -> Result<&'a Named, Refusal> {
    manager.providers.chosen(choice).ok_or_else(|| {
        let name = choice.map_or("", ProviderName::as_str);
        Refusal::Conflict(format!(
            "The instance's provider is `{name}`, which the settings do not have; choose another ({}), or none for the \
             default one.",
            manager.providers.names()
        ))
    })
}

/// What the provider's machines lack, as a message; None if they lack nothing.
pub fn missing(provider: &Named, kind: &ApplicationType, needs: MachineNeeds) -> Option<String> {
    let MachineNeeds { memory_mb, disk_gb, has_own_kernel } = needs;
    let offer = provider.provider.offers();
    let mut missing = Vec::new();
    if has_own_kernel && !offer.has_own_kernel {
        missing.push("a kernel of its own".to_owned());
    }
    if offer.memory_mb.is_some_and(|offered| offered < memory_mb) {
        missing.push(format!("{memory_mb} MB of memory"));
    }
    if offer.disk_gb.is_some_and(|offered| offered < disk_gb) {
        missing.push(format!("{disk_gb} GB of disk"));
    }
    (!missing.is_empty()).then(|| {
        format!(
            "{} needs a machine with {}, which machines of the provider `{}` do not have. Choose another provider for the instance, \
             or use another by default (OCIM_PROVIDER).",
            kind.label,
            missing.join(" and "),
            provider.name
        )
    })
}
