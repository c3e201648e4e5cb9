//! Keys of Tutor's configuration, and which setting each belongs to (`tutor/templates/config/{base,defaults}.yml`).

/// The secrets that Tutor would generate on each machine. Instead, each instance has its own.
pub const SECRETS: &[&str] = &[
    "CMS_OAUTH2_SECRET",
    "ID",
    "JWT_RSA_PRIVATE_KEY",
    "MEILISEARCH_API_KEY",
    "MEILISEARCH_API_KEY_UID",
    "MEILISEARCH_MASTER_KEY",
    "MYSQL_ROOT_PASSWORD",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_SECRET_KEY",
];

/// The keys that the setting `databases` may have.
pub const DATABASES: &[&str] = &[
    "MONGODB_AUTH_MECHANISM",
    "MONGODB_AUTH_SOURCE",
    "MONGODB_DATABASE",
    "MONGODB_HOST",
    "MONGODB_PASSWORD",
    "MONGODB_PORT",
    "MONGODB_REPLICA_SET",
    "MONGODB_USERNAME",
    "MONGODB_USE_SSL",
    "MYSQL_HOST",
    "MYSQL_PORT",
    "OPENEDX_CACHE_REDIS_DB",
    "OPENEDX_CELERY_REDIS_DB",
    "OPENEDX_MYSQL_DATABASE",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_MYSQL_USERNAME",
    "REDIS_HOST",
    "REDIS_PASSWORD",
    "REDIS_PORT",
    "REDIS_USERNAME",
];

/// The keys that `databases` must have unless it is blank.
pub const NEEDED: &[&str] = &[
    "MYSQL_HOST",
    "OPENEDX_MYSQL_DATABASE",
    "OPENEDX_MYSQL_USERNAME",
    "OPENEDX_MYSQL_PASSWORD",
    "MONGODB_HOST",
    "REDIS_HOST",
];

/// Keys that are computed from other settings, and where each comes from.
const MADE: &[(&str, &str)] = &[
    ("CADDY_HTTP_PORT", "the gateway"),
    ("CMS_HOST", "the domain"),
    ("CONTACT_EMAIL", "`email`"),
    ("DOCKER_IMAGE_OPENEDX", "`openedx_image`"),
    ("EDX_PLATFORM_REPOSITORY", "`edx_platform_repository_url`"),
    ("EDX_PLATFORM_VERSION", "`edx_platform_commit`"),
    ("ENABLE_HTTPS", "`protocol`"),
    ("ENABLE_WEB_PROXY", "the gateway"),
    ("LANGUAGE_CODE", "`language`"),
    ("LMS_HOST", "the domain"),
    ("MEILISEARCH_HOST", "the domain"),
    ("MFE_DOCKER_IMAGE", "`mfe_image`"),
    ("MFE_HOST", "the domain"),
    ("PLATFORM_NAME", "the name of the instance"),
    ("PLUGINS", "`plugins`"),
    ("PREVIEW_LMS_HOST", "the domain"),
    ("RUN_MONGODB", "`databases`"),
    ("RUN_MYSQL", "`databases`"),
    ("RUN_REDIS", "`databases`"),
];

/// What sets a key that extra configuration may not set; none if it may.
pub fn origin(key: &str) -> Option<&'static str> {
    if DATABASES.contains(&key) {
        return Some("`databases`");
    }
    if SECRETS.contains(&key) {
        return Some("the secrets of the instance, which all its app servers share");
    }
    MADE.iter().find(|(made, _)| *made == key).map(|(_, origin)| *origin)
}

/// Whether a word can be a key: Tutor's are upper-case names.
pub fn is_key(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_settings_and_secrets_have_an_origin() {
        for (key, words) in
            [("LMS_HOST", "domain"), ("REDIS_HOST", "databases"), ("ID", "secrets"), ("PLUGINS", "plugins")]
        {
            assert!(origin(key).is_some_and(|origin| origin.contains(words)), "{key}");
        }
        assert_eq!(origin("SMTP_HOST"), None);
    }

    #[test]
    fn what_databases_need_is_among_what_they_may_hold() {
        assert!(NEEDED.iter().all(|key| DATABASES.contains(key)));
        assert!(SECRETS.iter().chain(DATABASES).all(|key| is_key(key)));
        assert!(!is_key("lms_host") && !is_key("") && !is_key("A-B"));
    }
}
