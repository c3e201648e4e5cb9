//! Adding, listing and deleting public SSH keys.

use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v1/auth/ssh-keys";
pub const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";

/// A new key's line.
pub fn another() -> String {
    ocim::platform::vault::ssh_key_pair("").unwrap().1.trim().to_owned()
}

async fn refused(browser: &Client, public_key: &str) -> String {
    browser.post(PATH, json!({ "public_key": public_key })).await.field_error("/public_key")
}

#[tokio::test]
async fn a_key_is_added_shown_and_deleted_by_its_owner_only() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Viewer).await;
    let made = browser.post(PATH, json!({ "public_key": format!("{KEY} ada@laptop\n") })).await.expect(201);
    insta::assert_json_snapshot!(made, { ".created" => "[time]" }, @r#"
    {
      "id": 1,
      "name": "ada@laptop",
      "algorithm": "ssh-ed25519",
      "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR",
      "comment": "ada@laptop",
      "fingerprint": "SHA256:PkHxyQHXdlacZkVs2nvhkY9x4y3BSsrnBF6fpwTZuSM",
      "created": "[time]"
    }
    "#);
    let named = browser.post(PATH, json!({ "name": " desk ", "public_key": another() })).await.expect(201);
    assert_eq!((named["name"].as_str(), named["comment"].as_str()), (Some("desk"), Some("")));
    let without = browser.post(PATH, json!({ "name": " ", "public_key": another() })).await.expect(201);
    assert_eq!(without["name"], "ssh-ed25519");
    assert_eq!(browser.get(PATH).await.expect(200)["items"].as_array().unwrap().len(), 3);

    let other = app.session(Role::Admin).await;
    assert_eq!(other.get(PATH).await.expect(200)["items"], json!([]));
    other.delete(&format!("{PATH}/1")).await.problem(404);
    browser.delete(&format!("{PATH}/1")).await.expect(204);
    browser.delete(&format!("{PATH}/1")).await.problem(404);
    assert_eq!(browser.get(PATH).await.expect(200)["items"].as_array().unwrap().len(), 2);
    let audited = "SELECT string_agg(action || ' ' || (detail->>'fingerprint'), ', ' ORDER BY id) AS text FROM audit_log \
                   WHERE detail->>'ssh_key' = '1'";
    let print = "SHA256:PkHxyQHXdlacZkVs2nvhkY9x4y3BSsrnBF6fpwTZuSM";
    assert_eq!(app.text(audited).await, format!("add_ssh_key {print}, delete_ssh_key {print}"));
    app.end().await;
}

#[tokio::test]
async fn what_is_refused_is_said_at_the_field_and_not_saved() {
    let app = TestApp::idle().await;
    let (browser, other) = (app.session(Role::Operator).await, app.session(Role::Operator).await);
    browser.post(PATH, json!({ "name": "laptop", "public_key": KEY })).await.expect(201);
    for (key, words) in [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n", "This is a private key"),
        (&format!("command=\"sh\" {KEY}"), "Options in front"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAP7DcRyCSngP18WdkIZdNMUXF9Uc", "DSA keys are too weak"),
        (&"A".repeat(9000), "8000 characters at most"),
        (&format!("{} x\nssh-rsa AAAA", another()), "one key on one line"),
        (KEY, "You have this key already: it is “laptop”."),
        ("", "Paste a public key"),
    ] {
        let said = refused(&browser, key).await;
        assert!(said.contains(words), "{key:.60}: {said}");
    }
    assert!(refused(&other, KEY).await.contains("Another user has this key"));
    let name =
        browser.post(PATH, json!({ "name": "x".repeat(101), "public_key": another() })).await.field_error("/name");
    assert!(name.contains("100 characters at most"), "{name}");
    for count in 2..=20 {
        browser.post(PATH, json!({ "name": count.to_string(), "public_key": another() })).await.expect(201);
    }
    assert!(refused(&browser, &another()).await.contains("You have 20 keys"));
    assert_eq!(app.number("SELECT count(*) AS n FROM user_ssh_keys").await, 20);
    app.end().await;
}

#[tokio::test]
async fn no_token_can_add_or_delete_a_key() {
    let app = TestApp::idle().await;
    let script = app.person(Role::Admin).await;
    script.post(PATH, json!({ "public_key": KEY })).await.problem(403);
    script.delete(&format!("{PATH}/1")).await.problem(403);
    assert_eq!(script.get(PATH).await.expect(200)["items"], Value::Array(Vec::new()));
    app.end().await;
}
