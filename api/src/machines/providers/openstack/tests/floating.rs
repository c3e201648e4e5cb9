//! Floating addresses.

use serde_json::{Value, json};

use super::cloud::{Cloud, INSTALLATION, ONE, active, fixed, permanent, reference, server, transient, with};
use super::http::Reply;
use crate::machines::provider::{Machine, Provider};
use crate::machines::providers::openstack::{AddressKind, AddressSelector};

const IPS: &str = "/network/v2.0/floatingips";
const PORTS: &str = "/network/v2.0/ports";

fn description(server: i64) -> String {
    format!("ocim {INSTALLATION} server {server}")
}

fn ip(id: &str, description: &str, port: Value) -> Value {
    json!({ "id": id, "description": description, "floating_ip_address": "192.0.2.40", "port_id": port, "status": "DOWN",
            "floating_network_id": "n2", "fixed_ip_address": null, "router_id": null, "project_id": "p1" })
}

fn serve_ips(cloud: &Cloud, ips: &[Value]) {
    cloud.http.on("GET", IPS, [Reply::json(200, &json!({ "floatingips": ips }))]);
}

async fn cloud() -> Cloud {
    let cloud = Cloud::start(&[active(ONE, 7, "10.0.0.5")]).await;
    let port = |id: &str, device: &str, address: &str| json!({ "id": id, "device_id": device, "fixed_ips": [{ "ip_address": address, "subnet_id": "s" }] });
    // The filter may be ignored.
    let ports = [port("p0", "other", "10.0.0.4"), port("p6", ONE, "2001:db8::5"), port("p1", ONE, "10.0.0.5")];
    cloud.http.on("GET", PORTS, [Reply::json(200, &json!({ "ports": ports }))]);
    cloud.http.on("POST", IPS, [Reply::json(201, &json!({ "floatingip": ip("f1", &description(7), json!("p1")) }))]);
    cloud
}

async fn find(cloud: &Cloud) -> Machine {
    let provider = cloud.provider_with(|config| config.floating_network = Some("public".into()));
    provider.find(&reference(7, Some(ONE))).await.unwrap().unwrap()
}

fn address(machine: &Machine) -> String {
    machine.endpoint.unwrap().public_ip.to_string()
}

#[tokio::test]
async fn an_active_server_gets_an_address_that_has_our_ids() {
    let cloud = cloud().await;
    assert_eq!(address(&find(&cloud).await), "192.0.2.40");
    let body = json!({ "floating_network_id": "n2", "port_id": "p1", "description": description(7) });
    assert_eq!(cloud.http.requests("POST", IPS)[0].body, json!({ "floatingip": body }));
}

