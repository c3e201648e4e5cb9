//! Creating servers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use super::cloud::{
    Cloud, DETAIL, INSTALLATION, ONE, OTHER, SERVERS, active, nova_error, permanent, reference, server, spec,
    transient, with,
};
use super::http::Reply;
use crate::machines::provider::{Machine, MachineState, MadeFrom, Provider, ProviderError};

/// The cloud's answer about a server that it builds; `image` and `flavor` are names where the request selected them.
fn building(id: &str, image: &str, flavor: &str) -> Machine {
    let made_from = MadeFrom { image: Some(image.into()), flavor: Some(flavor.into()) };
    Machine { provider_id: id.into(), state: MachineState::Building, endpoint: None, host_key: None, made_from }
}

#[tokio::test]
async fn the_request_has_our_ids_the_key_and_no_key_pair() {
    let cloud = Cloud::start(&[]).await;
    assert_eq!(cloud.provider().create(&spec(7)).await, Ok(building(ONE, "debian-12", "m1.small")));
    let mut body = cloud.http.requests("POST", SERVERS).remove(0).body;
    let user_data = body["server"]["user_data"].take();
    let metadata = json!({ "ocim_installation": INSTALLATION, "ocim_server_id": "7" });
    // A network is named although there is one only: from 2.37 on, Nova requires it.
    let server = json!({ "name": "demo-7", "flavorRef": "2", "imageRef": "i1", "networks": [{ "uuid": "n1" }], "metadata": metadata, "user_data": null });
    assert_eq!(body, json!({ "server": server }));
    let user_data = String::from_utf8(STANDARD.decode(user_data.as_str().unwrap()).unwrap()).unwrap();
    assert!(
        user_data.starts_with("#cloud-config\n") && user_data.contains("ssh-ed25519 AAAAC3Nza ocim"),
        "{user_data}"
    );
    assert_eq!(cloud.changes(), [format!("POST {SERVERS}")], "no key pair, no port");
}

#[tokio::test]
async fn groups_and_zone_are_sent_where_they_are_set() {
    let cloud = Cloud::start(&[]).await;
    let provider = cloud.provider_with(|config| {
        config.security_groups = vec!["web".into(), "ssh".into()];
        config.availability_zone = Some("az1".into());
    });
    provider.create(&spec(7)).await.unwrap();
    let server = cloud.http.requests("POST", SERVERS).remove(0).body["server"].take();
    assert_eq!(server["security_groups"], json!([{ "name": "web" }, { "name": "ssh" }]));
    assert_eq!(server["availability_zone"], "az1");
}

