//! Credentials of private repositories: added, listed without their secrets, used for their source only, deleted.

use ocim::git::credentials::{Credential, Credentials as _};
use ocim::git::source_credentials::StoredCredentials;
use ocim::machines::key::KeyPair;
use ocim::platform::vault::{self, Keyring};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared_types::Role;

use crate::app::TestApp;

const PATH: &str = "/api/v1/source-credentials";
const TOKEN: &str = "glpat-0123456789abcdef";
const HOSTS: &str = "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0";

fn private_key() -> String {
    KeyPair::generate().unwrap().private().expose_secret().to_owned()
}

fn token(source: &str, secret: &str) -> Value {
    json!({ "source": source, "kind": "token", "secret": secret })
}

fn stored(app: &TestApp) -> StoredCredentials {
    StoredCredentials { db: app.db.clone(), keyring: app.manager.options.keyring.clone() }
}

#[tokio::test]
async fn a_credential_is_listed_without_its_secret_and_deleted() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let made = admin.post(PATH, token("https://Git.Example/acme/*", TOKEN)).await;
    insta::assert_json_snapshot!(made.expect(201), { ".created" => "[time]", ".created_by" => "[user]" }, @r#"
    {
      "id": 1,
      "source": "https://git.example/acme/*",
      "kind": "token",
      "username": "git",
      "known_hosts": null,
      "created_by": "[user]",
      "created": "[time]"
    }
    "#);
    let secret = private_key();
    let key =
        json!({ "source": "git@git.example:acme/*", "kind": "deploy_key", "secret": secret, "known_hosts": HOSTS });
    admin.post(PATH, key).await.expect(201);
    let listed = admin.get(PATH).await;
    let sources: Vec<_> =
        listed.expect(200)["items"].as_array().unwrap().iter().map(|one| one["source"].clone()).collect();
    assert_eq!(sources, ["https://git.example/acme/*", "ssh://git@git.example/acme/*"]);
    for body in [&made.body, &listed.body] {
        assert!(!body.contains(TOKEN) && !body.contains("b3BlbnNzaC1rZXkt"), "{body}");
    }
    let kept = app.text("SELECT string_agg(t::text, ' ') AS text FROM source_credentials AS t").await
        + &app.text("SELECT string_agg(encode(sealed, 'escape'), ' ') AS text FROM secrets").await
        + &app.text("SELECT string_agg(t::text, ' ') AS text FROM audit_log AS t").await;
    assert!(!kept.contains(TOKEN) && !kept.contains("b3BlbnNzaC1rZXkt"), "{kept}");
    let audited =
        "SELECT detail->>'source' AS text FROM audit_log WHERE action = 'create_source_credential' ORDER BY id LIMIT 1";
    assert_eq!(app.text(audited).await, "https://git.example/acme/*");
    admin.delete(&format!("{PATH}/1")).await.expect(204);
    admin.delete(&format!("{PATH}/1")).await.problem(404);
    assert_eq!(app.number("SELECT count(*) AS n FROM secrets").await, 1, "its secret is deleted with it");
    app.end().await;
}

#[tokio::test]
async fn a_source_has_one_credential_of_the_kind_that_fits() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    admin.post(PATH, token("https://git.example/acme/*", TOKEN)).await.expect(201);
    let again = admin.post(PATH, token("HTTPS://git.example:443/acme/*", "other")).await.field_error("/source");
    assert!(again.contains("has a credential already"), "{again}");
    for (body, field) in [
        (token("https://*", TOKEN), "/source"),
        (token("ssh://git@git.example/*", TOKEN), "/source"),
        (token("https://me:hunter2@git.example/*", TOKEN), "/source"),
        (token("https://git.example/x", ""), "/secret"),
        (json!({ "source": "git@git.example:x", "kind": "deploy_key", "secret": private_key() }), "/known_hosts"),
        (
            json!({ "source": "git@git.example:x", "kind": "deploy_key", "secret": "x", "known_hosts": HOSTS }),
            "/secret",
        ),
    ] {
        let answer = admin.post(PATH, body.clone()).await;
        answer.field_error(field);
        assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM source_credentials").await, 1);
    app.end().await;
}

#[tokio::test]
async fn the_longest_source_that_a_repository_is_of_gives_the_credential() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    for (source, secret) in [
        ("https://git.example/*", "all"),
        ("https://git.example/acme/*", "acme"),
        ("https://git.example/acme/one", "one"),
    ] {
        admin.post(PATH, token(source, secret)).await.expect(201);
    }
    let stored = stored(&app);
    for (repository, expected) in [
        ("https://git.example/other/x.git", Some("all")),
        ("https://git.example/acme/two.git", Some("acme")),
        ("https://git.example/acme/one.git", Some("one")),
        ("https://git.example/acme/../other", Some("all")),
        ("https://git.example:8443/acme/one", None),
        ("http://git.example/acme/one", None),
        ("https://git.example.evil.example/acme/one", None),
        ("git@git.example:acme/one", None),
    ] {
        let expected = expected.map(|token| Credential::Token { username: "git".into(), token: token.into() });
        assert_eq!(stored.find(repository).await.unwrap(), expected, "{repository}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_rotation_of_the_keys_covers_credentials_of_sources() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    admin.post(PATH, token("https://git.example/acme/*", TOKEN)).await.expect(201);
    let (old, new) = (format!("test:{}", "00".repeat(32)), format!("new:{}", "11".repeat(32)));
    let both = Keyring::of([new.as_str(), old.as_str()]).unwrap();
    let rotated = vault::rotate(&app.db, &both).await.unwrap();
    assert_eq!((rotated.count, rotated.spare), (1, vec!["test".to_owned()]));
    let only_new = StoredCredentials { db: app.db.clone(), keyring: Keyring::of([new.as_str()]).unwrap() };
    let found = only_new.find("https://git.example/acme/x").await.unwrap();
    assert_eq!(found, Some(Credential::Token { username: "git".into(), token: TOKEN.into() }));
    assert!(stored(&app).find("https://git.example/acme/x").await.is_err(), "the old key does not open it");
    app.end().await;
}
