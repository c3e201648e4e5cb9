//! Twenty of ours and twenty of others in one project; a full project.

use std::time::Instant;

use futures::future::join_all;
use ocim::machines::provider::{MachineState, Provider, ProviderError};
use serde_json::{Value, json};

use super::user::User;
use super::{INSTALLATION, clean, provider, provider_with, reference, settled, spec, variable};

/// Metadata that looks like ours, or does not.
pub(super) fn foreign(number: i64) -> Value {
    match number % 4 {
        0 => json!({}),
        1 => json!({ "ocim_server_id": number.to_string() }),
        2 => json!({ "ocim_installation": INSTALLATION }),
        _ => json!({ "ocim_installation": "22222222-bbbb", "ocim_server_id": number.to_string() }),
    }
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn of_twenty_own_and_twenty_strangers_no_stranger_is_touched() {
    let (user, provider) = (User::log_in(&variable("OS_PROJECT_NAME")).await, provider());
    user.clear().await;
    let begun = Instant::now();
    let mut strangers = Vec::new();
    for number in 1..=20 {
        // With the names and numbers of ours.
        strangers.push(user.create(&format!("demo-{number}"), foreign(number)).await);
    }
    let specs: Vec<_> = (1..=20).map(spec).collect();
    for created in join_all(specs.iter().map(|spec| provider.create(spec))).await {
        created.unwrap();
    }
    for id in 1..=20 {
        assert_eq!(settled(&provider, id).await.state, MachineState::Active);
    }
    println!("20 own and 20 strangers are active after {:?}", begun.elapsed());
    let of_strangers = async || {
        let all = user.servers().await;
        all.into_iter().filter(|server| strangers.iter().any(|id| server["id"] == **id)).collect::<Vec<_>>()
    };
    let is_active = |server: &Value| server["status"] == "ACTIVE";
    while !of_strangers().await.iter().all(is_active) {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let before = of_strangers().await;
    assert_eq!(before.len(), 20);
    let begun = Instant::now();
    assert_eq!(provider.list().await.unwrap().len(), 20);
    println!("a list of 20 among 40: {:?}", begun.elapsed());

    for id in 1..=20 {
        provider.reboot(&reference(id)).await.unwrap();
    }
    for id in 1..=20 {
        settled(&provider, id).await;
    }
    let begun = Instant::now();
    for gone in join_all((1..=20).map(async |id| provider.terminate(&reference(id)).await)).await {
        gone.unwrap();
    }
    println!("20 terminated at once: {:?}", begun.elapsed());
    assert_eq!(provider.list().await.unwrap(), []);
    let after = of_strangers().await;
    let touched = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    println!("strangers touched: {}", touched + before.len() - after.len());
    assert_eq!((after.len(), touched), (20, 0), "unchanged in every field, also in the time of the last change");
    user.clear().await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn fifty_are_created_at_once_and_the_fifty_first_is_refused() {
    let (user, provider) = (User::log_in(&variable("OS_PROJECT_NAME")).await, provider_with(|_| {}));
    user.clear().await;
    let begun = Instant::now();
    let specs: Vec<_> = (1..=50).map(|number| spec(100 + number)).collect();
    let results = join_all(specs.iter().map(|spec| provider.create(spec))).await;
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    println!("50 creates at once: {:?}, {} failed: {:?}", begun.elapsed(), failed.len(), failed.first());
    for spec in &specs {
        // As a build does after an error that may heal.
        let id = spec.server_id.0;
        if provider.find(&reference(id)).await.unwrap().is_none() {
            provider.create(spec).await.unwrap();
        }
    }
    for spec in &specs {
        assert_eq!(settled(&provider, spec.server_id.0).await.state, MachineState::Active);
    }
    println!("50 are active after {:?}", begun.elapsed());
    let Err(ProviderError::Quota(words)) = provider.create(&spec(151)).await else { panic!("not refused") };
    println!("the 51st: {words}");
    assert_eq!(user.servers().await.len(), 50);
    let begun = Instant::now();
    clean(&provider).await;
    println!("50 terminated one after another: {:?}", begun.elapsed());
}
