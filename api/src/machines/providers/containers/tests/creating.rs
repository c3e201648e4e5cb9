//! Containers are created once, also if answers are lost or steps fail.

use serde_json::json;
use shared_types::ServerId;

use super::engine::{Engine, Fault, IMAGE, INSTALLATION, permanent, reference, spec, transient};
use crate::machines::provider::{MachineState, Provider};
use crate::machines::providers::containers::container;

const CREATE: &str = "POST /containers/create";
const START: &str = "POST /containers/";

#[tokio::test]
async fn a_container_has_our_labels_its_key_its_address_and_limits() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    let machine = provider.create(&spec(7)).await.unwrap();
    assert_eq!(machine.state, MachineState::Active);
    let endpoint = machine.endpoint.unwrap();
    assert_eq!((endpoint.ssh.to_string(), endpoint.http.to_string()), ("10.89.0.9:22".into(), "10.89.0.9:80".into()));
    assert_eq!(machine.host_key.unwrap(), format!("ssh-ed25519 AAAA{}", machine.provider_id));
    let world = engine.world();
    let body = &world.only().body;
    let labels = json!({ "ocim.address": "10.89.0.9", "ocim.installation": INSTALLATION, "ocim.server": "7" });
    assert_eq!(body["Labels"], labels);
    assert_eq!((&body["Image"], &body["Hostname"]), (&json!(IMAGE), &json!("demo-7")));
    assert_eq!(body["Env"], json!(["OCIM_AUTHORIZED_KEY=ssh-ed25519 AAAAC3Nza ocim", "OCIM_USER=ubuntu"]));
    let host = &body["HostConfig"];
    assert_eq!((&host["Memory"], &host["PidsLimit"]), (&json!(512 << 20), &json!(4096)));
    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert_eq!(host["PortBindings"], json!(null));
    assert_eq!(body["NetworkingConfig"]["EndpointsConfig"]["ocim"]["MacAddress"], "02:42:0a:59:00:09");
}

#[tokio::test]
async fn the_containers_of_an_ordinary_user_are_reached_by_ports_of_this_host() {
    let engine = Engine::start().await;
    engine.world().is_rootless = true;
    let machine = engine.provider().create(&spec(7)).await.unwrap();
    let endpoint = machine.endpoint.unwrap();
    assert_eq!(endpoint.public_ip.to_string(), "127.0.0.1");
    assert_eq!(
        (endpoint.ssh.to_string(), endpoint.http.to_string()),
        ("127.0.0.1:40010".into(), "127.0.0.1:40011".into())
    );
    assert!(engine.world().networks.is_empty());
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_started() {
    let engine = Engine::start().await;
    engine.fail(CREATE, [Fault::Lost]);
    let machine = engine.provider().create(&spec(7)).await.unwrap();
    assert_eq!(machine.state, MachineState::Active);
    assert_eq!((engine.count(CREATE), engine.world().only().starts), (1, 1));
    let again = engine.provider().create(&spec(7)).await.unwrap();
    assert_eq!((again.provider_id, engine.count(CREATE)), (machine.provider_id, 1));
}

#[tokio::test]
async fn a_start_that_fails_is_made_up_for_by_the_next_find() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    engine.fail(&format!("{START}{:064x}/start", 1), [Fault::Refused(500, "no space left on device")]);
    let words = transient(provider.create(&spec(7)).await);
    assert!(
        words.contains("of server 7: Podman Engine 4.3.1 at /") && words.contains("no space left on device"),
        "{words}"
    );
    assert_eq!(provider.list().await.unwrap().len(), 1, "what is half made is listed");
    let found = provider.find(&reference(7)).await.unwrap().unwrap();
    assert_eq!(found.state, MachineState::Building);
    assert_eq!(provider.find(&reference(7)).await.unwrap().unwrap().state, MachineState::Active);
}

#[tokio::test]
async fn where_the_engine_refuses_the_usual_limits_containers_get_lower_ones() {
    let engine = Engine::start().await;
    engine.world().most_processes = Some(1000);
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    let limits =
        json!([{ "Name": "nofile", "Soft": 1024, "Hard": 1024 }, { "Name": "nproc", "Soft": 1000, "Hard": 1000 }]);
    assert_eq!(engine.world().only().body["HostConfig"]["Ulimits"], limits);
    provider.create(&spec(8)).await.unwrap();
    assert_eq!(engine.count(CREATE), 3, "the next one has them from the beginning");
}

