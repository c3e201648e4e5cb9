//! What Nova says about a server, and what is made of it.

use rstest::rstest;
use serde_json::{Value, json};

use super::cloud::{Cloud, ONE, SERVERS, active, fixed, reference, server, spec, with};
use super::http::Reply;
use crate::machines::provider::{Machine, MachineState, MadeFrom, Provider};
use crate::machines::providers::openstack::{AddressKind, AddressSelector};

async fn seen(server: Value) -> Machine {
    let cloud = Cloud::start(&[server]).await;
    cloud.provider().find(&reference(7, Some(ONE))).await.unwrap().unwrap()
}

#[rstest]
#[case(json!("scheduling"))]
#[case(Value::Null)]
#[case(json!("networking"))]
#[case(json!("spawning"))]
#[tokio::test]
async fn a_build_is_told_by_its_status_alone(#[case] task: Value) {
    let machine = seen(with(server(ONE, 7, "BUILD"), &json!({ "OS-EXT-STS:task_state": task }))).await;
    let made_from = MadeFrom { image: Some("i1".into()), flavor: Some("2".into()) };
    assert_eq!(
        machine,
        Machine { provider_id: ONE.into(), state: MachineState::Building, endpoint: None, host_key: None, made_from }
    );
}

#[rstest]
#[case("REBOOT")]
#[case("HARD_REBOOT")]
#[case("UNKNOWN")]
#[tokio::test]
async fn a_server_that_is_coming_up_is_waited_for(#[case] status: &str) {
    assert_eq!(seen(server(ONE, 7, status)).await.state, MachineState::Building);
}

#[tokio::test]
async fn the_addresses_are_those_of_the_usual_ports() {
    let endpoint = seen(active(ONE, 7, "10.77.0.23")).await.endpoint.unwrap();
    let shown = (endpoint.public_ip.to_string(), endpoint.ssh.to_string(), endpoint.http.to_string());
    assert_eq!(shown, ("10.77.0.23".into(), "10.77.0.23:22".into(), "10.77.0.23:80".into()));
    let six = seen(active(ONE, 7, "2001:db8::5")).await.endpoint.unwrap();
    assert_eq!(six.ssh.to_string(), "[2001:db8::5]:22");
}

#[tokio::test]
async fn ipv4_and_floating_addresses_are_preferred() {
    let floating = |address: &str| with(fixed(address), &json!({ "OS-EXT-IPS:type": "floating" }));
    let mut addresses = vec![fixed("2001:db8::5"), fixed("10.77.0.23")];
    let address = async |addresses: &[Value]| {
        let fields = json!({ "addresses": { "private": addresses } });
        seen(with(server(ONE, 7, "ACTIVE"), &fields)).await.endpoint.unwrap().public_ip.to_string()
    };
    assert_eq!(address(&addresses).await, "10.77.0.23");
    addresses.push(floating("192.0.2.40"));
    assert_eq!(address(&addresses).await, "192.0.2.40");
}

#[rstest]
#[case(AddressKind::Any, false, "192.0.2.40")]
#[case(AddressKind::Any, true, "192.0.2.40")]
#[case(AddressKind::Fixed, false, "10.77.0.23")]
#[case(AddressKind::Fixed, true, "2001:db8::5")]
#[case(AddressKind::Floating, true, "192.0.2.40")]
#[tokio::test]
async fn the_selected_address_is_used_and_the_floating_one_shown(
    #[case] kind: AddressKind,
    #[case] prefers_ipv6: bool,
    #[case] used: &str,
) {
    let floating = with(fixed("192.0.2.40"), &json!({ "OS-EXT-IPS:type": "floating" }));
    let of = async |addresses: &[Value]| {
        let fields = json!({ "addresses": { "private": addresses } });
        let cloud = Cloud::start(&[with(server(ONE, 7, "ACTIVE"), &fields)]).await;
        let provider = cloud.provider_with(|config| config.address = AddressSelector { kind, prefers_ipv6 });
        provider.find(&reference(7, Some(ONE))).await.unwrap().unwrap().endpoint
    };
    let endpoint = of(&[fixed("2001:db8::5"), fixed("10.77.0.23"), floating]).await.unwrap();
    assert_eq!(endpoint.public_ip.to_string(), "192.0.2.40");
    assert_eq!((endpoint.ssh.ip().to_string(), endpoint.http.ip()), (used.to_owned(), endpoint.ssh.ip()));
    let without = of(&[fixed("2001:db8::5"), fixed("10.77.0.23")]).await.map(|endpoint| endpoint.ssh.ip().to_string());
    let fixed = if prefers_ipv6 { "2001:db8::5" } else { "10.77.0.23" };
    assert_eq!(without.as_deref(), (kind != AddressKind::Floating).then_some(fixed));
}

