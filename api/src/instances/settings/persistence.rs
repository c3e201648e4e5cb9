//! Which new instances have databases that outlive their app servers, if the user does not say it.

use serde_json::{Map, Value};
use shared_types::applications::{ApplicationType, DataPlace};
use shared_types::queue::Tier;

use crate::resources::registry::Servers;

/// The flag that new instances for production begin with, and its value: where there is a default server for most of their data,
/// they have databases outside the machines. None: the type's own default stands.
pub fn production_default(servers: &Servers, kind: &ApplicationType) -> Option<(&'static str, bool)> {
    let persistence = kind.persistence?;
    let has_server = servers.of(persistence.kind).iter().any(|server| server.is_default);
    has_server.then_some((persistence.field, !persistence.ephemeral))
}

/// Fills in the flag if the user left it blank, and no other setting says where the databases are.
pub(super) fn fill_in(servers: &Servers, kind: &ApplicationType, tier: Tier, settings: &mut Map<String, Value>) {
    let Some((field, value)) = production_default(servers, kind).filter(|_| tier == Tier::Production) else { return };
    let is_blank = match settings.get(field) {
        None | Some(Value::Null) => true,
        Some(given) => given.as_str().is_some_and(|text| text.trim().is_empty()),
    };
    if is_blank && (kind.data)(settings) != DataPlace::Outside {
        settings.insert(field.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use serde_json::json;
    use shared_types::ResourceKind;
    use shared_types::applications;

    use super::*;
    use crate::resources::providers::fake::FakeServer;
    use crate::resources::registry::Named;

    fn servers(kind: ResourceKind, is_default: bool) -> Servers {
        let server = Arc::new(FakeServer::new(kind));
        Servers::new([Named { name: "main".parse().unwrap(), server, is_default, is_exclusive: false }])
    }

    fn filled(servers: &Servers, word: &str, tier: Tier, settings: Value) -> Value {
        let Value::Object(mut settings) = settings else { unreachable!("a map is given") };
        fill_in(servers, applications::named(word), tier, &mut settings);
        settings.into()
    }

    #[test]
    fn a_default_server_makes_new_instances_for_production_persistent() {
        let main = servers(ResourceKind::Mysql, true);
        for blank in [json!({}), json!({ "use_ephemeral_databases": null }), json!({ "use_ephemeral_databases": "" })] {
            let filled = filled(&main, "openedx", Tier::Production, blank);
            assert_eq!(filled, json!({ "use_ephemeral_databases": false }));
        }
        assert_eq!(filled(&main, "tutor", Tier::Production, json!({})), json!({ "persistent_databases": true }));
    }

    #[test]
    fn what_the_user_says_stands() {
        let main = servers(ResourceKind::Mysql, true);
        for given in [json!({ "use_ephemeral_databases": true }), json!({ "use_ephemeral_databases": "yes" })] {
            assert_eq!(filled(&main, "openedx", Tier::Production, given.clone()), given);
        }
        let entered = json!({ "databases": "MYSQL_HOST: mysql.example\n" });
        assert_eq!(filled(&main, "tutor", Tier::Production, entered.clone()), entered);
    }

    #[test]
    fn previews_and_installations_without_such_a_server_keep_the_default_of_the_type() {
        let nothing = json!({});
        assert_eq!(filled(&servers(ResourceKind::Mysql, true), "openedx", Tier::Preview, json!({})), nothing);
        assert_eq!(filled(&servers(ResourceKind::Mysql, true), "site", Tier::Production, json!({})), nothing);
        assert_eq!(filled(&servers(ResourceKind::Mysql, false), "openedx", Tier::Production, json!({})), nothing);
        assert_eq!(filled(&servers(ResourceKind::Redis, true), "openedx", Tier::Production, json!({})), nothing);
        assert_eq!(filled(&Servers::default(), "openedx", Tier::Production, json!({})), nothing);
    }
}
