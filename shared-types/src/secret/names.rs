//! Which names are those of secrets.

/// A variable is secret when its name contains one of these; case and separators do not count.
const WORDS: &[&str] = &[
    "accesskey",
    "access_key",
    "apikey",
    "api_key",
    "basic_auth",
    "connection_string",
    "credential",
    "fernet",
    "pass",
    "private_key",
    "private_signing",
    "privatekey",
    "privkey",
    "secret",
    "token",
    "webhook",
];
/// A variable is also secret when one of its words is one of these.
const WHOLE_WORDS: &[&str] = &["bearer", "dsn", "hmac", "pw", "pwd", "salt", "salts"];
/// It is also secret when a word is one of these, or it ends with `_key` or `_keys`, unless it names a public key.
const KEY_WORDS: &[&str] = &["jwk", "jwks", "keys", "signing"];
/// Words in names that are about keys but are not secret.
const PUBLIC_WORDS: &[&str] = &["algorithm", "alg", "pub", "public"];
/// Endings of names whose keys are those of tables, caches and queues.
const DATA_KEYS: &[&str] = &[
    "_allowed_keys",
    "_cache_key",
    "_foreign_key",
    "_foreign_keys",
    "_missing_keys",
    "_partition_key",
    "_primary_key",
    "_primary_keys",
    "_required_keys",
    "_routing_key",
    "_sort_key",
    "_sort_keys",
];
/// Words that also occur in names about a service: the credentials service, and lifetimes and addresses of tokens.
const ABOUT_SERVICES: &[&str] = &["credential", "token"];
/// What such a name ends with when it is about the service, and not a credential.
const ORDINARY_ENDINGS: &[&str] = &[
    "_algorithm",
    "_days",
    "_dir",
    "_domain",
    "_enabled",
    "_endpoint",
    "_expiration",
    "_host",
    "_hostname",
    "_languages",
    "_origins",
    "_port",
    "_root",
    "_seconds",
    "_timeout",
    "_uri",
    "_url",
    "_urls",
    "_version",
    "_whitelist",
];

/// Whether a variable of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().map(|letter| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }).collect();
    let is_ordinary = ORDINARY_ENDINGS.iter().any(|ending| name.ends_with(ending));
    let has_word = WORDS.iter().any(|word| name.contains(word) && !(is_ordinary && ABOUT_SERVICES.contains(word)));
    has_word || name.split('_').any(|part| WHOLE_WORDS.contains(&part)) || is_key(&name)
}

fn is_key(name: &str) -> bool {
    let is_about_keys = name.ends_with("_key")
        || name.ends_with("_keys")
        || name.split('_').any(|part| KEY_WORDS.contains(&part) && part != "keys");
    let is_public = name.split('_').any(|part| PUBLIC_WORDS.contains(&part));
    let whole = format!("_{name}");
    is_about_keys && !is_public && !DATA_KEYS.iter().any(|ending| whole.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_in_real_configurations_are_known() {
        for name in [
            "ANALYTICS_API_AUTH_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "COMMON_HTPASSWD_PASS",
            "COMMON_MYSQL_MIGRATE_PASS",
            "CREDENTIALS_BACKEND_SERVICE_EDX_OAUTH2_SECRET",
            "CREDENTIALS_MYSQL_PASSWORD",
            "CREDENTIALS_SECRET_KEY",
            "EDXAPP_CREDIT_PROVIDER_SECRET_KEYS",
            "EDXAPP_FERNET_KEYS",
            "EDXAPP_JWT_PRIVATE_SIGNING_JWK",
            "EDXAPP_MYSQL_PASSWORD",
            "EDXAPP_PARSE_KEYS",
            "EDXAPP_RETIRED_USER_SALTS",
            "EDXAPP_SOCIAL_AUTH_SAML_SP_PRIVATE_KEY",
            "EDXAPP_SWIFT_TEMP_URL_KEY",
            "EDXAPP_XQUEUE_BASIC_AUTH",
            "FLOWER_BASIC_AUTH",
            "FORUM_NEW_RELIC_LICENSE_KEY",
            "HOTG_APITOKEN_ENCRYPTION_KEYS",
            "JENKINS_GHPRB_SHARED_SECRET",
            "JWT_RSA_PRIVATE_KEY",
            "MEILISEARCH_MASTER_KEY",
            "NEWRELIC_LICENCE_KEY",
            "RETIREMENT_SALT",
            "SENTRY_DSN",
            "SENTRY_DSN_FRONTEND",
            "SLACK_WEBHOOK_URL",
            "AZURE_CONNECTION_STRING",
            "db_pwd",
            "ssh-passphrase",
            "clientSecret",
            "privateKey",
            "JWKS",
        ] {
            assert!(is_secret_name(name), "{name} is not masked");
        }
    }

    #[test]
    fn names_of_ordinary_settings_in_real_configurations_stay_readable() {
        for name in [
            "COMMON_JWT_PUBLIC_SIGNING_JWK_SET",
            "COMMON_SSH_PUBLIC_KEY",
            "COMMON_UBUNTU_APT_KEYSERVER",
            "CREDENTIALS_DOMAIN",
            "CREDENTIALS_LMS_URL_ROOT",
            "CREDENTIALS_MYSQL_HOST",
            "CREDENTIALS_VERSION",
            "EDXAPP_ACE_ROUTING_KEY",
            "EDXAPP_BULK_EMAIL_ROUTING_KEY_SMALL_JOBS",
            "EDXAPP_CREDENTIALS_PUBLIC_SERVICE_URL",
            "EDXAPP_JWT_PUBLIC_SIGNING_JWK_SET",
            "EDXAPP_JWT_SIGNING_ALGORITHM",
            "EDXAPP_MONGO_AUTH_DB",
            "EDXAPP_SITE_NAME",
            "EDXAPP_SOCIAL_AUTH_SAML_SP_PUBLIC_CERT",
            "EDXAPP_SWIFT_AUTH_URL",
            "KEYBOARD",
            "MONKEY",
            "NGINX_DH_KEYSIZE",
            "PRIMARY_KEYS",
            "PUBLIC_KEYS",
            "USER_FAIL_MISSING_KEYS",
            "cache_key_prefix",
            "edx_platform_repo",
            "oauth2_proxy_client_id",
            "saltstack_master",
        ] {
            assert!(!is_secret_name(name), "{name} is masked");
        }
    }
}
