//! The catalog: versions, regions, interfaces.

use rstest::rstest;
use serde_json::{Value, json};

use super::cloud::{Cloud, permanent};
use crate::machines::provider::Provider;
use crate::machines::providers::openstack::CloudSettings;

fn entry(kind: &str, endpoints: &[(&str, &str, String)]) -> Value {
    let endpoint = |(interface, region, url): &(&str, &str, String)| json!({ "interface": interface, "region": region, "region_id": region, "url": url });
    json!({ "type": kind, "name": "x", "endpoints": endpoints.iter().map(endpoint).collect::<Vec<_>>() })
}

async fn cloud_with(endpoints: &[(&str, &str, &str)]) -> Cloud {
    let cloud = Cloud::start(&[]).await;
    let endpoints: Vec<_> = endpoints
        .iter()
        .map(|(interface, region, path)| (*interface, *region, format!("{}{path}", cloud.base())))
        .collect();
    let catalog = json!([entry("compute", &endpoints)]);
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token_with("t", 3600, json!({ "id": "p" }), catalog)]);
    cloud
}

#[tokio::test]
async fn novas_address_has_its_version_and_the_others_get_theirs() {
    let cloud = Cloud::start(&[]).await;
    cloud.provider().check().await.unwrap();
    let asked: Vec<_> = cloud.http.all().into_iter().filter(|request| request.starts_with("GET")).collect();
    let expected = ["GET /compute/v2.1/flavors/detail", "GET /image/v2/images", "GET /network/v2.0/networks"];
    assert_eq!(asked, expected);
}

#[rstest]
#[case("/image", "/image/v2/images")]
#[case("/image/", "/image/v2/images")]
#[case("/image/v2", "/image/v2/images")]
#[case("/image/v2/", "/image/v2/images")]
#[case("", "/v2/images")]
#[tokio::test]
async fn a_version_is_appended_once(#[case] path: &str, #[case] asked: &str) {
    let cloud = Cloud::start(&[]).await;
    let url = |path: &str| vec![("public", "RegionOne", format!("{}{path}", cloud.base()))];
    let catalog = json!([entry("compute", &url("/compute/v2.1/")), entry("image", &url(path))]);
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token_with("t", 3600, json!({ "id": "p" }), catalog)]);
    let _ = cloud.provider().check().await;
    assert!(cloud.http.all().contains(&format!("GET {asked}")), "{:?}", cloud.http.all());
}

#[tokio::test]
async fn region_and_interface_select_the_endpoint() {
    let cloud = cloud_with(&[
        ("public", "RegionOne", "/one"),
        ("internal", "RegionTwo", "/internal"),
        ("public", "RegionTwo", "/two"),
    ])
    .await;
    for (region, interface, path) in [("RegionOne", None, "/one"), ("RegionTwo", Some("internalURL"), "/internal")] {
        let interface = interface.map(str::to_owned);
        let settings = CloudSettings { region: Some(region.into()), interface, ..cloud.settings() };
        let credentials = settings.credentials().unwrap();
        let _ = cloud.provider_with(|config| config.credentials = credentials).list().await;
        assert_eq!(cloud.http.all().last().unwrap(), &format!("GET {path}/servers/detail"));
    }
}

#[tokio::test]
async fn an_unknown_region_or_none_of_several_lists_the_choices() {
    let cloud = cloud_with(&[("public", "RegionOne", "/one"), ("public", "RegionTwo", "/two")]).await;
    let list = async |region: Option<&str>| {
        let credentials = CloudSettings { region: region.map(Into::into), ..cloud.settings() }.credentials().unwrap();
        permanent(cloud.provider_with(|config| config.credentials = credentials).list().await)
    };
    let unknown = "OS_REGION_NAME is `Mars`, where Nova is not; its regions: RegionOne, RegionTwo";
    assert_eq!(list(Some("Mars")).await, unknown);
    let several = "Nova is in several regions; choose one by OS_REGION_NAME: RegionOne, RegionTwo";
    assert_eq!(list(None).await, several);
}

#[tokio::test]
async fn the_only_region_needs_no_name() {
    let cloud = cloud_with(&[("public", "RegionOne", "/one"), ("admin", "RegionTwo", "/two")]).await;
    let credentials = CloudSettings { region: None, ..cloud.settings() }.credentials().unwrap();
    let _ = cloud.provider_with(|config| config.credentials = credentials).list().await;
    assert_eq!(cloud.http.all().last().unwrap(), "GET /one/servers/detail");
}

#[tokio::test]
async fn a_service_that_is_not_in_the_catalog_is_named() {
    let cloud = cloud_with(&[("admin", "RegionOne", "/one")]).await;
    let words = permanent(cloud.provider().list().await);
    assert_eq!(
        words,
        "the cloud's catalog has no compute (Nova) with the interface `public` (OS_INTERFACE); it has: compute"
    );
}
