//! Reads chains and keys in PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretString};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::names;

/// What a chain says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The host names of its certificate, sorted.
    pub names: Vec<String>,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
}

/// Reads a chain in PEM: the certificate first, then its intermediates.
///
/// # Errors
/// A message that says what is wrong.
pub fn read(chain: &str) -> Result<Facts, String> {
    let all = certificates(chain)?;
    let first = all.first().ok_or("there is no certificate in it")?;
    let (_, parsed) =
        X509Certificate::from_der(first).map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let validity = parsed.validity();
    let time = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or("its validity cannot be read");
    let found = parsed.subject_alternative_name().map_err(|error| format!("its names cannot be read: {error}"))?;
    let dns = |name: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None }
    };
    let found = found.iter().flat_map(|extension| extension.value.general_names.iter()).filter_map(dns);
    let names = names::sorted(found);
    if names.is_empty() {
        return Err("the certificate has no host names".to_owned());
    }
    let (not_before, not_after) = (time(validity.not_before.timestamp())?, time(validity.not_after.timestamp())?);
    if not_before >= not_after {
        return Err("its validity ends before it begins".to_owned());
    }
    Ok(Facts { names, not_before, not_after })
}

/// Checks that a key belongs to the certificate of a chain.
///
/// # Errors
/// A message that says what is wrong, without any part of the key.
pub fn check_key(chain: &str, key: &SecretString) -> Result<(), String> {
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|_| "the key cannot be read")?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|_| "the key is of a kind that is not supported")?;
    let pair = CertifiedKey::new(certificates(chain)?, key);
    pair.keys_match().map_err(|_| "the key does not belong to the certificate".to_owned())
}

/// The certificates in a text, in its order.
pub(super) fn certificates(chain: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>();
    all.map_err(|_| "the certificate cannot be read: it is no PEM".to_owned())
}

/// A new key (ECDSA P-256) in PEM.
///
/// # Errors
/// A message, if the system gives no random bits.
pub(super) fn new_key() -> Result<SecretString, String> {
    let key = rcgen::KeyPair::generate().map_err(|error| format!("no key could be made: {error}"))?;
    Ok(key.serialize_pem().into())
}

/// A certificate signing request in DER for these names.
///
/// # Errors
/// A message that says what is wrong.
pub(super) fn request(names: &[String], key: &SecretString) -> Result<Vec<u8>, String> {
    let wrong = |error: rcgen::Error| format!("the request for the certificate could not be made: {error}");
    let key = rcgen::KeyPair::from_pem(key.expose_secret()).map_err(wrong)?;
    let mut params = rcgen::CertificateParams::new(names.to_vec()).map_err(wrong)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(&key).map_err(wrong)?.der().to_vec())
}

/// The certificates of a text without anything else, such as its key.
///
/// # Errors
/// A message that says what is wrong.
pub(super) fn only_certificates(text: &str) -> Result<String, String> {
    Ok(certificates(text)?.iter().map(|one| armored("CERTIFICATE", one)).collect())
}

/// The first key of a text without anything else.
///
/// # Errors
/// A message that says what is wrong, without any part of the key.
pub(super) fn only_key(text: &str) -> Result<SecretString, String> {
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "the key cannot be read")?;
    let label = match &key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        PrivateKeyDer::Pkcs8(_) => "PRIVATE KEY",
        _ => return Err("the key is of a kind that is not supported".to_owned()),
    };
    Ok(armored(label, key.secret_der()).into())
}

/// DER in PEM.
fn armored(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(64).filter(|_| rest.len() > 64) {
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    format!("{text}{rest}\n-----END {label}-----\n")
}
