//! Lists: pages, and strangers in them.

use serde_json::{Value, json};
use shared_types::ServerId;

use super::cloud::{Cloud, DETAIL, INSTALLATION, ONE, OTHER, active, images, server, transient, with};
use super::http::Reply;
use crate::machines::provider::Provider;
use crate::machines::providers::openstack::ImageSelector;

fn page(servers: &[Value], next: Option<&str>) -> Reply {
    let links: Vec<_> = next.iter().map(|href| json!({ "rel": "next", "href": href })).collect();
    let mut body = json!({ "servers": servers });
    if !links.is_empty() {
        body["servers_links"] = links.into();
    }
    Reply::json(200, &body)
}

#[tokio::test]
async fn only_servers_with_both_of_our_ids_are_listed() {
    // A filter would not help: at 2.1 Nova ignores those that it does not know, and `metadata` is none.
    let mut servers = vec![active(ONE, 7, "10.0.0.5"), server(OTHER, 12, "BUILD")];
    for metadata in [
        json!({}),
        json!({ "ocim_server_id": "7" }),
        json!({ "ocim_installation": INSTALLATION }),
        json!({ "ocim_installation": "22222222-bbbb", "ocim_server_id": "7" }),
        json!({ "ocim_installation": format!("{INSTALLATION} "), "ocim_server_id": "7" }),
        json!({ "ocim_installation": INSTALLATION, "ocim_server_id": "seven" }),
        json!({ "ocim_installation": INSTALLATION, "ocim_server_id": "0" }),
        json!({ "ocim_installation": INSTALLATION, "ocim_server_id": "-7" }),
    ] {
        servers.push(with(server("stranger", 7, "ACTIVE"), &json!({ "metadata": metadata })));
    }
    let mut bare = server("stranger", 7, "ACTIVE");
    bare.as_object_mut().unwrap().remove("metadata");
    servers.push(bare);
    let cloud = Cloud::start(&servers).await;
    let listed = cloud.provider().list().await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|(id, machine)| (id, machine.provider_id)).collect();
    assert_eq!(listed, [(ServerId(7), ONE.to_owned()), (ServerId(12), OTHER.to_owned())]);
    assert!(cloud.http.requests("GET", DETAIL).iter().all(|request| !request.path.contains('?')), "no filter");
}

#[tokio::test]
async fn all_pages_are_read_and_the_token_stays_with_the_cloud() {
    let cloud = Cloud::start(&[]).await;
    // Behind a proxy, Nova's links may name another host and path.
    let other = Cloud::start(&[]).await;
    let next = format!("{}/v2.1/servers/detail?limit=1&marker={ONE}", other.base());
    cloud.http.on("GET", DETAIL, [page(&[active(ONE, 7, "10.0.0.5")], Some(&next))]);
    cloud.http.on("GET", &format!("{DETAIL}?limit=1&marker={ONE}"), [page(&[server(OTHER, 8, "BUILD")], None)]);
    let listed = cloud.provider().list().await.unwrap();
    assert_eq!(listed.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(other.http.all(), Vec::<String>::new());
}

#[tokio::test]
async fn glances_links_are_relative() {
    let cloud = Cloud::start(&[]).await;
    let all = images();
    let first = json!({ "images": [all[0]], "next": "/v2/images?marker=i3", "first": "/v2/images" });
    cloud.http.on("GET", "/image/v2/images", [Reply::json(200, &first)]);
    cloud.http.on("GET", "/image/v2/images?marker=i3", [Reply::json(200, &json!({ "images": [all[1], all[2]] }))]);
    let provider = cloud.provider_with(|config| config.image = ImageSelector::Newest("debian-12".into()));
    assert_eq!(provider.check().await.unwrap().image.id, "i2");
}

#[tokio::test]
async fn a_list_that_does_not_end_is_an_error() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", DETAIL, [page(&[server(ONE, 7, "ACTIVE")], Some("http://x/?marker=m"))]);
    let words = transient(cloud.provider().list().await);
    assert_eq!(words, "List servers: the answer of Nova names the same page as the next one");
}

#[tokio::test]
async fn a_page_that_is_lost_makes_no_short_list() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", DETAIL, [page(&[server(ONE, 7, "ACTIVE")], Some("http://x/?marker=m"))]);
    cloud.http.on("GET", &format!("{DETAIL}?marker=m"), [Reply::Cut]);
    transient(cloud.provider().list().await);
}

#[tokio::test]
async fn a_token_that_expires_between_two_pages_is_replaced() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token("token-1", 3600), cloud.token("token-2", 3600)]);
    cloud.http.on("GET", DETAIL, [page(&[server(ONE, 7, "ACTIVE")], Some("http://x/?marker=m"))]);
    let last = page(&[server(OTHER, 8, "ACTIVE")], None);
    cloud.http.on("GET", &format!("{DETAIL}?marker=m"), [Reply::empty(401), last]);
    assert_eq!(cloud.provider().list().await.unwrap().len(), 2);
    assert_eq!((cloud.logins(), cloud.http.requests("GET", DETAIL).len()), (2, 3));
}