#[tokio::test]
async fn an_active_server_without_an_address_has_no_endpoint_yet() {
    let machine = seen(server(ONE, 7, "ACTIVE")).await;
    assert_eq!((machine.state, machine.endpoint), (MachineState::Active, None));
}

#[tokio::test]
async fn a_fault_has_novas_words_on_one_line_without_the_traceback() {
    let message = "No valid host was found. There are not enough hosts available.\n\u{1b}[0m";
    let fault = json!({ "fault": { "code": 500, "created": "2026-11-29T10:00:01Z", "message": message, "details": "Traceback" } });
    let MachineState::Failed(words) = seen(with(server(ONE, 7, "ERROR"), &fault)).await.state else {
        panic!("not failed")
    };
    let expected = "No valid host was found. There are not enough hosts available. [0m";
    assert_eq!(words, format!("Nova reports an error of server {ONE}: {expected}"));
    let without = seen(server(ONE, 7, "ERROR")).await.state;
    assert_eq!(without, MachineState::Failed(format!("Nova reports an error of server {ONE} without a reason")));
}

#[tokio::test]
async fn a_fault_that_the_list_leaves_out_is_read_from_the_server() {
    let cloud = Cloud::start(&[server(ONE, 7, "ERROR")]).await;
    // Two creates at once may both pass the quota; Nova then gives one of them up.
    let message = "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances";
    let fault = json!({ "fault": { "code": 413, "created": "2026-11-29T10:00:01Z", "message": message } });
    let shown = json!({ "server": with(server(ONE, 7, "ERROR"), &fault) });
    cloud.http.on("GET", &format!("{SERVERS}/{ONE}"), [Reply::json(200, &shown)]);
    let expected = MachineState::Failed(format!("Nova reports an error of server {ONE}: {message}"));
    assert_eq!(cloud.provider().find(&reference(7, None)).await.unwrap().unwrap().state, expected);
    assert_eq!(cloud.provider().create(&spec(7)).await.unwrap().state, expected);
}

#[rstest]
#[case("SHUTOFF")]
#[case("PAUSED")]
#[case("SHELVED_OFFLOADED")]
#[tokio::test]
async fn a_server_that_was_stopped_at_the_cloud_is_not_waited_for(#[case] status: &str) {
    let MachineState::Failed(words) = seen(server(ONE, 7, status)).await.state else { panic!("not failed") };
    assert!(words.contains(&format!("is {status}: it was stopped at the cloud")), "{words}");
}

#[rstest]
#[case("DELETED")]
#[case("SOFT_DELETED")]
#[tokio::test]
async fn a_deleted_server_that_is_still_shown_is_gone(#[case] status: &str) {
    let cloud = Cloud::start(&[server(ONE, 7, status)]).await;
    assert_eq!(cloud.provider().find(&reference(7, Some(ONE))).await, Ok(None));
    assert_eq!(cloud.provider().find(&reference(7, None)).await, Ok(None));
    assert_eq!(cloud.provider().list().await, Ok(vec![]));
}

#[tokio::test]
async fn newer_versions_describe_the_flavor_without_an_id() {
    let flavor =
        json!({ "flavor": { "vcpus": 1, "ram": 2048, "disk": 20, "original_name": "m1.small", "extra_specs": {} } });
    let machine = seen(with(active(ONE, 7, "10.77.0.23"), &flavor)).await;
    assert_eq!((machine.state, machine.made_from.flavor.as_deref()), (MachineState::Active, Some("m1.small")));
}

#[tokio::test]
async fn a_wrong_id_of_the_provider_is_searched_for() {
    // The database may have an id of a server that is gone, or of a stranger.
    let stranger = with(server("s1", 7, "ACTIVE"), &json!({ "metadata": {} }));
    let cloud = Cloud::start(&[stranger, active(ONE, 7, "10.77.0.23")]).await;
    for id in ["s1", "gone", "../flavors"] {
        let found = cloud.provider().find(&reference(7, Some(id))).await.unwrap().unwrap();
        assert_eq!(found.provider_id, ONE, "{id}");
    }
    assert!(cloud.http.all().iter().all(|path| !path.contains("../")), "{:?}", cloud.http.all());
}
