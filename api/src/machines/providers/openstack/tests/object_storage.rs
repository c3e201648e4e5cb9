//! The login to Swift.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::cloud::{Cloud, PASSWORD, catalog};
use super::http::Reply;
use crate::machines::providers::openstack::{CloudSettings, ObjectStorage};

/// A cloud whose catalog has Swift.
async fn cloud_with_swift() -> Cloud {
    let cloud = Cloud::start(&[]).await;
    let url = format!("{}/v1/AUTH_p1", cloud.base());
    let endpoint = json!({ "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url });
    let catalog = json!([{ "type": "object-store", "name": "swift", "endpoints": [endpoint] }]);
    let token = |name: &str| cloud.token_with(name, 3600, json!({ "id": "p1" }), catalog.clone());
    cloud.http.on("POST", "/v3/auth/tokens", [token("token-1"), token("token-2")]);
    cloud
}

#[tokio::test]
async fn the_account_is_found_in_the_catalog_and_a_refused_token_is_replaced() {
    let cloud = cloud_with_swift().await;
    let storage = ObjectStorage::new(cloud.settings().credentials_of("resources.files").unwrap()).unwrap();
    let (url, first) = storage.access(None).await.unwrap();
    assert_eq!((url.path(), first.expose_secret()), ("/v1/AUTH_p1", "token-1"));
    let (_, same) = storage.access(None).await.unwrap();
    assert_eq!((same.expose_secret(), cloud.logins()), ("token-1", 1));
    let (_, second) = storage.access(Some(&first)).await.unwrap();
    assert_eq!((second.expose_secret(), cloud.logins()), ("token-2", 2));
    // The other one of two requests at once, which has the same token: it was replaced already.
    let (_, second) = storage.access(Some(&first)).await.unwrap();
    assert_eq!((second.expose_secret(), cloud.logins()), ("token-2", 2));
}

#[tokio::test]
async fn a_refusal_names_the_keys_of_the_table_and_not_the_password() {
    let cloud = Cloud::start(&[]).await;
    let refusal =
        json!({ "error": { "code": 401, "message": format!("no user with {PASSWORD}"), "title": "Unauthorized" } });
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::json(401, &refusal)]);
    let storage = ObjectStorage::new(cloud.settings().credentials_of("resources.files").unwrap()).unwrap();
    let words = storage.access(None).await.unwrap_err().to_string();
    for name in ["the password in `url` of [resources.files]", "`project` of [resources.files]"] {
        assert!(words.contains(name) && !words.contains(PASSWORD) && !words.contains("OS_"), "{words}");
    }
}

#[tokio::test]
async fn a_cloud_without_swift_is_said_to_have_none() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on(
        "POST",
        "/v3/auth/tokens",
        [cloud.token_with("t", 3600, json!({ "id": "p1" }), catalog(&cloud.base()))],
    );
    let storage = ObjectStorage::new(cloud.settings().credentials_of("resources.files").unwrap()).unwrap();
    let words = storage.access(None).await.unwrap_err().to_string();
    assert!(words.starts_with("the cloud's catalog has no object-store (Swift)"), "{words}");
    let incomplete = CloudSettings { project_name: None, ..cloud.settings() };
    let words = incomplete.credentials_of("resources.files").unwrap_err().to_string();
    assert!(words.starts_with("`project` of [resources.files]"), "{words}");
}
