//! The whole life of a machine, its floating address, and what is refused.

use std::time::Instant;

use ocim::machines::provider::{MachineState, Provider, ProviderError};
use ocim::machines::providers::openstack::{CloudSettings, ImageSelector, NetworkSelector, OpenStack};

use super::user::User;
use super::{clean, config, failure, provider, provider_with, reference, settings, settled, spec, variable};

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_machine_is_created_found_restarted_and_terminated() {
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let (provider, ports) = (provider(), user.network_things("ports").await.len());
    clean(&provider).await;
    let selected = provider.check().await.unwrap();
    assert_eq!((selected.flavor.name.as_str(), selected.network.name.as_str()), ("m1.tiny", "private"));

    let begun = Instant::now();
    let created = provider.create(&spec(1)).await.unwrap();
    println!("create: {:?}", begun.elapsed());
    assert_eq!(created.state, MachineState::Building);
    let again = provider.create(&spec(1)).await.unwrap();
    assert_eq!(again.provider_id, created.provider_id);
    let active = settled(&provider, 1).await;
    println!("active after: {:?}", begun.elapsed());
    assert_eq!(active.state, MachineState::Active, "{active:?}");
    let address = active.endpoint.unwrap().ssh.to_string();
    assert!(address.starts_with("10.77.") && address.ends_with(":22"), "{address}");
    let seen = user.server(&created.provider_id).await;
    assert_eq!(seen["name"], "demo-1");
    assert!(seen["key_name"].is_null());

    let begun = Instant::now();
    provider.reboot(&reference(1)).await.unwrap();
    println!("reboot accepted: {:?}", begun.elapsed());
    // Once more while it restarts.
    provider.reboot(&reference(1)).await.unwrap();
    assert_eq!(settled(&provider, 1).await.state, MachineState::Active);
    println!("reboot: {:?}", begun.elapsed());

    let begun = Instant::now();
    provider.terminate(&reference(1)).await.unwrap();
    println!("terminate: {:?}", begun.elapsed());
    assert_eq!(provider.find(&reference(1)).await.unwrap(), None);
    provider.terminate(&reference(1)).await.unwrap();
    assert_eq!(user.network_things("ports").await.len(), ports, "its port is gone");
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_floating_address_comes_and_goes_with_its_machine() {
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let provider = provider_with(|config| config.floating_network = Some("public".into()));
    clean(&provider).await;
    let others = user.floating("a stranger's").await;
    provider.create(&spec(2)).await.unwrap();
    let active = settled(&provider, 2).await;
    let address = active.endpoint.unwrap().public_ip.to_string();
    assert!(address.starts_with("192.0.2."), "{address}");
    // From now on Nova shows it, and it is not made again.
    let again = settled(&provider, 2).await;
    assert_eq!(again.endpoint, active.endpoint);
    assert_eq!(user.network_things("floatingips").await.len(), 2);
    provider.terminate(&reference(2)).await.unwrap();
    let left = user.network_things("floatingips").await;
    assert_eq!(left.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), [&others]);
    user.release(&others).await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_quota_is_refused_in_novas_words() {
    let project = CloudSettings { project_name: Some(variable("OSTB_TINY_PROJECT")), ..settings() };
    let tiny = OpenStack::open(config(project)).unwrap();
    clean(&tiny).await;
    tiny.create(&spec(1)).await.unwrap();
    settled(&tiny, 1).await;
    let words = match tiny.create(&spec(2)).await {
        Err(ProviderError::Quota(words)) => words,
        other => panic!("not refused: {other:?}"),
    };
    println!("quota: {words}");
    // That of servers, or that of ports.
    let quotas = ["Quota exceeded for instances", "Maximum number of ports exceeded"];
    let is_expected = |quota| words.starts_with(&format!("Create server demo-2: Nova answers 403: {quota}"));
    assert!(quotas.into_iter().any(is_expected), "{words}");
    clean(&tiny).await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn what_the_cloud_does_not_have_or_take_is_said() {
    let create = async |change: fn(&mut ocim::machines::providers::openstack::OpenStackConfig)| {
        let provider = provider_with(change);
        clean(&provider).await;
        match provider.create(&spec(3)).await {
            Err(ProviderError::Permanent(words)) => {
                println!("refused: {words}");
                words
            }
            other => panic!("{other:?}"),
        }
    };
    let words = create(|config| config.flavor = "m1.gone".parse().unwrap()).await;
    assert!(
        words.starts_with("the cloud has no flavor with the name or id `m1.gone`; it has: m1.large (4), "),
        "{words}"
    );
    let words = create(|config| config.flavor = r#"{"ram": 999999}"#.parse().unwrap()).await;
    assert!(words.starts_with("the cloud has no flavor with at least 999999 MB"), "{words}");
    let words = create(|config| config.image = ImageSelector::Named("not-uploaded".into())).await;
    assert!(words.contains("is queued; it must be active"), "{words}");
    let words = create(|config| config.image = ImageSelector::Named("needs-4g".into())).await;
    assert!(words.starts_with("Create server demo-3: Nova answers 400: Flavor's memory is too small"), "{words}");
    let words = create(|config| config.network = NetworkSelector::Named("gone".into())).await;
    assert!(words.contains("no network with the name or id `gone`; it has: private ("), "{words}");
    let words = create(|config| config.security_groups = vec!["gone".into()]).await;
    assert!(words.contains("Nova answers 400: Unable to find security_group with name or id 'gone'"), "{words}");
    let words = create(|config| config.availability_zone = Some("gone".into())).await;
    assert!(words.contains("Nova answers 400: The requested availability zone is not available"), "{words}");
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_server_that_fits_no_host_or_network_fails_with_novas_words() {
    let no_host = provider_with(|config| config.flavor = "ostb.toobig".parse().unwrap());
    let external = provider_with(|config| config.network = NetworkSelector::Named("public".into()));
    clean(&no_host).await;
    no_host.create(&spec(4)).await.unwrap();
    external.create(&spec(5)).await.unwrap();
    let machine = settled(&no_host, 4).await;
    println!("no valid host: {}", failure(&machine));
    assert!(failure(&machine).contains("No valid host was found."), "{machine:?}");
    let machine = settled(&external, 5).await;
    println!("external network: {}", failure(&machine));
    for id in [4, 5] {
        no_host.terminate(&reference(id)).await.unwrap();
    }
    assert_eq!(no_host.list().await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn an_application_credential_logs_in_by_id_and_by_name() {
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let (id, secret) = user.application_credential("ocim-test").await;
    let by_id = CloudSettings {
        auth_url: settings().auth_url,
        application_credential_id: Some(id.clone()),
        application_credential_secret: Some(secret.into()),
        ..CloudSettings::default()
    };
    let by_name = CloudSettings {
        application_credential_id: None,
        application_credential_name: Some("ocim-test".into()),
        username: settings().username,
        user_domain_name: settings().user_domain_name,
        ..by_id.clone()
    };
    for settings in [by_id.clone(), by_name] {
        OpenStack::open(config(settings)).unwrap().check().await.unwrap();
    }
    user.revoke(&id).await;
    let Err(error) = OpenStack::open(config(by_id)).unwrap().check().await else { panic!("not refused") };
    println!("revoked: {error}");
    assert!(error.to_string().contains("OS_APPLICATION_CREDENTIAL_ID, OS_APPLICATION_CREDENTIAL_SECRET"), "{error}");
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn wrong_credentials_and_regions_are_said() {
    let list = async |change: fn(&mut CloudSettings)| {
        let mut settings = settings();
        change(&mut settings);
        match OpenStack::open(config(settings)).unwrap().list().await {
            Err(ProviderError::Permanent(words)) => {
                println!("refused: {words}");
                words
            }
            other => panic!("{other:?}"),
        }
    };
    let one: [fn(&mut CloudSettings); 3] = [
        |settings| settings.password = Some("wrong-password".into()),
        |settings| settings.project_name = Some("gone".into()),
        |settings| settings.username = Some("gone".into()),
    ];
    for change in one {
        let words = list(change).await;
        assert!(
            words.starts_with("Log in to the cloud: Keystone answers 401: ") && words.contains("OS_PASSWORD"),
            "{words}"
        );
        assert!(!words.contains("wrong-password"), "{words}");
    }
    let words = list(|settings| settings.region = Some("Mars".into())).await;
    assert_eq!(words, "OS_REGION_NAME is `Mars`, where Nova is not; its regions: RegionOne");
    let words =
        list(|settings| settings.auth_url = Some(format!("{}/gone", variable("OS_AUTH_URL").trim_end_matches("/v3"))))
            .await;
    assert!(words.ends_with("Check OS_AUTH_URL."), "{words}");
}
