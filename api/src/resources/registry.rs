//! The servers of this process by name. A resource is always asked for at the server that its row names.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_types::{ResourceKind, ResourceServerName};

use super::connection::Connection;
use super::objects::{Objects, OpenStore};
use super::server::ResourceServer;

/// A server under its name.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name in the settings, in the rows of its resources and in the API.
    pub name: ResourceServerName,
    /// Makes and deletes accounts and databases.
    pub server: Arc<dyn ResourceServer>,
    /// Whether instances that choose no server of its kind get this one.
    pub is_default: bool,
    /// Whether only one instance may use it.
    pub is_exclusive: bool,
}

/// The servers that the settings name; there may be none.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    all: BTreeMap<ResourceServerName, Named>,
    opener: Option<Arc<dyn OpenStore>>,
}

impl Servers {
    /// These servers; of two with the same name, the second one.
    pub fn new(all: impl IntoIterator<Item = Named>) -> Self {
        Self { all: all.into_iter().map(|one| (one.name.clone(), one)).collect(), opener: None }
    }

    /// The same with what opens stores of objects whose credentials an operator has entered.
    pub fn opening(self, opener: Arc<dyn OpenStore>) -> Self {
        Self { opener: Some(opener), ..self }
    }

    /// The store of objects of these credentials.
    ///
    /// # Errors
    /// Why it cannot be opened, without the password.
    pub fn open(&self, connection: &Connection) -> Result<Arc<dyn Objects>, String> {
        match &self.opener {
            Some(opener) => opener.open(connection),
            None => Err("stores of entered credentials cannot be opened here".to_owned()),
        }
    }

    /// The server of this name; none: the settings have no such server.
    pub fn get(&self, name: &ResourceServerName) -> Option<&Named> {
        self.all.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Named> {
        self.all.values()
    }

    /// Those of a kind: the default one first, then by name.
    pub fn of(&self, kind: ResourceKind) -> Vec<&Named> {
        let mut all: Vec<_> = self.iter().filter(|one| one.server.kind() == kind).collect();
        all.sort_by_key(|one| !one.is_default);
        all
    }

    /// The names of those of a kind, as a list for messages; `none` without any.
    pub fn names(&self, kind: ResourceKind) -> String {
        let names: Vec<_> = self.of(kind).into_iter().map(|one| one.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}
