//! The certificates that servers of resources are verified with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// How connections to a server are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// They are not: the server is on this machine, or the settings say so.
    Off,
    /// Certificate and host name are verified: against these authorities, or the system's.
    Verified(Option<PathBuf>),
}

impl Tls {
    /// Whether connections use TLS.
    pub const fn is_on(&self) -> bool {
        match self {
            Self::Off => false,
            Self::Verified(_) => true,
        }
    }

    /// The certificates of the authorities to trust. Empty without TLS.
    ///
    /// # Errors
    /// A message that names the file and the reason.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        match self {
            Self::Off => Ok(Vec::new()),
            Self::Verified(None) => Ok(rustls_native_certs::load_native_certs().certs),
            Self::Verified(Some(file)) => read(file),
        }
    }

    /// The configuration of a TLS client.
    ///
    /// # Errors
    /// A message that names the file and the reason.
    pub fn client(&self) -> Result<rustls::ClientConfig, String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(self.authorities()?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Ok(config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("`ca_file` {} cannot be used: {error}", file.display());
    let found = CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(|error| bad(&error))?;
    if found.is_empty() { Err(bad(&"it holds no certificate")) } else { Ok(found) }
}