#[tokio::test]
async fn a_server_that_is_there_is_not_created_again() {
    let cloud = Cloud::start(&[active(ONE, 7, "10.0.0.5")]).await;
    let machine = cloud.provider().create(&spec(7)).await.unwrap();
    assert_eq!((machine.provider_id.as_str(), &machine.state), (ONE, &MachineState::Active));
    assert_eq!(cloud.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_server() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", SERVERS, [Reply::Cut]);
    transient(cloud.provider().create(&spec(7)).await);
    // Nova has created it all the same.
    cloud.serve(&[server(ONE, 7, "BUILD")]);
    assert_eq!(cloud.provider().find(&reference(7, None)).await, Ok(Some(building(ONE, "i1", "2"))));
    assert_eq!(cloud.provider().create(&spec(7)).await, Ok(building(ONE, "i1", "2")));
    assert_eq!(cloud.http.requests("POST", SERVERS).len(), 1);
}

#[tokio::test]
async fn of_two_servers_with_one_id_the_older_one_counts() {
    let later = with(active(OTHER, 7, "10.0.0.6"), &json!({ "created": "2026-11-29T10:00:09Z" }));
    let cloud = Cloud::start(&[later, active(ONE, 7, "10.0.0.5")]).await;
    let found = cloud.provider().find(&reference(7, None)).await.unwrap().unwrap();
    assert_eq!(found.provider_id, ONE);
}

#[tokio::test]
async fn two_creates_for_one_id_at_once_make_one_server() {
    let cloud = Cloud::start(&[]).await;
    let list = |servers: &[Value]| Reply::json(200, &json!({ "servers": servers }));
    cloud.http.on("GET", DETAIL, [list(&[]), list(&[]), list(&[server(ONE, 7, "BUILD")])]);
    let provider = cloud.provider();
    let (spec, other) = (spec(7), spec(7));
    let (one, two) = tokio::join!(provider.create(&spec), provider.create(&other));
    assert_eq!((one.unwrap().provider_id.as_str(), two.unwrap().provider_id.as_str()), (ONE, ONE));
    assert_eq!(cloud.changes(), [format!("POST {SERVERS}")]);
}

#[tokio::test]
async fn where_another_process_has_made_an_older_server_meanwhile_the_new_one_is_deleted() {
    let cloud = Cloud::start(&[]).await;
    let list = |servers: &[Value]| Reply::json(200, &json!({ "servers": servers }));
    let new = with(server(ONE, 7, "BUILD"), &json!({ "created": "2026-11-29T10:00:09Z" }));
    cloud.http.on("GET", DETAIL, [list(&[]), list(&[new.clone(), server(OTHER, 7, "BUILD")])]);
    cloud.http.on("DELETE", &format!("{SERVERS}/{ONE}"), [Reply::empty(204)]);
    assert_eq!(cloud.provider().create(&spec(7)).await.unwrap().provider_id, OTHER);
    assert_eq!(cloud.changes(), [format!("POST {SERVERS}"), format!("DELETE {SERVERS}/{ONE}")]);
    // The process whose server is the older one keeps it.
    let cloud = Cloud::start(&[]).await;
    let newer = with(server(OTHER, 7, "BUILD"), &json!({ "created": "2026-11-29T10:00:19Z" }));
    cloud.http.on("GET", DETAIL, [list(&[]), list(&[new, newer])]);
    assert_eq!(cloud.provider().create(&spec(7)).await.unwrap().provider_id, ONE);
    assert_eq!(cloud.changes(), [format!("POST {SERVERS}")]);
}

#[tokio::test]
async fn a_server_of_another_installation_does_not_stand_for_ours() {
    let metadata = json!({ "metadata": { "ocim_installation": "22222222-bbbb", "ocim_server_id": "7" } });
    let cloud = Cloud::start(&[with(active(OTHER, 7, "10.0.0.6"), &metadata)]).await;
    assert_eq!(cloud.provider().create(&spec(7)).await, Ok(building(ONE, "debian-12", "m1.small")));
}

#[rstest]
#[case("forbidden", 403, "Policy doesn't allow os_compute_api:servers:create to be performed.")]
#[case("badRequest", 400, "Image i1 is not active.")]
#[case("badRequest", 400, "Flavor's memory is too small for requested image.")]
#[case("badRequest", 400, "Can not find requested image")]
#[case("badRequest", 400, "Flavor 2 could not be found.")]
#[case("badRequest", 400, "Network n1 could not be found.")]
#[case("badRequest", 400, "Unable to find security_group with name or id 'web'")]
#[case("badRequest", 400, "The requested availability zone is not available")]
#[case("conflictingRequest", 409, "Multiple possible networks found, use a Network ID to be more specific.")]
#[tokio::test]
async fn a_refused_create_has_novas_words(#[case] kind: &str, #[case] status: u16, #[case] message: &str) {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", SERVERS, [nova_error(kind, status, message)]);
    let words = permanent(cloud.provider().create(&spec(7)).await);
    assert_eq!(words, format!("Create server demo-7: Nova answers {status}: {message}"));
}

#[rstest]
#[case("forbidden", 403, "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances")]
#[case(
    "forbidden",
    403,
    "Quota exceeded for cores, ram: Requested 4, 8192, but already used 38, 1 of 40, 1 cores, ram"
)]
#[case("forbidden", 403, "Maximum number of ports exceeded")]
#[case("overLimit", 413, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances")]
#[tokio::test]
async fn a_quota_that_is_used_up_is_told_from_other_refusals(
    #[case] kind: &str,
    #[case] status: u16,
    #[case] message: &str,
) {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", SERVERS, [nova_error(kind, status, message)]);
    let words = format!("Create server demo-7: Nova answers {status}: {message}");
    assert_eq!(cloud.provider().create(&spec(7)).await, Err(ProviderError::Quota(words)));
}

#[tokio::test]
async fn a_service_behind_nova_that_is_away_is_a_passing_trouble() {
    let cloud = Cloud::start(&[]).await;
    let fault = "Unexpected API Error. <class 'glanceclient.exc.CommunicationError'>";
    cloud.http.on("POST", SERVERS, [nova_error("computeFault", 500, fault)]);
    assert!(transient(cloud.provider().create(&spec(7)).await).ends_with(fault));
}

#[tokio::test]
async fn user_data_that_nova_quotes_is_not_shown() {
    let cloud = Cloud::start(&[]).await;
    // First learn what is sent, then quote it.
    cloud.provider().create(&spec(7)).await.unwrap();
    let sent = cloud.http.requests("POST", SERVERS).remove(0).body["server"]["user_data"].as_str().unwrap().to_owned();
    let message = format!("Invalid input for field/attribute user_data. Value: {sent}. '{sent}' is too long");
    cloud.http.on("POST", SERVERS, [nova_error("badRequest", 400, &message)]);
    let words = permanent(cloud.provider().create(&spec(7)).await);
    let expected = "Invalid input for field/attribute user_data. Value: [hidden]. '[hidden]' is too long";
    assert!(words.ends_with(expected), "{words}");
}

#[tokio::test]
async fn an_answer_without_an_id_is_looked_for_again_and_its_password_not_shown() {
    let cloud = Cloud::start(&[]).await;
    let answer = json!({ "server": { "adminPass": "Zx8secret" } });
    cloud.http.on("POST", SERVERS, [Reply::json(202, &answer)]);
    let words = transient(cloud.provider().create(&spec(7)).await);
    assert!(
        words.starts_with("Create server demo-7: the answer of Nova is not as documented") && !words.contains("Zx8")
    );
}

#[tokio::test]
async fn the_list_must_be_whole_before_a_create() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", DETAIL, [Reply::empty(503)]);
    transient(cloud.provider().create(&spec(7)).await);
    assert_eq!(cloud.changes(), Vec::<String>::new());
    let page = json!({ "servers": [server(ONE, 8, "ACTIVE")], "servers_links": [{ "rel": "next", "href": "http://x/?marker=1" }] });
    cloud.http.on("GET", DETAIL, [Reply::json(200, &page)]);
    cloud.http.on("GET", &format!("{DETAIL}?marker=1"), [Reply::json(200, &Value::Null)]);
    transient(cloud.provider().create(&spec(7)).await);
    assert_eq!(cloud.changes(), Vec::<String>::new());
}
