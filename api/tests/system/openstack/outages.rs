//! Services that are away and come back, and tokens that end.

use std::time::{Duration, Instant};

use ocim::machines::provider::{MachineState, Provider, ProviderError};
use ocim::machines::providers::openstack::{CloudSettings, OpenStack};

use super::cable::Cable;
use super::{clean, config, provider, reference, settings, settled, spec, testbed, variable};

/// That every operation fails for now, within a minute, and none says that a machine is gone.
async fn is_away(provider: &OpenStack, what: &str) {
    let begun = Instant::now();
    let answers = [
        ("find", provider.find(&reference(51)).await.map(drop)),
        ("create", provider.create(&spec(52)).await.map(drop)),
        ("list", provider.list().await.map(drop)),
        ("terminate", provider.terminate(&reference(51)).await),
    ];
    println!("{what} away, four operations: {:?}", begun.elapsed());
    for (operation, answer) in answers {
        match answer {
            Err(ProviderError::Transient(words)) => println!("  {operation}: {words}"),
            other => panic!("{what}, {operation}: {other:?}"),
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn outages_are_passing_and_heal() {
    let provider = provider();
    clean(&provider).await;
    provider.create(&spec(51)).await.unwrap();
    let before = settled(&provider, 51).await;
    for daemons in [&["nova-api"][..], &["keystone"]] {
        testbed(&[&["halt"], daemons].concat()).await;
        // A new process, which has no token yet.
        is_away(&super::provider(), daemons[0]).await;
        testbed(&["start"]).await;
        let begun = Instant::now();
        while provider.find(&reference(51)).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        println!("{} heals after {:?}", daemons[0], begun.elapsed());
        assert_eq!(settled(&provider, 51).await, before);
    }
    clean(&provider).await;
    assert_eq!(provider.list().await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_token_that_expires_in_mid_build_is_replaced() {
    clean(&provider()).await;
    let life = Duration::from_secs(variable("OSTB_TOKEN_TTL").parse().unwrap());
    let cable = Cable::plug().await;
    cable.lengthen_tokens();
    let settings = CloudSettings { auth_url: Some(cable.keystone()), ..settings() };
    let long = OpenStack::open(config(settings)).unwrap();
    // Beside it, one that sees the true times, and replaces its token before it ends.
    let true_cable = Cable::plug().await;
    let settings = CloudSettings { auth_url: Some(true_cable.keystone()), ..super::settings() };
    let exact = OpenStack::open(config(settings)).unwrap();
    long.create(&spec(71)).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < life + Duration::from_secs(10) {
        for provider in [&long, &exact] {
            assert!(provider.find(&reference(71)).await.unwrap().is_some());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(settled(&long, 71).await.state, MachineState::Active);
    println!(
        "after {:?}, (logins, 401s): expired unseen {:?}, replaced in time {:?}",
        begun.elapsed(),
        cable.counts(),
        true_cable.counts()
    );
    assert_eq!(cable.counts(), (2, 1));
    let (logins, unauthorized) = true_cable.counts();
    assert!(logins >= 2 && unauthorized == 0, "{logins} logins, {unauthorized} answers with 401");
    clean(&long).await;
}