#[tokio::test]
async fn an_address_is_made_once() {
    let cloud = cloud().await;
    // Nova shows it some time after Neutron; a lost answer leaves it as well.
    serve_ips(&cloud, &[ip("f0", &description(77), json!("p0")), ip("f1", &description(7), json!("p1"))]);
    assert_eq!(address(&find(&cloud).await), "192.0.2.40");
    let entry = with(fixed("192.0.2.40"), &json!({ "OS-EXT-IPS:type": "floating" }));
    let addresses = json!({ "addresses": { "private": [fixed("10.0.0.5"), entry] } });
    cloud.serve(&[with(active(ONE, 7, "10.0.0.5"), &addresses)]);
    assert_eq!(address(&find(&cloud).await), "192.0.2.40");
    assert_eq!(cloud.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unused_address_of_the_server_is_connected() {
    let cloud = cloud().await;
    serve_ips(&cloud, &[ip("f0", "", Value::Null), ip("f1", &description(7), Value::Null)]);
    let connected = json!({ "floatingip": ip("f1", &description(7), json!("p1")) });
    cloud.http.on("PUT", &format!("{IPS}/f1"), [Reply::json(200, &connected)]);
    assert_eq!(address(&find(&cloud).await), "192.0.2.40");
    assert_eq!(cloud.http.requests("PUT", IPS)[0].body, json!({ "floatingip": { "port_id": "p1" } }));
    assert_eq!(cloud.changes(), [format!("PUT {IPS}/f1")]);
}

#[tokio::test]
async fn a_server_that_is_not_active_gets_none_yet() {
    let cloud = cloud().await;
    cloud.serve(&[server(ONE, 7, "BUILD")]);
    assert_eq!(find(&cloud).await.endpoint, None);
    cloud.serve(&[active(ONE, 7, "10.0.0.5")]);
    cloud.http.on("GET", PORTS, [Reply::json(200, &json!({ "ports": [] }))]);
    assert_eq!(find(&cloud).await.endpoint, None, "its fixed address is not for people");
    assert_eq!(cloud.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn where_the_fixed_address_is_used_the_floating_one_is_made_for_people() {
    let cloud = cloud().await;
    let provider = cloud.provider_with(|config| {
        config.floating_network = Some("public".into());
        config.address = AddressSelector { kind: AddressKind::Fixed, prefers_ipv6: false };
    });
    let endpoint = provider.find(&reference(7, Some(ONE))).await.unwrap().unwrap().endpoint.unwrap();
    let shown = (endpoint.public_ip.to_string(), endpoint.ssh.to_string(), endpoint.http.to_string());
    assert_eq!(shown, ("192.0.2.40".into(), "10.0.0.5:22".into(), "10.0.0.5:80".into()));
    assert_eq!(cloud.changes(), [format!("POST {IPS}")]);
}

#[tokio::test]
async fn an_exhausted_pool_and_an_unknown_one_are_said() {
    let cloud = cloud().await;
    let find = async |pool: &str| {
        cloud.provider_with(|config| config.floating_network = Some(pool.into())).find(&reference(7, Some(ONE))).await
    };
    let message = "No more IP addresses available on network n2.";
    let error = json!({ "NeutronError": { "type": "IpAddressGenerationFailure", "message": message, "detail": "" } });
    cloud.http.on("POST", IPS, [Reply::json(409, &error)]);
    let words = permanent(find("public").await);
    assert_eq!(words, format!("Give server {ONE} a floating address: Neutron answers 409: {message}"));
    let words = permanent(find("private").await);
    assert!(words.contains("no external network with the name or id `private`; it has: public (n2)"), "{words}");
}

#[tokio::test]
async fn the_addresses_of_a_server_are_released_with_it_and_no_others() {
    let cloud = Cloud::start(&[]).await;
    serve_ips(
        &cloud,
        &[
            ip("f1", &description(7), Value::Null),
            ip("f2", &description(77), Value::Null),
            ip("f3", &format!("ocim x server {}", 7), Value::Null),
            ip("f4", "", json!("p1")),
        ],
    );
    cloud.http.on("DELETE", &format!("{IPS}/f1"), [Reply::empty(503), Reply::empty(204)]);
    let provider = cloud.provider();
    transient(provider.terminate(&reference(7, None)).await);
    provider.terminate(&reference(7, None)).await.unwrap();
    assert_eq!(cloud.changes(), vec![format!("DELETE {IPS}/f1"); 2]);
}

#[tokio::test]
async fn addresses_whose_server_is_gone_are_released_and_no_others() {
    let cloud = Cloud::start(&[active(ONE, 7, "10.0.0.5")]).await;
    let all = [
        ip("f1", &description(8), Value::Null),
        // A port has it; its server is there; the id or the installation is another's.
        ip("f2", &description(9), json!("p9")),
        ip("f3", &description(7), Value::Null),
        ip("f4", &format!("{} ", description(8)), Value::Null),
        ip("f5", &format!("ocim {INSTALLATION} server 08"), Value::Null),
        ip("f6", &format!("ocim {INSTALLATION}x server 8"), Value::Null),
        ip("f7", "", Value::Null),
        // Connected between the list and the next look, and released by others.
        ip("f8", &description(10), Value::Null),
        ip("f9", &description(11), Value::Null),
    ];
    serve_ips(&cloud, &all);
    let look = |id: &str, port: Value| {
        let answer =
            [Reply::json(200, &json!({ "floatingip": ip(id, &description(if id == "f1" { 8 } else { 10 }), port) }))];
        cloud.http.on("GET", &format!("{IPS}/{id}"), answer);
    };
    look("f1", Value::Null);
    look("f8", json!("p10"));
    cloud.http.on("DELETE", &format!("{IPS}/f1"), [Reply::empty(204)]);
    let released = cloud.provider().release_leftovers().await.unwrap();
    assert_eq!(released, ["floating address 192.0.2.40, whose server 8 is gone, was released"]);
    assert_eq!(cloud.changes(), [format!("DELETE {IPS}/f1")]);
}

#[tokio::test]
async fn a_cloud_without_floating_addresses_has_no_leftovers() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", IPS, [Reply::empty(404)]);
    assert_eq!(cloud.provider().release_leftovers().await, Ok(Vec::new()));
    cloud.http.on("GET", IPS, [Reply::empty(500)]);
    transient(cloud.provider().release_leftovers().await);
    assert_eq!(cloud.changes(), Vec::<String>::new());
}
