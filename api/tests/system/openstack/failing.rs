//! Spawns, restarts and deletions that are slow or fail, and a create whose answer is lost.

use std::time::{Duration, Instant};

use ocim::machines::provider::{MachineState, Provider, ProviderError};
use ocim::machines::providers::openstack::{CloudSettings, OpenStack};

use super::cable::Cable;
use super::user::User;
use super::{clean, config, failure, provider, reference, settings, settled, spec, variable};

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn spawns_that_are_slow_or_fail_are_told_apart() {
    let (user, provider) = (User::log_in(&variable("OS_PROJECT_NAME")).await, provider());
    clean(&provider).await;
    user.create_as_ocim(11, &[("ostb_spawn_delay", "8")]).await;
    user.create_as_ocim(12, &[("ostb_spawn_error", "abort")]).await;
    user.create_as_ocim(13, &[("ostb_spawn_error", "retry")]).await;
    let begun = Instant::now();
    for id in [12, 13] {
        let machine = settled(&provider, id).await;
        println!("spawn failed: {}", failure(&machine));
    }
    assert_eq!(settled(&provider, 11).await.state, MachineState::Active);
    println!("slow spawn: {:?}", begun.elapsed());
    // Terminated while it is spawned.
    user.create_as_ocim(14, &[("ostb_spawn_delay", "6")]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begun = Instant::now();
    provider.terminate(&reference(14)).await.unwrap();
    println!("terminated in mid-spawn: {:?}", begun.elapsed());
    assert_eq!(provider.find(&reference(14)).await.unwrap(), None);
    clean(&provider).await;
    assert_eq!(provider.list().await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_restart_that_fails_is_not_told_and_the_next_one_works() {
    let (user, provider) = (User::log_in(&variable("OS_PROJECT_NAME")).await, provider());
    clean(&provider).await;
    let id = provider.create(&spec(21)).await.unwrap().provider_id;
    settled(&provider, 21).await;
    user.steer(&id, "ostb_reboot_error", "1").await;
    for attempt in ["fails", "works"] {
        provider.reboot(&reference(21)).await.unwrap();
        let machine = settled(&provider, 21).await;
        println!("a restart that {attempt}: {:?}", machine.state);
        // Why the boots are compared over SSH.
        assert_eq!(machine.state, MachineState::Active);
    }
    // While the restart is slow, another request is success.
    user.steer(&id, "ostb_reboot_delay", "4").await;
    provider.reboot(&reference(21)).await.unwrap();
    provider.reboot(&reference(21)).await.unwrap();
    assert_eq!(provider.find(&reference(21)).await.unwrap().unwrap().state, MachineState::Building);
    assert_eq!(settled(&provider, 21).await.state, MachineState::Active);
    clean(&provider).await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn deletions_that_are_slow_or_fail_end_gone() {
    let (user, provider) = (User::log_in(&variable("OS_PROJECT_NAME")).await, provider());
    clean(&provider).await;
    user.create_as_ocim(31, &[("ostb_destroy_delay", "5")]).await;
    user.create_as_ocim(32, &[("ostb_destroy_error", "1")]).await;
    let stubborn = user.create_as_ocim(33, &[("ostb_destroy_error", "4")]).await;
    let locked = user.create_as_ocim(34, &[]).await;
    for id in [31, 32, 33, 34] {
        settled(&provider, id).await;
    }
    for id in [31, 32] {
        let begun = Instant::now();
        provider.terminate(&reference(id)).await.unwrap();
        println!("terminate {id}: {:?}", begun.elapsed());
        assert_eq!(provider.find(&reference(id)).await.unwrap(), None);
    }
    let begun = Instant::now();
    let Err(ProviderError::Transient(words)) = provider.terminate(&reference(33)).await else { panic!("not failed") };
    println!("terminate 33: {words}, after {:?}", begun.elapsed());
    let deletes = user.actions(&stubborn).await.iter().filter(|name| *name == "delete").count();
    assert_eq!(deletes, 3);
    provider.terminate(&reference(33)).await.unwrap();
    user.lock(&locked, true).await;
    match provider.terminate(&reference(34)).await {
        Err(ProviderError::Permanent(words)) => println!("locked: {words}"),
        other => panic!("{other:?}"),
    }
    user.lock(&locked, false).await;
    provider.terminate(&reference(34)).await.unwrap();
    assert_eq!(provider.list().await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_create_whose_answer_is_lost_makes_one_server() {
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    clean(&provider()).await;
    let cable = Cable::plug().await;
    let settings = CloudSettings { auth_url: Some(cable.keystone()), ..settings() };
    let provider = OpenStack::open(config(settings)).unwrap();
    cable.lose_answers_to("POST", "/servers");
    match provider.create(&spec(41)).await {
        Err(ProviderError::Transient(words)) => println!("lost: {words}"),
        other => panic!("{other:?}"),
    }
    let found = provider.find(&reference(41)).await.unwrap().expect("Nova has made it");
    assert_eq!(provider.create(&spec(41)).await.unwrap().provider_id, found.provider_id);
    cable.heal();
    let named = user.servers().await.into_iter().filter(|server| server["name"] == "demo-41").count();
    println!("servers after a lost answer: {named}");
    assert_eq!(named, 1);
    clean(&provider).await;
}
