//! File storage outside the machine, and the variables that say where it is, under the names of the original.
//!
//! Buckets of S3 are private: files are read by signed URLs, so that no object needs an ACL, which many buckets do not have any more. The
//! container of Swift is publicly readable, as in the original.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::ResourceKind;
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::resource::PUBLIC;
use shared_types::yaml::typed;

use crate::instances::application::ResourceSpec;
use crate::resources::connection::Connection;
use crate::resources::providers::s3::is_amazon;

/// The bucket for all files.
const FILES: &str = "files";
/// Django's storage for S3; the original's, `S3BotoStorage`, is no longer part of django-storages.
const S3_STORAGE: &str = "storages.backends.s3boto3.S3Boto3Storage";
const SWIFT_STORAGE: &str = "swift.storage.SwiftStorage";
/// Where logs, grade reports, submissions and files for graders are in the bucket.
const LOGS: &str = "logs/tracking/";
const GRADES: &str = "grades-download";
const SUBMISSIONS: &str = "submissions_attachments";
const XQUEUE: &str = "xqueue";
/// The path of Keystone, unless it was entered.
const KEYSTONE: &str = "/v3";

/// A bucket or a container for an instance with persistent databases, where there is a store. Without one, files are on the machine.
pub(super) fn specs(settings: &OpenEdxSettings) -> Vec<ResourceSpec> {
    if settings.use_ephemeral_databases {
        return Vec::new();
    }
    let spec = |kind, name: &str| ResourceSpec { kind, databases: vec![name.to_owned()], is_required: false };
    vec![spec(ResourceKind::S3, FILES), spec(ResourceKind::Swift, PUBLIC)]
}

/// The variables for these connections.
pub(super) fn variables(connections: &[Connection]) -> Map<String, Value> {
    let group = |connection: &Connection| match connection.kind {
        ResourceKind::S3 => s3(connection),
        ResourceKind::Swift => swift(connection),
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Redis | ResourceKind::Mongodb => Vec::new(),
    };
    connections.iter().flat_map(group).map(|(name, value)| (name.to_owned(), value)).collect()
}

