//! The addresses of a cloud's services, from the catalog that Keystone gives with a token.

use std::collections::BTreeSet;

use serde::Deserialize;
use url::Url;

use super::credentials::Credentials;
use super::error::OpenStackError;
use super::words::choices;

/// A service that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Nova.
    Compute,
    /// Glance.
    Image,
    /// Neutron.
    Network,
    /// Swift.
    ObjectStore,
}

impl Service {
    /// The project that makes it, which operators know it by.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Compute => "Nova",
            Self::Image => "Glance",
            Self::Network => "Neutron",
            Self::ObjectStore => "Swift",
        }
    }

    /// Its type in the catalog.
    const fn kind(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Image => "image",
            Self::Network => "network",
            Self::ObjectStore => "object-store",
        }
    }

    /// The version to append where the catalog's address has none. Those of Nova and Swift have one.
    const fn version(self) -> Option<&'static str> {
        match self {
            Self::Compute | Self::ObjectStore => None,
            Self::Image => Some("v2"),
            Self::Network => Some("v2.0"),
        }
    }
}

/// The catalog of a token.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Catalog(Vec<Entry>);

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Clone, Deserialize)]
struct Endpoint {
    interface: String,
    /// The same as `region`, which older catalogs have alone.
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

impl Endpoint {
    fn region(&self) -> Option<&str> {
        self.region_id.as_deref().or(self.region.as_deref())
    }
}

impl Catalog {
    /// The address of a service, with its version.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] if the catalog has none or several for the region and interface, with the choices.
    pub(super) fn address(&self, service: Service, credentials: &Credentials) -> Result<Url, OpenStackError> {
        let all = self.0.iter().filter(|entry| entry.kind == service.kind()).flat_map(|entry| &entry.endpoints);
        let all: Vec<_> = all.filter(|endpoint| endpoint.interface == credentials.interface).collect();
        let regions: BTreeSet<_> =
            all.iter().map(|endpoint| endpoint.region().unwrap_or_default().to_owned()).collect();
        let region = credentials.region.as_deref();
        let found = all.iter().find(|endpoint| region.is_none() || endpoint.region() == region);
        let Some(found) = found.filter(|_| region.is_some() || regions.len() == 1) else {
            return Err(self.none(service, credentials, regions));
        };
        let wrong = |error| {
            let words = "Keystone's catalog names an address of";
            OpenStackError::Settings(format!("{words} {} that is no URL: {error}", service.name()))
        };
        let mut url = Url::parse(&found.url).map_err(wrong)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let has_version = path.rsplit('/').next().is_some_and(is_version);
        let version = service.version().filter(|_| !has_version).map_or(String::new(), |version| format!("/{version}"));
        url.set_path(&format!("{path}{version}"));
        Ok(url)
    }

    fn none(&self, service: Service, credentials: &Credentials, regions: BTreeSet<String>) -> OpenStackError {
        let Credentials { interface, source, .. } = credentials;
        let name = service.name();
        let words = match (&credentials.region, regions.is_empty()) {
            (_, true) => {
                let kinds = choices(self.0.iter().map(|entry| entry.kind.clone()));
                format!(
                    "the cloud's catalog has no {} ({name}) with the interface `{interface}` ({}); it has: {kinds}",
                    service.kind(),
                    source.shown("OS_INTERFACE")
                )
            }
            (Some(region), false) => format!(
                "{} is `{region}`, where {name} is not; its regions: {}",
                source.shown("OS_REGION_NAME"),
                choices(regions)
            ),
            (None, false) => format!(
                "{name} is in several regions; choose one by {}: {}",
                source.shown("OS_REGION_NAME"),
                choices(regions)
            ),
        };
        OpenStackError::Settings(words)
    }
}

/// `v2`, `v2.1`.
fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    digits.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit() || c == '.'))
}
