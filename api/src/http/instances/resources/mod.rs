//! Operations on what an instance has outside its machines.

mod choose;
mod credentials;
mod list;
mod rotate;

pub use choose::choose_resources;
pub use credentials::show_resource_credentials;
pub use list::list_resources;
pub use rotate::rotate_resource_password;

use serde::Deserialize;
use shared_types::{InstanceId, ResourceKind};

/// An instance, and a kind of its resources.
#[derive(Debug, Deserialize)]
pub struct OfKind {
    id: InstanceId,
    kind: ResourceKind,
}

impl OfKind {
    fn pair(&self) -> (InstanceId, ResourceKind) {
        (self.id, self.kind)
    }
}
