//! Databases and buckets outside the machine, and the variable that says where they are.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::ResourceKind;
use shared_types::applications::site::{SiteResource, SiteSettings};
use shared_types::yaml::typed;

use crate::instances::application::ResourceSpec;
use crate::resources::connection::Connection;

/// The variable with all of them, by kind.
pub(super) const VARIABLE: &str = "ocim_resources";

/// What the instance has outside its machines, by kind.
pub(super) fn specs(settings: &SiteSettings) -> Vec<ResourceSpec> {
    let names = |kind: ResourceKind| {
        let own = settings.resources.iter().filter(move |one| one.kind == kind);
        own.map(|SiteResource { kind: _, name }| name.clone()).collect::<Vec<_>>()
    };
    let spec = |kind: &ResourceKind| ResourceSpec { kind: *kind, databases: names(*kind), is_required: true };
    ResourceKind::ALL.iter().map(spec).filter(|spec| !spec.databases.is_empty()).collect()
}

/// The connections, by kind. The passwords are marked as secrets.
pub(super) fn variable(connections: &[Connection]) -> Value {
    let all = connections.iter().map(|at| (at.kind.as_str().to_owned(), of(at)));
    Value::Object(all.collect())
}

fn of(at: &Connection) -> Value {
    let names: Map<String, Value> = at.databases.iter().map(|(name, own)| (name.clone(), json!(own))).collect();
    let mut own = json!({
        "host": at.endpoint.host,
        "port": at.endpoint.port,
        "tls": at.endpoint.has_tls,
        "username": at.username,
        "password": typed::marked(json!(at.password.expose_secret())),
        "options": at.options,
    });
    if let Some(own) = own.as_object_mut() {
        own.insert(format!("{}s", at.kind.unit()), names.into());
        if at.kind.is_object_storage() {
            let path = at.options.get("auth_path").map(String::as_str).unwrap_or_default();
            own.insert("url".to_owned(), json!(at.endpoint.url(path)));
        }
    }
    own
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::applications::site::testing::sample;
    use crate::resources::server::Endpoint;

    fn connection(kind: ResourceKind, options: &[(&str, &str)]) -> Connection {
        Connection {
            kind,
            endpoint: Endpoint { host: "at.example".into(), port: kind.port(), has_tls: true },
            username: "user".into(),
            password: "hidden-1".to_owned().into(),
            databases: BTreeMap::from([("main".to_owned(), "ocim_1_main".to_owned())]),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn what_the_settings_list_is_asked_for_by_kind() {
        let one = |kind, name: &str| SiteResource { kind, name: name.into() };
        let list =
            vec![one(ResourceKind::S3, "public"), one(ResourceKind::Mysql, "main"), one(ResourceKind::S3, "files")];
        let found: Vec<_> = specs(&SiteSettings { resources: list, ..sample() })
            .into_iter()
            .map(|spec| (spec.kind, spec.databases, spec.is_required))
            .collect();
        let expected = [
            (ResourceKind::Mysql, vec!["main".to_owned()], true),
            (ResourceKind::S3, vec!["public".to_owned(), "files".to_owned()], true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn each_kind_says_what_it_has_in_its_own_word() {
        let swift = [("auth_path", "/v3")];
        let made = variable(&[
            connection(ResourceKind::Mysql, &[]),
            connection(ResourceKind::S3, &[("region", "eu-west-1")]),
            connection(ResourceKind::Swift, &swift),
        ]);
        assert_eq!(made["mysql"]["databases"]["main"], "ocim_1_main");
        assert_eq!(
            (&made["s3"]["buckets"]["main"], &made["s3"]["url"]),
            (&json!("ocim_1_main"), &json!("https://at.example"))
        );
        assert_eq!(made["swift"]["containers"]["main"], "ocim_1_main");
        assert_eq!(made["swift"]["url"], "https://at.example/v3");
        assert!(made["mysql"].get("url").is_none() && made["s3"].get("databases").is_none());
        let password = made["s3"]["password"].as_str().unwrap_or_default();
        assert!(typed::scalar(password).is_secret);
    }
}
