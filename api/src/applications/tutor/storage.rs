//! File storage outside the machine, by Tutor's plugin `s3` (tutor-contrib-s3), and the keys that say where it is.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::ResourceKind;
use shared_types::applications::tutor::{TutorSettings, lists};
use shared_types::resource::PUBLIC;
use shared_types::yaml;
use shared_types::yaml::typed;

use crate::instances::application::ResourceSpec;
use crate::resources::connection::Connection;
use crate::resources::providers::s3::is_amazon;

/// The plugin without which Tutor knows none of these keys.
const PLUGIN: &str = "s3";
/// What the plugin's keys begin with.
const PREFIX: &str = "S3_";
/// The bucket for all files but profile images, which browsers read without a signed URL: they are in the public one.
const FILES: &str = "files";

/// Two buckets for an instance with the plugin, where there is a store and its keys are not given in the extra configuration.
pub(super) fn specs(settings: &TutorSettings) -> Option<ResourceSpec> {
    let has_plugin = lists::words(&settings.plugins).contains(&PLUGIN);
    let extra = yaml::parse_map(&settings.extra_config).unwrap_or_default();
    let is_given = extra.keys().any(|key| key.starts_with(PREFIX));
    let databases = vec![FILES.to_owned(), PUBLIC.to_owned()];
    (has_plugin && !is_given).then_some(ResourceSpec { kind: ResourceKind::S3, databases, is_required: false })
}

/// The plugin's keys for these connections.
pub(super) fn keys(connections: &[Connection]) -> Map<String, Value> {
    let stores = connections.iter().filter(|at| at.kind == ResourceKind::S3);
    stores.flat_map(s3).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn s3(at: &Connection) -> Vec<(&'static str, Value)> {
    let (files, public) = (at.database(FILES), at.database(PUBLIC));
    let option = |name: &str| at.options.get(name).map(String::as_str);
    let mut keys = vec![
        ("OPENEDX_AWS_ACCESS_KEY", json!(at.username)),
        ("OPENEDX_AWS_SECRET_ACCESS_KEY", typed::marked(json!(at.password.expose_secret()))),
        ("S3_STORAGE_BUCKET", json!(files)),
        ("S3_FILE_UPLOAD_BUCKET", json!(files)),
        ("S3_GRADE_BUCKET", json!(files)),
        ("S3_ADDRESSING_STYLE", json!(option("addressing").unwrap_or("auto"))),
        ("S3_USE_SSL", json!(at.endpoint.has_tls)),
    ];
    keys.extend(option("region").map(|region| ("S3_REGION", json!(region))));
    if !is_amazon(&at.endpoint.host) {
        keys.extend([("S3_HOST", json!(at.endpoint.host)), ("S3_PORT", json!(at.endpoint.port.to_string()))]);
    }
    if let Some(public) = public {
        keys.push(("S3_PROFILE_IMAGE_BUCKET", json!(public)));
        keys.push(("S3_PROFILE_IMAGE_CUSTOM_DOMAIN", json!(domain(at, public))));
    }
    keys
}

/// Where browsers read a bucket's objects, without the scheme.
fn domain(at: &Connection, bucket: &str) -> String {
    let url = at.endpoint.url("");
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    match at.options.get("addressing").map(String::as_str) {
        Some("virtual") => format!("{bucket}.{host}"),
        Some(_) | None => format!("{host}/{bucket}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::*;
    use crate::applications::tutor::testing::sample;
    use crate::resources::server::Endpoint;

    fn connection(host: &str, port: u16, addressing: &str) -> Connection {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Connection {
            kind: ResourceKind::S3,
            endpoint: Endpoint { host: host.into(), port, has_tls: true },
            username: "AKIA1".into(),
            password: "hidden-1".to_owned().into(),
            databases: owned(&[("files", "ocim-1-7-abcdefgh"), ("public", "ocim-1-7-ijklmnop")]),
            options: owned(&[("addressing", addressing), ("region", "eu-west-1")]),
        }
    }

    #[test]
    fn buckets_are_for_instances_with_the_plugin_and_without_keys_of_their_own() {
        assert_eq!(specs(&sample()), None);
        let with = TutorSettings { plugins: "mfe s3".into(), ..sample() };
        assert!(specs(&with).is_some_and(|spec| !spec.is_required && spec.databases == ["files", "public"]));
        assert_eq!(specs(&TutorSettings { extra_config: "S3_STORAGE_BUCKET: own\n".into(), ..with }), None);
    }

    #[test]
    fn keys_are_those_of_the_plugin() {
        let made = keys(&[connection("s3.example", 9000, "path")]);
        assert_eq!((&made["S3_HOST"], &made["S3_PORT"]), (&json!("s3.example"), &json!("9000")));
        assert_eq!(
            (&made["S3_STORAGE_BUCKET"], &made["S3_GRADE_BUCKET"]),
            (&json!("ocim-1-7-abcdefgh"), &json!("ocim-1-7-abcdefgh"))
        );
        assert_eq!(made["S3_PROFILE_IMAGE_CUSTOM_DOMAIN"], "s3.example:9000/ocim-1-7-ijklmnop");
        let secret = made["OPENEDX_AWS_SECRET_ACCESS_KEY"].as_str().unwrap_or_default();
        assert!(typed::scalar(secret).is_secret && secret.contains("hidden-1"));
    }

    #[test]
    fn amazons_store_is_found_by_its_region() {
        let made = keys(&[connection("s3.eu-west-1.amazonaws.com", 443, "virtual")]);
        assert!(!made.contains_key("S3_HOST") && made["S3_REGION"] == "eu-west-1", "{made:?}");
        assert_eq!(made["S3_PROFILE_IMAGE_CUSTOM_DOMAIN"], "ocim-1-7-ijklmnop.s3.eu-west-1.amazonaws.com");
    }
}
