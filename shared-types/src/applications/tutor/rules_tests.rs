#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const DATABASES: &str = "MYSQL_HOST: db.example\nOPENEDX_MYSQL_DATABASE: demo\nOPENEDX_MYSQL_USERNAME: demo\n\
                         OPENEDX_MYSQL_PASSWORD: secret\nMONGODB_HOST: mongo.example\nREDIS_HOST: redis.example\n";

fn of(settings: Value) -> Vec<(String, String)> {
    let found = errors(settings.as_object().unwrap());
    found.into_iter().map(|error| (error.pointer, error.detail)).collect()
}

fn is_refused(name: &str, value: &str, words: &str) {
    let found = of(json!({ name: value }));
    assert_eq!(found.len(), 1, "{name}: {value}: {found:?}");
    assert!(
        found.iter().all(|(pointer, detail)| *pointer == format!("/{name}") && detail.contains(words)),
        "{found:?}"
    );
}

#[test]
fn settings_without_faults_are_accepted() {
    let settings = json!({
        "sub_domain": "demo", "base_domain": "example.org", "email": "contact@example.org", "language": "pt-br",
        "plugins": "mfe indigo notes", "requirements": "tutor-notes==22.0.0", "images_to_build": "openedx",
        "edx_platform_repository_url": "https://github.com/a/edx-platform.git", "edx_platform_commit": "release/verawood.1",
        "databases": DATABASES, "extra_config": "SMTP_HOST: mail.example\nOPENEDX_LMS_UWSGI_WORKERS: 4\n",
    });
    assert_eq!(of(settings), []);
}

#[test]
fn an_instance_does_not_live_at_a_site_of_another_one() {
    for sub_domain in ["studio.demo", "apps.demo", "meilisearch.demo", "preview.demo"] {
        is_refused("sub_domain", sub_domain, "site of its own");
    }
    let long = format!("{}.example", "a".repeat(200));
    let found = of(json!({"sub_domain": "b".repeat(50), "base_domain": long}));
    assert!(found.iter().any(|(_, detail)| detail.contains("these are 271")), "{found:?}");
}

#[test]
fn templates_are_refused_in_every_text() {
    is_refused("extra_config", "A: '{{ LMS_HOST }}'", "`demo.example.org` instead of");
    is_refused("extra_config", "A: {b: [\"{% x %}\"]}", "`A.b.0` looks like a template");
    is_refused("extra_config", "SMTP_PASSWORD: !secret \"a'b\"", "`SMTP_PASSWORD` contains a quote");
    is_refused("language", "{{", "language code");
    is_refused("email", "o'neill@example.org", "contains a quote");
    let given = of(json!({"databases": format!("{DATABASES}MONGODB_PASSWORD: '{{{{ x }}}}'\n")}));
    assert!(given.iter().any(|(_, detail)| detail.contains("`MONGODB_PASSWORD` looks like")), "{given:?}");
}

#[test]
fn extra_configuration_does_not_replace_what_settings_and_secrets_decide() {
    is_refused("extra_config", "LMS_HOST: other.example", "comes from the domain");
    is_refused("extra_config", "OPENEDX_SECRET_KEY: x", "secrets of the instance");
    is_refused("extra_config", "REDIS_HOST: x", "`databases`");
    is_refused("extra_config", "lms_host: x", "upper-case");
}

#[test]
fn databases_are_given_all_or_none() {
    assert_eq!(of(json!({"databases": "# none\n"})), []);
    is_refused(
        "databases",
        "MYSQL_HOST: db.example",
        "Missing: OPENEDX_MYSQL_DATABASE, OPENEDX_MYSQL_USERNAME, \
        OPENEDX_MYSQL_PASSWORD, MONGODB_HOST, REDIS_HOST.",
    );
    for blank in ["", "~", "''", "!secret ''"] {
        let given = DATABASES.replace("redis.example", blank);
        is_refused("databases", &given, "Missing: REDIS_HOST.");
    }
    assert_eq!(of(json!({"databases": DATABASES.replace("secret", "!secret 1234")})), []);
    is_refused("databases", &format!("{DATABASES}MYSQL_ROOT_PASSWORD: x"), "is no key for databases");
    is_refused("databases", &format!("{DATABASES}MYSQL_PORT: [1]"), "text or a number");
}

#[test]
fn code_needs_an_image_that_is_built() {
    let repository = "https://github.com/a/edx-platform.git";
    is_refused("edx_platform_repository_url", repository, "add `openedx` to `images_to_build`");
    is_refused("edx_platform_commit", "main", "Needs");
    let found = of(json!({"edx_platform_repository_url": "git@github.com:a/b.git", "images_to_build": "openedx"}));
    assert!(found.iter().any(|(_, detail)| detail.contains("only an https URL")), "{found:?}");
}

#[test]
fn our_plugin_is_not_listed() {
    is_refused("plugins", "mfe ocim", "always enabled");
}
