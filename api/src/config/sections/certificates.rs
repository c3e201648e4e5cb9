use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::address;
use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// Certificates of the instances' host names, which the gateways serve; see [certificates.md](certificates.md).
    pub struct Certificates = "Certificates";

    /// Where certificates come from. `none`: the gateways have none, or a proxy in front of them does. `acme`: one for
    /// each instance whose protocol is `https` is ordered from a certificate authority, and renewed. `files`: they are read
    /// from `OCIM_CERTIFICATE_DIR`.
    ocim_certificates: CertificatesFrom = CertificatesFrom::None;
    /// The URL of the certificate authority's directory (ACME). The default is Let's Encrypt's staging, whose certificates
    /// browsers do not trust, and whose limits are wide: change it to
    /// `https://acme-v02.api.letsencrypt.org/directory` once orders succeed.
    ocim_acme_directory: String = "https://acme-staging-v02.api.letsencrypt.org/directory".into();
    /// The mail address that the certificate authority may write to.
    ocim_acme_contact: Option<String> = None;
    /// Whether you agree to the terms of service of the certificate authority. Required with `OCIM_CERTIFICATES=acme`.
    ocim_acme_agree_to_terms: bool = false;
    /// A file with the certificates, in PEM, that the authority's own web server is verified with.
    ocim_acme_ca_file: Option<PathBuf> = None, unset("the system's authorities");
    /// How the authority verifies that the names lead here. `http`: the gateways answer at port 80 of each name
    /// (HTTP-01). `dns`: a TXT record of each name (DNS-01), which needs the right to change the zone.
    ocim_acme_challenge: AcmeChallenge = AcmeChallenge::Http;
    /// The id of the key that binds the account to one that you have at the authority (external account binding). Only
    /// some authorities ask for it.
    ocim_acme_external_account: Option<String> = None;
    /// The key that `OCIM_ACME_EXTERNAL_ACCOUNT` names: base64url, as the authority gave it.
    ocim_acme_external_account_key: Option<SecretString> = None;
    /// The directory of certificates with `OCIM_CERTIFICATES=files`: chain and key in `NAME.pem`, or the chain in
    /// `NAME.crt` and the key in `NAME.key`. It is read every minute.
    ocim_certificate_dir: Option<PathBuf> = None;
}

impl Certificates {
    /// Checks what settings need of each other.
    ///
    /// # Errors
    /// A message that names the settings, and says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self.ocim_certificates {
            CertificatesFrom::None => Ok(()),
            CertificatesFrom::Files if self.ocim_certificate_dir.is_none() => {
                Err("OCIM_CERTIFICATES is files, and OCIM_CERTIFICATE_DIR names no directory; set it".to_owned())
            }
            CertificatesFrom::Files => Ok(()),
            CertificatesFrom::Acme => self.check_acme(),
        }
    }

    fn check_acme(&self) -> Result<(), String> {
        address::protected_url("OCIM_ACME_DIRECTORY", &self.ocim_acme_directory)?;
        if !self.ocim_acme_agree_to_terms {
            return Err(
                "OCIM_CERTIFICATES is acme, and OCIM_ACME_AGREE_TO_TERMS is not true; read the terms of service of the \
                 authority, and set it if you agree"
                    .to_owned(),
            );
        }
        if let Some(contact) = &self.ocim_acme_contact {
            let is_address = |(name, host): (&str, &str)| !name.is_empty() && host.contains('.');
            if !contact.split_once('@').is_some_and(is_address) || contact.contains([' ', ',', ':', '?']) {
                return Err(format!("OCIM_ACME_CONTACT is “{contact}”; it must be one mail address"));
            }
        }
        match (&self.ocim_acme_external_account, &self.ocim_acme_external_account_key) {
            (Some(_), None) => {
                Err("OCIM_ACME_EXTERNAL_ACCOUNT is set, and OCIM_ACME_EXTERNAL_ACCOUNT_KEY is not; set both".to_owned())
            }
            (None, Some(_)) => {
                Err("OCIM_ACME_EXTERNAL_ACCOUNT_KEY is set, and OCIM_ACME_EXTERNAL_ACCOUNT is not; set both".to_owned())
            }
            (None, None) | (Some(_), Some(_)) => Ok(()),
        }
    }
}

/// Where certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificatesFrom {
    /// There are none.
    None,
    /// A certificate authority.
    Acme,
    /// A directory of files.
    Files,
}

impl Setting for CertificatesFrom {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

/// How the authority verifies that names lead here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcmeChallenge {
    /// By an answer of the gateways (HTTP-01).
    Http,
    /// By a TXT record (DNS-01).
    Dns,
}

impl Setting for AcmeChallenge {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}
