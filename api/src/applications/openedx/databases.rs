//! Databases outside the machine, and the variables that say where they are, under the names of the original.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::ResourceKind;
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::yaml::typed;

use crate::instances::application::ResourceSpec;
use crate::resources::connection::Connection;

/// The database of LMS and Studio, of MySQL and of MongoDB.
const EDXAPP: &str = "edxapp";
/// The database of the forum.
const FORUM: &str = "forum";

/// What an instance with persistent databases has outside its machines.
pub(super) fn specs(settings: &OpenEdxSettings) -> Vec<ResourceSpec> {
    if settings.use_ephemeral_databases {
        return Vec::new();
    }
    let spec = |kind, names: &[&str]| ResourceSpec {
        kind,
        databases: names.iter().map(|name| (*name).to_owned()).collect(),
        is_required: true,
    };
    vec![spec(ResourceKind::Mysql, &[EDXAPP]), spec(ResourceKind::Mongodb, &[EDXAPP, FORUM])]
}

/// The variables for these connections.
pub(super) fn variables(connections: &[Connection]) -> Map<String, Value> {
    let group = |connection: &Connection| match connection.kind {
        ResourceKind::Mysql => mysql(connection),
        ResourceKind::Mongodb => mongodb(connection),
        ResourceKind::Postgresql | ResourceKind::Redis | ResourceKind::S3 | ResourceKind::Swift => Vec::new(),
    };
    connections.iter().flat_map(group).map(|(name, value)| (name.to_owned(), value)).collect()
}

type Group = Vec<(&'static str, Value)>;

fn mysql(at: &Connection) -> Group {
    vec![
        ("EDXAPP_MYSQL_USER", json!(at.username)),
        ("EDXAPP_MYSQL_PASSWORD", password(at)),
        ("EDXAPP_MYSQL_HOST", json!(at.endpoint.host)),
        ("EDXAPP_MYSQL_PORT", json!(at.endpoint.port.to_string())),
        ("EDXAPP_MYSQL_DB_NAME", json!(at.database(EDXAPP))),
        ("COMMON_MYSQL_MIGRATE_USER", json!(at.username)),
        ("COMMON_MYSQL_MIGRATE_PASS", password(at)),
    ]
}

fn mongodb(at: &Connection) -> Group {
    vec![
        ("EDXAPP_MONGO_USER", json!(at.username)),
        ("EDXAPP_MONGO_PASSWORD", password(at)),
        ("EDXAPP_MONGO_HOSTS", json!([at.endpoint.host])),
        ("EDXAPP_MONGO_PORT", json!(at.endpoint.port)),
        ("EDXAPP_MONGO_DB_NAME", json!(at.database(EDXAPP))),
        ("EDXAPP_MONGO_USE_SSL", json!(at.endpoint.has_tls)),
        ("FORUM_MONGO_USER", json!(at.username)),
        ("FORUM_MONGO_PASSWORD", password(at)),
        ("FORUM_MONGO_HOSTS", json!([at.endpoint.host])),
        ("FORUM_MONGO_PORT", json!(at.endpoint.port)),
        ("FORUM_MONGO_DATABASE", json!(at.database(FORUM))),
        ("FORUM_MONGO_USE_SSL", json!(at.endpoint.has_tls)),
    ]
}

/// Marked as a secret, so that it stays masked under every name.
fn password(at: &Connection) -> Value {
    typed::marked(json!(at.password.expose_secret()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::BTreeMap;

    use shared_types::secret;

    use super::*;
    use crate::applications::openedx::testing::sample;
    use crate::resources::server::Endpoint;

    fn connection(kind: ResourceKind, databases: &[(&str, &str)]) -> Connection {
        let databases = databases.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect();
        Connection {
            kind,
            endpoint: Endpoint { host: "db.example".into(), port: kind.port(), has_tls: true },
            username: "ocim_1_user".into(),
            password: "hidden-1".to_owned().into(),
            databases,
            options: BTreeMap::new(),
        }
    }

    #[test]
    fn ephemeral_databases_need_nothing_outside_the_machine() {
        assert!(specs(&sample()).is_empty());
        let persistent = OpenEdxSettings { use_ephemeral_databases: false, ..sample() };
        let kinds: Vec<_> = specs(&persistent).into_iter().map(|spec| (spec.kind, spec.databases)).collect();
        let expected = [
            (ResourceKind::Mysql, vec!["edxapp".into()]),
            (ResourceKind::Mongodb, vec!["edxapp".into(), "forum".into()]),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn variables_have_the_names_of_the_original() {
        let made = variables(&[
            connection(ResourceKind::Mysql, &[("edxapp", "ocim_1_edxapp")]),
            connection(ResourceKind::Mongodb, &[("edxapp", "campus"), ("forum", "campus_forum")]),
        ]);
        assert_eq!(made["EDXAPP_MYSQL_HOST"], "db.example");
        assert_eq!(made["EDXAPP_MYSQL_PORT"], "3306");
        assert_eq!(
            (&made["EDXAPP_MYSQL_DB_NAME"], &made["COMMON_MYSQL_MIGRATE_USER"]),
            (&json!("ocim_1_edxapp"), &json!("ocim_1_user"))
        );
        assert_eq!(made["EDXAPP_MONGO_HOSTS"], json!(["db.example"]));
        assert_eq!(
            (&made["EDXAPP_MONGO_DB_NAME"], &made["FORUM_MONGO_DATABASE"]),
            (&json!("campus"), &json!("campus_forum"))
        );
        assert_eq!(made["EDXAPP_MONGO_PORT"], 27017);
        let shown = serde_json::to_string(&secret::masked(&made)).unwrap();
        assert!(!shown.contains("hidden-1"), "{shown}");
    }
}
