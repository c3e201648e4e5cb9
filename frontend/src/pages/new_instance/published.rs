//! What the server says of the application types.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::applications::ApplicationType;
use shared_types::instance_type::{InstanceType, InstanceTypes};

use crate::api;

/// The server's description of the types; none until it has arrived. The form also works without: the server fills in
/// its defaults.
#[derive(Debug, Clone, Copy)]
pub struct Published(RwSignal<Option<InstanceTypes>>);

impl Published {
    pub fn fetch() -> Self {
        let types = RwSignal::new(None);
        spawn_local(async move {
            if let Ok(published) = api::instances::types().await {
                types.try_set(Some(published));
            }
        });
        Self(types)
    }

    /// Reads the description of a type; the default as long as there is none.
    pub fn of<T: Default>(self, kind: &ApplicationType, read: impl FnOnce(&InstanceType) -> T) -> T {
        self.0.with(|types| {
            let described = types.iter().flat_map(|types| &types.items).find(|it| it.instance_type == kind.word);
            described.map(read).unwrap_or_default()
        })
    }

    /// The public URL of a host name; the host name alone as long as the URL is not known.
    pub fn url(self, protocol: &str, hostname: &str) -> String {
        self.0.with(|types| match types {
            Some(types) => types.public_urls.url(protocol, hostname),
            None => hostname.to_owned(),
        })
    }
}
