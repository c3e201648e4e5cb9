//! Containers after their creation, and the contract of all providers.

use std::time::Duration;

use serde_json::json;

use super::engine::{Engine, Fault, INSTALLATION, permanent, reference, spec, transient};
use crate::machines::conformance::{Check, Limits, Outcome, Subject, run};
use crate::machines::provider::{MachineState, Provider};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    for is_rootless in [false, true] {
        let engine = Engine::start().await;
        engine.world().is_rootless = is_rootless;
        let (provider, stranger) =
            (engine.provider(), engine.provider_with(|config| config.installation = "other".into()));
        let limits = Limits { read: LIMIT, change: LIMIT, ready: LIMIT, poll: Duration::from_millis(2) };
        let subject = Subject { provider: &provider, stranger: Some(&stranger), probe: None, limits, first_id: 1 };
        let all = run(&subject, &mut |_| {}).await.unwrap();
        let failed: Vec<_> =
            all.iter().filter(|one| one.check != Check::LetsInItsKey && one.outcome != Outcome::Passed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(engine.world().containers.is_empty());
    }
}

#[tokio::test]
async fn a_container_that_has_ended_is_started_again() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    let made = provider.create(&spec(7)).await.unwrap();
    engine.world().containers.values_mut().for_each(|container| container.status = "exited");
    assert_eq!(provider.list().await.unwrap()[0].1.state, MachineState::Building);
    assert_eq!(engine.world().only().starts, 1, "a list starts nothing");
    assert_eq!(engine.provider().start_all().await.unwrap().len(), 0);
    assert_eq!(engine.world().only().starts, 2);
    assert_eq!(provider.find(&reference(7)).await.unwrap().unwrap(), made);
}

#[tokio::test]
async fn a_container_that_has_just_ended_is_not_started_while_the_engine_cleans_up() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    let now = chrono::Utc::now().to_rfc3339().leak();
    let end = |at: &'static str| {
        let mut world = engine.world();
        let container = world.containers.values_mut().next().unwrap();
        (container.status, container.finished_at) = ("exited", at);
    };
    end(now);
    let found = provider.find(&reference(7)).await.unwrap().unwrap();
    assert_eq!((found.state, engine.world().only().starts), (MachineState::Building, 1));
    end("2026-11-28T18:26:59.181504917Z");
    provider.find(&reference(7)).await.unwrap();
    assert_eq!(engine.world().only().starts, 2);
}

#[tokio::test]
async fn a_paused_container_is_not_touched() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    engine.world().containers.values_mut().for_each(|container| container.status = "paused");
    let found = provider.find(&reference(7)).await.unwrap().unwrap();
    assert!(matches!(&found.state, MachineState::Failed(words) if words.contains("podman unpause")), "{found:?}");
}

#[tokio::test]
async fn a_reboot_restarts_the_container_of_this_server_alone() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    let made = provider.create(&spec(7)).await.unwrap();
    engine.add_stranger("web", &json!({ "ocim.server": "8", "ocim.installation": "other" }));
    provider.reboot(&reference(7)).await.unwrap();
    assert_eq!(engine.world().containers[&made.provider_id].starts, 2);
    assert_eq!(provider.find(&reference(7)).await.unwrap().unwrap(), made);
    assert!(permanent(provider.reboot(&reference(8)).await).contains("there is no container of server 8"));
}

#[tokio::test]
async fn a_removal_returns_when_the_engine_has_no_container_any_more() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    // Podman, while another removal is at work.
    let busy = || Fault::Refused(500, "cannot remove container: it is being removed by another process");
    engine.fail("DELETE", [busy(), busy(), Fault::Lost]);
    assert!(transient(provider.terminate(&reference(7)).await).contains("Remove container"));
    provider.terminate(&reference(7)).await.unwrap();
    assert!(engine.world().containers.is_empty());
    provider.terminate(&reference(7)).await.unwrap();

    provider.create(&spec(8)).await.unwrap();
    engine.fail("DELETE", std::array::from_fn::<_, 1000, _>(|_| Fault::Refused(500, "device or resource busy")));
    let words = transient(provider.terminate(&reference(8)).await);
    assert!(words.contains("answers 500: device or resource busy"), "{words}");
    assert_eq!(provider.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_holds_a_container_is_said_as_it_is() {
    let engine = Engine::start().await;
    let active = async |is_rootless| {
        engine.world().is_rootless = is_rootless;
        let provider = engine.provider();
        let list = provider.protections().await;
        let active: Vec<String> = list.into_iter().filter(|one| one.is_active).map(|one| one.name).collect();
        (active.join(" "), provider.offers().memory_mb)
    };
    assert_eq!(active(false).await, ("system calls memory processes".to_owned(), Some(512)));
    // Control groups of version 1 are not an ordinary user's, although Podman says so.
    assert_eq!(active(true).await, ("user namespace system calls".to_owned(), None));
}

#[tokio::test]
async fn of_two_containers_of_one_server_the_older_counts_and_both_are_removed() {
    let engine = Engine::start().await;
    let labels = json!({ "ocim.installation": INSTALLATION, "ocim.server": "7" });
    engine.add_stranger("renamed", &labels);
    engine.add_stranger("copied", &labels);
    let provider = engine.provider();
    let found = provider.find(&reference(7)).await.unwrap().unwrap();
    assert_eq!(found.provider_id, format!("{:064x}", 1));
    assert_eq!(provider.list().await.unwrap().len(), 1);
    provider.terminate(&reference(7)).await.unwrap();
    assert!(engine.world().containers.is_empty());
}
