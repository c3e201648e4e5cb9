//! Databases outside the machine, and the keys that say where they are, under Tutor's names.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::ResourceKind;
use shared_types::applications::tutor::TutorSettings;
use shared_types::yaml::typed;

use crate::instances::application::ResourceSpec;
use crate::resources::connection::Connection;

/// The database of LMS and Studio, of MySQL and of MongoDB.
const OPENEDX: &str = "openedx";
/// The numbers of Redis for Celery's queues, and for cache and sessions.
const CELERY: &str = "celery";
const CACHE: &str = "cache";

/// What an instance with persistent databases has outside its machines. All three: sessions and queued tasks are in Redis, and
/// would end with the machine.
pub(super) fn specs(settings: &TutorSettings) -> Vec<ResourceSpec> {
    if !settings.persistent_databases {
        return Vec::new();
    }
    let spec = |kind, names: &[&str]| ResourceSpec {
        kind,
        databases: names.iter().map(|name| (*name).to_owned()).collect(),
        is_required: true,
    };
    vec![
        spec(ResourceKind::Mysql, &[OPENEDX]),
        spec(ResourceKind::Mongodb, &[OPENEDX]),
        spec(ResourceKind::Redis, &[CACHE, CELERY]),
    ]
}

/// Tutor's keys for these connections.
pub(super) fn keys(connections: &[Connection]) -> Map<String, Value> {
    let group = |at: &Connection| match at.kind {
        ResourceKind::Mysql => mysql(at),
        ResourceKind::Mongodb => mongodb(at),
        ResourceKind::Redis => redis(at),
        ResourceKind::Postgresql | ResourceKind::S3 | ResourceKind::Swift => Vec::new(),
    };
    connections.iter().flat_map(group).map(|(name, value)| (name.to_owned(), value)).collect()
}

type Group = Vec<(&'static str, Value)>;

fn mysql(at: &Connection) -> Group {
    vec![
        ("MYSQL_HOST", json!(at.endpoint.host)),
        ("MYSQL_PORT", json!(at.endpoint.port)),
        ("OPENEDX_MYSQL_DATABASE", json!(at.database(OPENEDX))),
        ("OPENEDX_MYSQL_USERNAME", json!(at.username)),
        ("OPENEDX_MYSQL_PASSWORD", password(at)),
    ]
}

fn mongodb(at: &Connection) -> Group {
    let option = |name: &str| at.options.get(name);
    let own = [
        ("MONGODB_HOST", json!(at.endpoint.host)),
        ("MONGODB_PORT", json!(at.endpoint.port)),
        ("MONGODB_DATABASE", json!(at.database(OPENEDX))),
        ("MONGODB_USERNAME", json!(at.username)),
        ("MONGODB_PASSWORD", password(at)),
        ("MONGODB_USE_SSL", json!(at.endpoint.has_tls)),
    ];
    let others = [
        ("MONGODB_AUTH_MECHANISM", option("auth_mechanism")),
        ("MONGODB_AUTH_SOURCE", option("auth_source")),
        ("MONGODB_REPLICA_SET", option("replica_set")),
    ];
    own.into_iter().chain(others.into_iter().filter_map(|(key, value)| Some((key, json!(value?))))).collect()
}

fn redis(at: &Connection) -> Group {
    let number = |name: &str| at.database(name).and_then(|number| number.parse::<u16>().ok());
    vec![
        ("REDIS_HOST", json!(at.endpoint.host)),
        ("REDIS_PORT", json!(at.endpoint.port)),
        ("REDIS_USERNAME", json!(at.username)),
        ("REDIS_PASSWORD", password(at)),
        ("OPENEDX_CACHE_REDIS_DB", json!(number(CACHE))),
        ("OPENEDX_CELERY_REDIS_DB", json!(number(CELERY))),
    ]
}

/// Marked as a secret, so that it stays masked under every name.
fn password(at: &Connection) -> Value {
    typed::marked(json!(at.password.expose_secret()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use std::collections::BTreeMap;

    use shared_types::applications::tutor::keys::DATABASES;

    use super::*;
    use crate::resources::server::Endpoint;

    fn connection(kind: ResourceKind, databases: &[(&str, &str)]) -> Connection {
        let options =
            kind.options().iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect::<BTreeMap<_, _>>();
        Connection {
            kind,
            endpoint: Endpoint { host: "db.example".into(), port: kind.port(), has_tls: true },
            username: "user".into(),
            password: "hidden-1".to_owned().into(),
            databases: databases.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect(),
            options,
        }
    }

    #[test]
    fn keys_are_those_of_tutor() {
        let made = keys(&[
            connection(ResourceKind::Mysql, &[("openedx", "ocim_1_openedx")]),
            connection(ResourceKind::Mongodb, &[("openedx", "campus")]),
            connection(ResourceKind::Redis, &[("cache", "3"), ("celery", "4")]),
        ]);
        let unknown: Vec<_> = made.keys().filter(|key| !DATABASES.contains(&key.as_str())).collect();
        assert!(unknown.is_empty(), "the setting `databases` does not know {unknown:?}");
        assert_eq!((&made["OPENEDX_CACHE_REDIS_DB"], &made["OPENEDX_CELERY_REDIS_DB"]), (&json!(3), &json!(4)));
        assert_eq!((&made["OPENEDX_MYSQL_DATABASE"], &made["MYSQL_PORT"]), (&json!("ocim_1_openedx"), &json!(3306)));
        assert_eq!((&made["MONGODB_USE_SSL"], &made["MONGODB_REPLICA_SET"]), (&json!(true), &json!("x")));
    }
}
