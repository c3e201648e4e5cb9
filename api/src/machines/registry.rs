//! The providers of this process by name. A machine is always asked for at the provider that its row names.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_types::ProviderName;

use super::provider::Provider;

/// A provider under its name.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name in the settings, in the rows of its machines and in the API.
    pub name: ProviderName,
    /// Creates and deletes the machines.
    pub provider: Arc<dyn Provider>,
    /// The most machines that it may have at a time; none: only the provider itself limits them.
    pub budget: Option<u32>,
}

/// The providers that the settings name; never empty.
#[derive(Debug, Clone)]
pub struct Providers {
    default: Named,
    /// The others, by name.
    others: BTreeMap<ProviderName, Named>,
}

impl Providers {
    /// A single provider, named after its kind, without a budget.
    pub fn single(provider: Arc<dyn Provider>) -> Self {
        Self::new(Named { name: provider.kind().into(), provider, budget: None }, [])
    }

    /// The default one, for instances that choose none, and the others.
    pub fn new(default: Named, others: impl IntoIterator<Item = Named>) -> Self {
        let others = others.into_iter().filter(|other| other.name != default.name);
        Self { others: others.map(|other| (other.name.clone(), other)).collect(), default }
    }

    /// The provider of instances that choose none.
    pub fn default(&self) -> &Named {
        &self.default
    }

    /// The provider of this name; none: the settings have no such provider.
    pub fn get(&self, name: &ProviderName) -> Option<&Named> {
        if *name == self.default.name { Some(&self.default) } else { self.others.get(name) }
    }

    /// The provider that an instance has chosen, or the default one. None: the settings do not have the chosen one.
    pub fn chosen(&self, choice: Option<&ProviderName>) -> Option<&Named> {
        choice.map_or(Some(&self.default), |name| self.get(name))
    }

    /// All, the default one first.
    pub fn iter(&self) -> impl Iterator<Item = &Named> {
        std::iter::once(&self.default).chain(self.others.values())
    }

    /// The names of all, the default one first: `local, frankfurt`.
    pub fn names(&self) -> String {
        self.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
