//! Flavors, images and networks by selector.

use rstest::rstest;
use serde_json::json;

use super::cloud::{Cloud, flavors, images, networks, permanent, spec};
use super::http::Reply;
use crate::machines::provider::{MachineOffer, Provider};
use crate::machines::providers::openstack::{FlavorSelector, ImageSelector, NetworkSelector, OpenStackError};

async fn flavor(cloud: &Cloud, selector: &str) -> Result<String, OpenStackError> {
    let selector: FlavorSelector = selector.parse().unwrap();
    let provider = cloud.provider_with(|config| config.flavor = selector);
    provider.check().await.map(|selected| selected.flavor.name)
}

#[rstest]
#[case("m1.large", "m1.large")]
#[case("4", "m1.large")]
#[case(r#"{"ram": 4096, "disk": 40}"#, "m1.medium")]
#[case(r#"{"vcpus": 1}"#, "m1.small")]
#[case(r#"{"ram": 2048, "vcpus": 3}"#, "m1.large")]
#[tokio::test]
async fn a_flavor_is_named_or_the_smallest_that_is_enough(#[case] selector: &str, #[case] expected: &str) {
    let cloud = Cloud::start(&[]).await;
    assert_eq!(flavor(&cloud, selector).await.unwrap(), expected);
}

#[tokio::test]
async fn no_flavor_and_several_list_the_choices() {
    let cloud = Cloud::start(&[]).await;
    let words = flavor(&cloud, r#"{"ram": 16384}"#).await.unwrap_err().to_string();
    let all = "m1.large (4, 8192 MB, 4 CPUs, 80 GB), m1.medium (3, 4096 MB, 2 CPUs, 40 GB), m1.small (2, 2048 MB, 1 CPUs, 20 GB)";
    let least = "at least 16384 MB of memory, 0 CPUs and 0 GB of disk";
    let expected =
        format!("the cloud has no flavor with {least}; it has: {all}. Choose one in OPENSTACK_SANDBOX_FLAVOR");
    assert_eq!(words, expected);
    let mut all = flavors();
    let mut twin = all[0].clone();
    (twin["id"], twin["name"]) = (json!("9"), json!("c1.medium"));
    all.as_array_mut().unwrap().push(twin);
    cloud.http.on("GET", "/compute/v2.1/flavors/detail", [Reply::json(200, &json!({ "flavors": all }))]);
    let words = flavor(&cloud, r#"{"ram": 4096}"#).await.unwrap_err().to_string();
    assert!(words.starts_with("the cloud has more than one smallest flavor with at least 4096 MB"), "{words}");
    assert!(
        words.contains("c1.medium (9, 4096 MB, 2 CPUs, 40 GB), m1.medium (3,") && !words.contains("m1.large"),
        "{words}"
    );
    all[3]["OS-FLV-DISABLED:disabled"] = true.into();
    cloud.http.on("GET", "/compute/v2.1/flavors/detail", [Reply::json(200, &json!({ "flavors": all }))]);
    assert_eq!(flavor(&cloud, r#"{"ram": 4096}"#).await.unwrap(), "m1.medium");
}

#[tokio::test]
async fn an_image_is_named_or_the_newest_active_one() {
    let cloud = Cloud::start(&[]).await;
    let image = async |selector: &str| {
        let selector: ImageSelector = selector.parse().unwrap();
        let provider = cloud.provider_with(|config| config.image = selector);
        provider.check().await.map(|selected| selected.image.id).map_err(|error| error.to_string())
    };
    assert_eq!(image("debian-12").await.unwrap(), "i1");
    assert_eq!(image("i2").await.unwrap(), "i2");
    assert_eq!(image("debian-12*").await.unwrap(), "i2", "i4 is newer, and not active");
    assert_eq!(image("not-uploaded").await.unwrap_err(), "the image `not-uploaded` (i3) is queued; it must be active");
    let words = image("windows*").await.unwrap_err();
    assert!(words.starts_with("the cloud has no active image whose name begins with `windows`; it has: "), "{words}");
    let mut all = images();
    all[2]["name"] = "debian-12".into();
    cloud.http.on("GET", "/image/v2/images", [Reply::json(200, &json!({ "images": all }))]);
    let words = image("debian-12").await.unwrap_err();
    assert!(
        words.contains("debian-12 (i1), debian-12 (i2). Choose one by its id, in OPENSTACK_SANDBOX_BASE_IMAGE"),
        "{words}"
    );
}

#[tokio::test]
async fn a_network_is_named_or_the_only_one_that_is_not_external() {
    let cloud = Cloud::start(&[]).await;
    let network = async |selector: NetworkSelector| {
        let provider = cloud.provider_with(|config| config.network = selector);
        provider.check().await.map(|selected| selected.network.id).map_err(|error| error.to_string())
    };
    assert_eq!(network(NetworkSelector::Only).await.unwrap(), "n1");
    assert_eq!(network(NetworkSelector::Named("private".into())).await.unwrap(), "n1");
    // Some clouds connect servers to their external network.
    assert_eq!(network(NetworkSelector::Named("n2".into())).await.unwrap(), "n2");
    let mut all = networks();
    all[1]["router:external"] = false.into();
    cloud.http.on("GET", "/network/v2.0/networks", [Reply::json(200, &json!({ "networks": all }))]);
    let words = network(NetworkSelector::Only).await.unwrap_err();
    let several = "private (n1), public (n2). Choose one by its id, in OPENSTACK_NETWORK";
    assert_eq!(words, format!("the cloud has more than one network that is not external: {several}"));
}

#[tokio::test]
async fn nothing_is_created_when_a_selector_selects_nothing() {
    let cloud = Cloud::start(&[]).await;
    let provider = cloud.provider_with(|config| config.image = ImageSelector::Named("no-such".into()));
    let words = permanent(provider.create(&spec(7)).await);
    assert!(words.starts_with("the cloud has no image with the name or id `no-such`; it has: "), "{words}");
    assert_eq!(cloud.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn the_offer_is_the_flavors_size_once_it_is_known() {
    let cloud = Cloud::start(&[]).await;
    let provider = cloud.provider_with(|config| config.flavor = r#"{"ram": 3000, "disk": 10}"#.parse().unwrap());
    assert_eq!(provider.offers(), MachineOffer { has_own_kernel: true, memory_mb: Some(3000), disk_gb: Some(10) });
    provider.check().await.unwrap();
    assert_eq!(provider.offers(), MachineOffer { has_own_kernel: true, memory_mb: Some(4096), disk_gb: Some(40) });
    assert_eq!(cloud.provider().offers(), MachineOffer::ANY);
}