type Group = Vec<(&'static str, Value)>;

fn s3(at: &Connection) -> Group {
    let (bucket, key) = (json!(at.database(FILES)), json!(at.username));
    let amazon = is_amazon(&at.endpoint.host);
    let mut group = vec![
        ("COMMON_ENABLE_AWS_INTEGRATION", json!(true)),
        ("AWS_ACCESS_KEY_ID", key.clone()),
        ("AWS_SECRET_ACCESS_KEY", password(at)),
        ("EDXAPP_DEFAULT_FILE_STORAGE", json!(S3_STORAGE)),
        ("EDXAPP_AWS_ACCESS_KEY_ID", key.clone()),
        ("EDXAPP_AWS_SECRET_ACCESS_KEY", password(at)),
        ("EDXAPP_AWS_STORAGE_BUCKET_NAME", bucket.clone()),
        ("EDXAPP_AUTH_EXTRA", django(at, amazon)),
        // With a domain of its own, URLs are not signed.
        ("EDXAPP_AWS_S3_CUSTOM_DOMAIN", json!("")),
        ("EDXAPP_AWS_QUERYSTRING_AUTH", json!(true)),
        ("EDXAPP_IMPORT_EXPORT_BUCKET", bucket.clone()),
        ("EDXAPP_FILE_UPLOAD_BUCKET_NAME", bucket.clone()),
        ("EDXAPP_FILE_UPLOAD_STORAGE_BUCKET_NAME", bucket.clone()),
        ("EDXAPP_FILE_UPLOAD_STORAGE_PREFIX", json!(SUBMISSIONS)),
        ("EDXAPP_GRADE_STORAGE_CLASS", json!(S3_STORAGE)),
        ("EDXAPP_GRADE_STORAGE_TYPE", json!("s3")),
        ("EDXAPP_GRADE_BUCKET", bucket.clone()),
        ("EDXAPP_GRADE_ROOT_PATH", json!(GRADES)),
        ("EDXAPP_GRADE_STORAGE_KWARGS", json!({ "bucket_name": bucket, "location": GRADES })),
        ("XQUEUE_AWS_ACCESS_KEY_ID", key.clone()),
        ("XQUEUE_AWS_SECRET_ACCESS_KEY", password(at)),
    ];
    // Each under its earlier name, too.
    for name in ["XQUEUE_UPLOAD_BUCKET", "XQUEUE_S3_BUCKET"] {
        group.push((name, bucket.clone()));
    }
    for name in ["XQUEUE_UPLOAD_PATH_PREFIX", "XQUEUE_S3_PATH_PREFIX"] {
        group.push((name, json!(XQUEUE)));
    }
    group.extend(at.options.get("region").map(|region| ("aws_region", json!(region))));
    if amazon {
        // The playbooks' program that copies logs knows no other store.
        group.extend([
            ("COMMON_OBJECT_STORE_LOG_SYNC", json!(true)),
            ("COMMON_OBJECT_STORE_LOG_SYNC_BUCKET", bucket),
            ("COMMON_OBJECT_STORE_LOG_SYNC_PREFIX", json!(LOGS)),
            ("AWS_S3_LOGS", json!(true)),
            ("AWS_S3_LOGS_ACCESS_KEY_ID", key),
            ("AWS_S3_LOGS_SECRET_KEY", password(at)),
        ]);
    }
    group
}

/// Settings of Django that the playbooks have no variables for.
fn django(at: &Connection, amazon: bool) -> Value {
    let mut extra = Map::from_iter([
        ("AWS_STORAGE_BUCKET_NAME".to_owned(), json!(at.database(FILES))),
        ("AWS_DEFAULT_ACL".to_owned(), Value::Null),
        ("AWS_S3_SIGNATURE_VERSION".to_owned(), json!("s3v4")),
    ]);
    let options = [("AWS_S3_ADDRESSING_STYLE", "addressing"), ("AWS_S3_REGION_NAME", "region")];
    extra.extend(
        options.into_iter().filter_map(|(name, option)| Some((name.to_owned(), json!(at.options.get(option)?)))),
    );
    if !amazon {
        extra.insert("AWS_S3_ENDPOINT_URL".to_owned(), json!(at.endpoint.url("")));
    }
    extra.into()
}

fn swift(at: &Connection) -> Group {
    let option = |name: &str| json!(at.options.get(name).map(String::as_str).unwrap_or_default());
    let path = at.options.get("auth_path").map_or(KEYSTONE, String::as_str);
    let (container, url, version) = (json!(at.database(PUBLIC)), json!(at.endpoint.url(path)), json!(version(path)));
    let mut group = vec![
        ("COMMON_ENABLE_OPENSTACK_INTEGRATION", json!(true)),
        ("COMMON_EDXAPP_SETTINGS", json!("openstack")),
        ("VHOST_NAME", json!("openstack")),
        ("EDXAPP_DEFAULT_FILE_STORAGE", json!(SWIFT_STORAGE)),
        ("EDXAPP_FILE_UPLOAD_STORAGE_BUCKET_NAME", container.clone()),
        ("EDXAPP_SWIFT_AUTH_VERSION", version.clone()),
        ("EDXAPP_SWIFT_USERNAME", json!(at.username)),
        ("EDXAPP_SWIFT_KEY", password(at)),
        ("EDXAPP_SWIFT_TENANT_NAME", option("project")),
        ("EDXAPP_SWIFT_AUTH_URL", url.clone()),
        ("EDXAPP_SWIFT_REGION_NAME", option("region")),
        ("EDXAPP_GRADE_STORAGE_CLASS", json!(SWIFT_STORAGE)),
        ("EDXAPP_GRADE_STORAGE_KWARGS", json!({ "name_prefix": format!("{GRADES}/") })),
        ("XQUEUE_SWIFT_USERNAME", json!(at.username)),
        ("XQUEUE_SWIFT_KEY", password(at)),
        ("XQUEUE_SWIFT_TENANT_NAME", option("project")),
        ("XQUEUE_SWIFT_AUTH_URL", url.clone()),
        ("XQUEUE_SWIFT_AUTH_VERSION", version),
        ("XQUEUE_SWIFT_REGION_NAME", option("region")),
        ("XQUEUE_UPLOAD_BUCKET", container.clone()),
        ("XQUEUE_UPLOAD_PATH_PREFIX", json!(XQUEUE)),
        ("COMMON_OBJECT_STORE_LOG_SYNC", json!(true)),
        ("COMMON_OBJECT_STORE_LOG_SYNC_BUCKET", container),
        ("COMMON_OBJECT_STORE_LOG_SYNC_PREFIX", json!(LOGS)),
        ("SWIFT_LOG_SYNC_USERNAME", json!(at.username)),
        ("SWIFT_LOG_SYNC_PASSWORD", password(at)),
        ("SWIFT_LOG_SYNC_TENANT_NAME", option("project")),
        ("SWIFT_LOG_SYNC_AUTH_URL", url),
        ("SWIFT_LOG_SYNC_REGION_NAME", option("region")),
    ];
    if path.ends_with(KEYSTONE) {
        let domains = json!({ "SWIFT_USER_DOMAIN_NAME": option("user_domain"), "SWIFT_PROJECT_DOMAIN_NAME": option("project_domain") });
        group.push(("EDXAPP_AUTH_EXTRA", domains));
    }
    group
}

/// The version of the login at this path. The original's, 2, has ended; one that was entered is still possible.
fn version(path: &str) -> &'static str {
    match path.trim_end_matches('/').rsplit('/').next() {
        Some("v3") => "3",
        Some("v2.0") => "2",
        Some(_) | None => "1",
    }
}

