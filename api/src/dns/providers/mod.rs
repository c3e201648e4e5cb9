//! Who writes records.

pub mod gandi;
pub mod rfc2136;

use std::sync::Arc;

use super::port::Dns;
use crate::config::dns::{NameSettings, Writer};

/// Opens the provider of the settings; none: records are set by an operator. It is not asked.
///
/// # Errors
/// A message that names the setting.
pub fn open(settings: NameSettings) -> Result<Option<Arc<dyn Dns>>, String> {
    let NameSettings { target: _, writer, zones, ttl, resolver: _ } = settings;
    Ok(match writer {
        None => None,
        Some(Writer::Gandi { url, token, expires }) => {
            Some(Arc::new(gandi::Gandi::new(gandi::Account { url, token, expires }, zones, ttl)?))
        }
        Some(Writer::Rfc2136 { server, key }) => Some(Arc::new(rfc2136::Rfc2136::new(server, &key, zones, ttl)?)),
    })
}