#[tokio::test]
async fn an_address_that_the_engine_does_not_grant_is_not_insisted_on() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    engine.fail(
        &format!("{START}{:064x}/start", 1),
        [Fault::Refused(500, "requested IP address 10.89.0.9 is not available in range set")],
    );
    let machine = provider.create(&spec(7)).await.unwrap();
    assert_eq!(machine.endpoint.unwrap().public_ip.to_string(), "10.89.0.10");
    assert_eq!(engine.world().containers.len(), 1, "the first one is removed");
}

#[tokio::test]
async fn a_full_network_is_said() {
    let engine = Engine::start().await;
    let provider = engine.provider_with(|config| config.network.subnet = Some("10.89.0.0/30".parse().unwrap()));
    provider.create(&spec(1)).await.unwrap();
    let words = transient(provider.create(&spec(2)).await);
    assert!(words.contains("the network ocim (10.89.0.0/30) of the containers is full"), "{words}");
    assert!(words.contains("OCIM_CONTAINERS_SUBNET"), "{words}");
    assert_eq!(engine.world().containers.len(), 1);
    let other = engine.provider_with(|config| config.network.subnet = Some("10.90.0.0/24".parse().unwrap()));
    let words = permanent(other.create(&spec(2)).await);
    assert!(words.contains("is 10.90.0.0/24, but the engine's network ocim exists with 10.89.0.0/30"), "{words}");
}

#[tokio::test]
async fn a_stopped_container_keeps_its_address() {
    let engine = Engine::start().await;
    let provider = engine.provider_with(|config| config.network.subnet = Some("10.89.0.0/29".parse().unwrap()));
    for id in 1..=5 {
        provider.create(&spec(id)).await.unwrap();
    }
    engine.world().containers.values_mut().for_each(|container| container.status = "exited");
    assert!(transient(provider.create(&spec(6)).await).contains("is full"));
}

#[tokio::test]
async fn the_name_of_a_strangers_container_is_no_machine() {
    let engine = Engine::start().await;
    engine.add_stranger(&container::name(INSTALLATION, ServerId(7)), &json!({ "ocim.server": "7" }));
    let provider = engine.provider();
    let words = permanent(provider.create(&spec(7)).await);
    assert!(
        words.contains("a container that is not ocim's has this name") && words.contains("Rename or remove it"),
        "{words}"
    );
    provider.terminate(&reference(7)).await.unwrap();
    assert_eq!((engine.count("DELETE"), engine.world().only().starts), (0, 0), "it is left alone");
}

#[tokio::test]
async fn an_image_that_cannot_be_used_is_said_with_what_it_lacks() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    {
        let mut world = engine.world();
        world.printed = "no sshd (/usr/sbin/sshd)\n".to_owned();
        let container = world.containers.values_mut().next().unwrap();
        (container.status, container.exit_code) = ("exited", 78);
    }
    let found = provider.find(&reference(7)).await.unwrap().unwrap();
    let MachineState::Failed(words) = found.state else { panic!("{found:?}") };
    assert!(
        words.starts_with("the image localhost/own:latest cannot be used: it has no sshd (/usr/sbin/sshd)."),
        "{words}"
    );
    assert_eq!(engine.world().only().starts, 1);

    let provider = engine.provider_with(|config| config.image = Some("localhost/none:1".to_owned()));
    let words = permanent(provider.create(&spec(8)).await);
    assert!(words.contains("localhost/none:1") && words.contains("ocim pulls no images"), "{words}");
}

#[tokio::test]
async fn a_host_key_that_cannot_be_read_is_an_error_only_of_a_container_that_runs() {
    let engine = Engine::start().await;
    let id = format!("{:064x}", 1);
    let gone = Fault::Refused(500, "open /proc/21190/ns/mnt: no such file or directory");
    engine.provider().create(&spec(7)).await.unwrap();
    engine.fail(&format!("GET /containers/{id}/archive"), [gone.clone(), gone.clone()]);
    assert!(transient(engine.provider().find(&reference(7)).await).contains("Read the host key"));
    engine.world().ends_after = Some("archive");
    let found = engine.provider().find(&reference(7)).await.unwrap().unwrap();
    assert_eq!((found.state, found.host_key), (MachineState::Building, None));
}

#[tokio::test]
async fn keys_and_names_that_are_none_are_refused() {
    let engine = Engine::start().await;
    let mut bad = spec(7);
    bad.authorized_key.push_str("\nssh-ed25519 BBBB");
    assert!(permanent(engine.provider().create(&bad).await).contains("one line"));
    assert_eq!(engine.count(CREATE), 0);
}
