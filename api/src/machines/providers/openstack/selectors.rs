//! How the settings select a flavor, an image and a network: by name or id, or by what is needed.

use std::str::FromStr;

use serde::Deserialize;

/// Selects a flavor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlavorSelector {
    /// The one with this name or id.
    Named(String),
    /// The smallest one that has this much. Memory counts first, then CPUs, then disk.
    Smallest {
        /// MB of memory.
        memory_mb: u32,
        /// CPUs.
        vcpus: u32,
        /// GB of root disk.
        disk_gb: u32,
    },
}

/// Selects an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSelector {
    /// The one with this name or id.
    Named(String),
    /// The newest active one whose name begins so.
    Newest(String),
}

/// Selects a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSelector {
    /// The one with this name or id.
    Named(String),
    /// The only one of the project that is not external.
    Only,
}

/// Selects the address of a server that ocim and the gateway use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressSelector {
    /// Which of its addresses.
    pub kind: AddressKind,
    /// Whether IPv6 is preferred to IPv4 where it has both.
    pub prefers_ipv6: bool,
}

/// A kind of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// The floating one, or the fixed one if it has none.
    Any,
    /// That of its port.
    Fixed,
    /// The floating one; without one, it is waited for.
    Floating,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlavorJson {
    name: Option<String>,
    id: Option<String>,
    name_or_id: Option<String>,
    #[serde(alias = "memory_mb")]
    ram: Option<u32>,
    vcpus: Option<u32>,
    #[serde(alias = "disk_gb")]
    disk: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageJson {
    name: Option<String>,
    id: Option<String>,
    name_or_id: Option<String>,
    name_prefix: Option<String>,
}

impl FromStr for FlavorSelector {
    type Err = String;

    /// A name or id, or JSON with one (`{"name": "m1.medium"}`) or with least sizes (`{"ram": 4096, "disk": 40}`).
    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str =
            "must be a flavor's name or id, or JSON with `name`, `id`, or any of `ram` (MB), `vcpus` and `disk` (GB)";
        let Some(json) = json::<FlavorJson>(text, FORMS)? else { return name(text, FORMS).map(Self::Named) };
        let sizes = json.ram.is_some() || json.vcpus.is_some() || json.disk.is_some();
        match (json.name.or(json.id).or(json.name_or_id), sizes) {
            (Some(text), false) => name(&text, FORMS).map(Self::Named),
            (None, true) => Ok(Self::Smallest {
                memory_mb: json.ram.unwrap_or(0),
                vcpus: json.vcpus.unwrap_or(0),
                disk_gb: json.disk.unwrap_or(0),
            }),
            (Some(_), true) | (None, false) => Err(FORMS.to_owned()),
        }
    }
}

impl FromStr for ImageSelector {
    type Err = String;

    /// A name or id, a name's beginning with `*` after it, or JSON with `name`, `id` or `name_prefix`.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "must be an image's name or id, the beginning of a name with `*` after it, or JSON with \
                             `name`, `id` or `name_prefix`";
        let Some(json) = json::<ImageJson>(text, FORMS)? else {
            return match text.trim().strip_suffix('*') {
                Some(prefix) => name(prefix, FORMS).map(Self::Newest),
                None => name(text, FORMS).map(Self::Named),
            };
        };
        match (json.name.or(json.id).or(json.name_or_id), json.name_prefix) {
            (Some(text), None) => name(&text, FORMS).map(Self::Named),
            (None, Some(prefix)) => name(&prefix, FORMS).map(Self::Newest),
            (Some(_), Some(_)) | (None, None) => Err(FORMS.to_owned()),
        }
    }
}

impl NetworkSelector {
    /// The network of this name or id; without any, the only one.
    pub fn of(setting: Option<&str>) -> Self {
        match setting.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Self::Named(name.to_owned()),
            None => Self::Only,
        }
    }
}

/// The JSON of a selector; none: the text is a name.
fn json<T: serde::de::DeserializeOwned>(text: &str, forms: &str) -> Result<Option<T>, String> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|error| format!("{forms}: {error}"))
}

fn name(text: &str, forms: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > 255 || text.contains(char::is_control) {
        return Err(forms.to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn flavors_are_named_or_measured() {
        let read = |text: &str| text.parse::<FlavorSelector>();
        let smallest = |memory_mb, vcpus, disk_gb| Ok(FlavorSelector::Smallest { memory_mb, vcpus, disk_gb });
        assert_eq!(read(r#"{"ram": 4096, "disk": 40}"#), smallest(4096, 0, 40));
        assert_eq!(read(r#"{"memory_mb": 1, "vcpus": 2, "disk_gb": 3}"#), smallest(1, 2, 3));
        for named in ["m1.small", " m1.small ", r#"{"name": "m1.small"}"#, r#"{"id": "m1.small"}"#] {
            assert_eq!(read(named), Ok(FlavorSelector::Named("m1.small".into())), "{named}");
        }
        for wrong in ["", "{}", r#"{"ram": "4096"}"#, r#"{"cores": 2}"#, r#"{"name": "a", "ram": 1}"#, "a\nb", "{"] {
            assert!(read(wrong).unwrap_err().starts_with("must be a flavor's name or id"), "{wrong}");
        }
    }

    #[test]
    fn images_are_named_or_begin_so() {
        let read = |text: &str| text.parse::<ImageSelector>();
        assert_eq!(read("debian-12*"), Ok(ImageSelector::Newest("debian-12".into())));
        assert_eq!(read(r#"{"name_prefix": "debian-12"}"#), Ok(ImageSelector::Newest("debian-12".into())));
        assert_eq!(read(r#"{"name_or_id": "ubuntu"}"#), Ok(ImageSelector::Named("ubuntu".into())));
        assert_eq!(read("ubuntu"), Ok(ImageSelector::Named("ubuntu".into())));
        for wrong in ["*", "", "{}", r#"{"name": ""}"#, r#"{"name": "a", "name_prefix": "b"}"#] {
            assert!(read(wrong).unwrap_err().starts_with("must be an image's name or id"), "{wrong}");
        }
    }

    #[test]
    fn without_a_name_the_only_network_is_meant() {
        assert_eq!(NetworkSelector::of(None), NetworkSelector::Only);
        assert_eq!(NetworkSelector::of(Some(" ")), NetworkSelector::Only);
        assert_eq!(NetworkSelector::of(Some("net")), NetworkSelector::Named("net".into()));
    }
}
