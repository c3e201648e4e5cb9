//! The secrets of an instance, instead of those that Tutor would generate on each machine
//! (`tutor/templates/config/base.yml`, the same nine from sumac to verawood).

use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use shared_types::yaml::typed;

use crate::instances::application::{ApplicationError, SecretKind, SecretSpec};

const MASTER_KEY: &str = "MEILISEARCH_MASTER_KEY";
const KEY_UID: &str = "MEILISEARCH_API_KEY_UID";
const API_KEY: &str = "MEILISEARCH_API_KEY";

/// The generated secrets of each instance. The ninth secret is computed from two of them.
pub(super) const SPECS: &[SecretSpec] = &[
    SecretSpec { name: "CMS_OAUTH2_SECRET", kind: SecretKind::Letters(24) },
    SecretSpec { name: "ID", kind: SecretKind::Letters(24) },
    SecretSpec { name: "JWT_RSA_PRIVATE_KEY", kind: SecretKind::Rsa(2048) },
    SecretSpec { name: MASTER_KEY, kind: SecretKind::Letters(24) },
    SecretSpec { name: KEY_UID, kind: SecretKind::Uuid },
    SecretSpec { name: "MYSQL_ROOT_PASSWORD", kind: SecretKind::Letters(24) },
    SecretSpec { name: "OPENEDX_MYSQL_PASSWORD", kind: SecretKind::Letters(24) },
    SecretSpec { name: "OPENEDX_SECRET_KEY", kind: SecretKind::Letters(24) },
];

/// All nine as values of Tutor's configuration, each marked as secret independently of its name.
///
/// # Errors
/// [`ApplicationError`] if a secret of this instance is missing.
pub(super) fn config(secrets: &Map<String, Value>) -> Result<Map<String, Value>, ApplicationError> {
    let of = |name: &str| {
        // The instance's secrets carry the mark for secret values.
        let found = secrets.get(name).and_then(Value::as_str).map(|text| typed::scalar(text).text);
        let found = found.filter(|text| !text.is_empty());
        found.ok_or_else(|| ApplicationError(format!("The instance has no secret {name}.")))
    };
    let mut config = Map::new();
    for spec in SPECS {
        config.insert(spec.name.to_owned(), typed::marked(of(spec.name)?.into()));
    }
    config.insert(API_KEY.to_owned(), typed::marked(api_key(of(MASTER_KEY)?, of(KEY_UID)?)?.into()));
    Ok(config)
}

/// Computes Meilisearch's own key for this UID: HMAC-SHA-256 of the UID under the master key, in hexadecimal.
fn api_key(master_key: &str, uid: &str) -> Result<String, ApplicationError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(master_key.as_bytes())
        .map_err(|error| ApplicationError(format!("{MASTER_KEY}: {error}.")))?;
    mac.update(uid.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use shared_types::applications::tutor::keys;

    use super::*;
    use crate::applications::tutor::testing::secrets;

    #[test]
    fn an_instance_has_all_nine_secrets_and_each_is_marked() {
        let config = config(&secrets()).unwrap();
        let mut names: Vec<_> = config.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, keys::SECRETS);
        assert!(config.values().all(|value| typed::scalar(value.as_str().unwrap()).is_secret));
    }

    #[test]
    fn the_search_key_is_what_tutor_computes() {
        // Computed by `tutor.utils.uid_master_hash` of Tutor 22.0.3.
        let expected = "1c1160a6ac0483e0ecd63d36f4ea80890dd03f1d97288674983da3bd3de9bd51";
        assert_eq!(
            api_key("AbCdEfGhIjKlMnOpQrStUvWx", "0b2f6c9e-3f0a-4c58-9f0e-5a1d0d6f7b21"),
            Ok(expected.to_owned())
        );
    }

    #[test]
    fn a_missing_secret_is_named() {
        let mut secrets = secrets();
        secrets.remove("OPENEDX_SECRET_KEY");
        assert_eq!(config(&secrets).unwrap_err().0, "The instance has no secret OPENEDX_SECRET_KEY.");
    }
}