/// Marked as a secret, so that it stays masked under every name.
fn password(at: &Connection) -> Value {
    typed::marked(json!(at.password.expose_secret()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use shared_types::secret;

    use super::*;
    use crate::applications::openedx::testing::sample;
    use crate::resources::server::Endpoint;

    fn connection(kind: ResourceKind, host: &str, name: &str, options: &[(&str, &str)]) -> Connection {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Connection {
            kind,
            endpoint: Endpoint { host: host.into(), port: 443, has_tls: true },
            username: "AKIA1".into(),
            password: "hidden-1".to_owned().into(),
            databases: owned(&[(name, "ocim-1-7-abcdefgh")]),
            options: owned(options),
        }
    }

    #[test]
    fn only_persistent_instances_have_a_store_and_no_launch_is_refused_without_one() {
        assert!(specs(&sample()).is_empty());
        let found = specs(&OpenEdxSettings { use_ephemeral_databases: false, ..sample() });
        assert!(
            found.len() == 2 && found.iter().all(|spec| !spec.is_required && spec.kind.is_object_storage()),
            "{found:?}"
        );
    }

    #[test]
    fn files_of_a_private_bucket_are_read_by_signed_urls_and_have_no_acl() {
        let options = [("addressing", "path"), ("region", "us-east-1")];
        let made = variables(&[connection(ResourceKind::S3, "s3.example", "files", &options)]);
        assert_eq!(made["EDXAPP_AWS_STORAGE_BUCKET_NAME"], "ocim-1-7-abcdefgh");
        assert_eq!(
            (&made["EDXAPP_AWS_QUERYSTRING_AUTH"], &made["EDXAPP_AWS_S3_CUSTOM_DOMAIN"]),
            (&json!(true), &json!(""))
        );
        let extra = &made["EDXAPP_AUTH_EXTRA"];
        assert_eq!(
            (&extra["AWS_DEFAULT_ACL"], &extra["AWS_S3_ENDPOINT_URL"]),
            (&Value::Null, &json!("https://s3.example"))
        );
        assert_eq!(
            (&extra["AWS_S3_ADDRESSING_STYLE"], &made["XQUEUE_S3_PATH_PREFIX"]),
            (&json!("path"), &json!("xqueue"))
        );
        assert!(!made.contains_key("COMMON_OBJECT_STORE_LOG_SYNC"), "its program knows Amazon's store only");
        let shown = serde_json::to_string(&secret::masked(&made)).unwrap();
        assert!(!shown.contains("hidden-1"), "{shown}");
    }

    #[test]
    fn amazons_store_needs_no_address_and_gets_the_logs() {
        let made = variables(&[connection(
            ResourceKind::S3,
            "s3.eu-west-1.amazonaws.com",
            "files",
            &[("region", "eu-west-1")],
        )]);
        assert_eq!(
            (&made["aws_region"], &made["COMMON_OBJECT_STORE_LOG_SYNC_PREFIX"]),
            (&json!("eu-west-1"), &json!("logs/tracking/"))
        );
        assert!(made["EDXAPP_AUTH_EXTRA"].get("AWS_S3_ENDPOINT_URL").is_none());
    }

    #[test]
    fn variables_of_swift_have_the_names_of_the_original() {
        let options =
            [("auth_path", "/v3"), ("project", "campus"), ("project_domain", "Default"), ("user_domain", "Default")];
        let made = variables(&[connection(ResourceKind::Swift, "cloud.example", "public", &options)]);
        assert_eq!(
            (&made["EDXAPP_SWIFT_AUTH_VERSION"], &made["EDXAPP_SWIFT_TENANT_NAME"]),
            (&json!("3"), &json!("campus"))
        );
        assert_eq!(made["EDXAPP_SWIFT_AUTH_URL"], "https://cloud.example/v3");
        assert_eq!(
            (&made["XQUEUE_UPLOAD_BUCKET"], &made["EDXAPP_SWIFT_REGION_NAME"]),
            (&json!("ocim-1-7-abcdefgh"), &json!(""))
        );
        assert_eq!(made["EDXAPP_AUTH_EXTRA"]["SWIFT_USER_DOMAIN_NAME"], "Default");
        let shown = serde_json::to_string(&secret::masked(&made)).unwrap();
        assert!(!shown.contains("hidden-1"), "{shown}");
        let own =
            variables(&[connection(ResourceKind::Swift, "swift.example", "public", &[("auth_path", "/auth/v1.0")])]);
        assert_eq!((&own["EDXAPP_SWIFT_AUTH_VERSION"], own.contains_key("EDXAPP_AUTH_EXTRA")), (&json!("1"), false));
    }
}
