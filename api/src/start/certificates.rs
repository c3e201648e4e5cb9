//! The certificate authority, as the settings say. It is not asked at the start: one that is away prevents none.

use std::sync::Arc;

use super::StartError;
use crate::certificates::acme::{Acme, AcmeSettings};
use crate::certificates::advance::{Answers, Parts};
use crate::certificates::files::Files;
use crate::certificates::limits::Limits;
use crate::certificates::{Certifier, Pace};
use crate::config::Settings;
use crate::config::sections::{AcmeChallenge, CertificatesFrom};
use crate::dns::Names;
use crate::instances::Manager;
use crate::instances::names::challenges::ZoneChallenges;
use crate::instances::traffic::authority_answers::GatewayAnswers;
use crate::platform::db::Db;
use crate::platform::vault::Keyring;

/// What gets certificates from the authority; none: the settings name none.
///
/// # Errors
/// An error that names the setting, and says what is wrong.
pub(super) fn certifier(
    settings: &Settings,
    manager: &Manager,
    names: &Names,
) -> Result<Option<Arc<Certifier>>, StartError> {
    let own = &settings.certificates;
    match own.ocim_certificates {
        CertificatesFrom::None | CertificatesFrom::Files => return Ok(None),
        CertificatesFrom::Acme => {}
    }
    let (db, directory) = (manager.db.clone(), own.ocim_acme_directory.clone());
    let answers = match (own.ocim_acme_challenge, names.dns.clone()) {
        (AcmeChallenge::Http, _) => {
            Answers::Http(Arc::new(GatewayAnswers { db: db.clone(), traffic: manager.traffic.clone() }))
        }
        (AcmeChallenge::Dns, Some(dns)) => {
            Answers::Dns(Arc::new(ZoneChallenges { dns, resolver: names.resolver.clone() }))
        }
        (AcmeChallenge::Dns, None) => {
            return Err(
                "OCIM_ACME_CHALLENGE is dns, and OCIM_DNS is none, so that ocim can change no zone; set OCIM_DNS to a \
                        provider (docs/dns.md), or OCIM_ACME_CHALLENGE to http"
                    .into(),
            );
        }
    };
    let external = own.ocim_acme_external_account.clone().zip(own.ocim_acme_external_account_key.clone());
    let authority = Acme::new(AcmeSettings {
        directory: directory.clone(),
        contact: own.ocim_acme_contact.clone(),
        agrees_to_terms: own.ocim_acme_agree_to_terms,
        ca_file: own.ocim_acme_ca_file.clone(),
        external_account: external,
    })?;
    let (keyring, authority) = (manager.options.keyring.clone(), Arc::new(authority));
    let limits = Limits::of(&directory);
    Ok(Some(Arc::new(Certifier::new(Parts { db, keyring, authority, answers, limits, pace: Pace::default() }))))
}

/// What reads certificates from files; none: the settings name no directory.
pub(super) fn files(settings: &Settings, db: &Db, keyring: &Keyring) -> Option<Arc<Files>> {
    let own = &settings.certificates;
    let directory = own.ocim_certificate_dir.clone().filter(|_| own.ocim_certificates == CertificatesFrom::Files)?;
    Some(Arc::new(Files::new(db.clone(), keyring.clone(), directory)))
}
