//! Where the databases of an app server are, and with that whether its data outlives it.

use serde_json::{Map, Value};

use crate::resource::ResourceKind;

/// Where the databases of an app server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataPlace {
    /// On its machine: they are empty when it is built, and are deleted with it.
    Machine,
    /// Outside its machine: all app servers of the instance use the same ones.
    Outside,
    /// The settings do not say it: the playbooks decide.
    Playbooks,
}

/// The setting by which an instance asks for databases that outlive its app servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// The name of a flag of the type's schema.
    pub field: &'static str,
    /// Its value with databases on the machine.
    pub ephemeral: bool,
    /// The kind of the server with most of the data: where the manager has a default server of it, new instances for production
    /// ask for databases that outlive app servers.
    pub kind: ResourceKind,
}

impl Persistence {
    /// Where databases are with these settings, as the flag says; none: the flag is blank.
    pub fn place(self, settings: &Map<String, Value>) -> Option<DataPlace> {
        let is_ephemeral = settings.get(self.field)?.as_bool()? == self.ephemeral;
        Some(if is_ephemeral { DataPlace::Machine } else { DataPlace::Outside })
    }
}

impl DataPlace {
    /// What an app server with databases at `next` does not have of what users have stored on the active one, whose databases are
    /// at `self`: sentences whose subject, the name of the app server, is to be put before them. None: it has everything.
    pub const fn loss(self, next: Self) -> Option<&'static str> {
        match (self, next) {
            (Self::Outside, Self::Outside) => None,
            (Self::Machine | Self::Playbooks, Self::Machine) => Some(
                "has databases of its own, which were empty when it was built. What users have stored on the active app server \
                 stays on that machine, and is deleted with it.",
            ),
            (Self::Outside, Self::Machine) => Some(
                "has databases of its own, which were empty when it was built. What users have stored so far stays in the databases \
                 outside the machine, which it does not use.",
            ),
            (Self::Machine | Self::Playbooks, Self::Outside) => Some(
                "uses the databases outside the machine. What users have stored on the machine of the active app server is not \
                 copied, and is deleted with that machine.",
            ),
            (Self::Machine | Self::Playbooks, Self::Playbooks) => Some(
                "does not get what the playbooks keep on the machine of the active app server; it is deleted with that machine.",
            ),
            (Self::Outside, Self::Playbooks) => {
                Some("does not use the databases outside the machine, where what users have stored so far stays.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::applications;

    fn place(word: &str, settings: &Value) -> DataPlace {
        settings.as_object().map_or(DataPlace::Playbooks, |settings| (applications::named(word).data)(settings))
    }

    #[test]
    fn each_type_says_where_its_databases_are() {
        assert_eq!(place("openedx", &json!({ "use_ephemeral_databases": true })), DataPlace::Machine);
        assert_eq!(place("openedx", &json!({ "use_ephemeral_databases": false })), DataPlace::Outside);
        assert_eq!(place("openedx", &json!({})), DataPlace::Machine, "a record of a version without the setting");
        assert_eq!(place("tutor", &json!({ "persistent_databases": true })), DataPlace::Outside);
        assert_eq!(place("tutor", &json!({ "persistent_databases": false })), DataPlace::Machine);
        let entered = json!({ "persistent_databases": false, "databases": "MYSQL_HOST: mysql.example\n" });
        assert_eq!(place("tutor", &entered), DataPlace::Outside);
        let kind = json!([{ "kind": "postgresql", "name": "main" }]);
        assert_eq!(place("site", &json!({ "resources": kind })), DataPlace::Outside);
        assert_eq!(place("site", &json!({ "resources": [] })), DataPlace::Playbooks);
    }

    #[test]
    fn the_flag_of_a_type_is_one_of_its_settings() {
        let named = applications::ALL.iter().filter_map(|kind| Some((kind, kind.persistence?)));
        for (kind, persistence) in named {
            let place = |value: bool| {
                let settings = json!({ persistence.field: value });
                settings.as_object().and_then(|settings| persistence.place(settings))
            };
            assert!(kind.schema.field(persistence.field).is_some(), "{}", kind.word);
            assert_eq!(place(persistence.ephemeral), Some(DataPlace::Machine), "{}", kind.word);
            assert_eq!(place(!persistence.ephemeral), Some(DataPlace::Outside), "{}", kind.word);
        }
    }

    #[test]
    fn only_databases_that_both_use_carry_data_over() {
        let all = [DataPlace::Machine, DataPlace::Outside, DataPlace::Playbooks];
        for (from, to) in all.into_iter().flat_map(|from| all.map(|to| (from, to))) {
            assert_eq!(
                from.loss(to).is_none(),
                from == DataPlace::Outside && to == DataPlace::Outside,
                "{from:?} {to:?}"
            );
        }
    }
}
