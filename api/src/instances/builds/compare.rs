//! What differs between two configurations, and where each variable of the next launch comes from. Nothing secret is in
//! the answers.

use std::collections::BTreeMap;

use diesel_async::AsyncPgConnection;
use serde_json::{Map, Value};
use shared_types::comparison::{Diff, Render};
use shared_types::settings::Schema;
use shared_types::yaml::typed;
use shared_types::{AppServerId, InstanceId, diff};

use super::{launch, neutralise};
use crate::instances::application::{GENERATED, Layer, Snapshot, SnapshotInput};
use crate::instances::resources::plan;
use crate::instances::settings::opened::{Opened, OpenedInstance};
use crate::instances::settings::{opened, read};
use crate::instances::store::app_servers::AppServerRow;
use crate::instances::store::{app_servers, copies, pins};
use crate::instances::{Manager, Refusal, own_secrets};
use crate::platform::vault;

/// What an app server is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Another app server of the same instance.
    AppServer(AppServerId),
    /// The instance as it is now.
    Instance,
}

/// The variable with the app server's name; not compared.
const OWN_NAME: &str = "ocim_app_server";

/// What differs between an app server (`before`) and another, or its current instance (`after`). Eight queries at most.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the two are of different instances; [`Refusal::Application`] if the
/// instance's settings cannot be used.
pub async fn diff(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    against: Against,
) -> Result<Diff, Refusal> {
    let before = app_server(conn, id).await?;
    match against {
        Against::AppServer(other) => {
            let after = app_server(conn, other).await?;
            if after.instance_id != before.instance_id {
                return Err(Refusal::Conflict(format!(
                    "App server {id} is of instance {}, and app server {other} of instance {}; compare app servers of one \
                     instance.",
                    before.instance_id, after.instance_id
                )));
            }
            let (one, other) = Opened::both(manager, conn, (&before, &after)).await?;
            let (old, new) = (pinned(conn, before.id, &one).await?, pinned(conn, after.id, &other).await?);
            Ok(between(one.schema, (&one.settings, old), (&other.settings, new)))
        }
        Against::Instance => {
            let (before, now) = opened::with_instance(manager, conn, &before).await?;
            let snapshot = snapshot(manager, conn, &now).await?;
            // The instance names branches, not commits, so the app server's variables are compared unresolved.
            let old = before.variables.as_object().cloned().unwrap_or_default();
            Ok(between(before.schema, (&before.settings, old), (&now.settings, snapshot.variables)))
        }
    }
}

/// The merged variables as a launch would pass them now. Five queries at most.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Application`] if the settings cannot be used.
pub async fn render(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Render, Refusal> {
    let now = opened::instance(manager, conn, id, false).await?;
    let snapshot = snapshot(manager, conn, &now).await?;
    let row = now.row;
    let variables = launch::variables(&snapshot, &format!("AppServer {}", row.next_app_server_number));
    let mut origins = BTreeMap::new();
    if let Value::Object(map) = &variables {
        name_origins(("", ""), map, &snapshot.layers, &mut origins);
    }
    Ok(Render { configuration_settings: read::yaml(&variables), origins })
}

/// What a launch would build from now. Two queries, one if the instance has no secrets of its
/// own; two more if it depends on the newest running app server, and two for each kind of resources.
async fn snapshot(manager: &Manager, conn: &mut AsyncPgConnection, now: &OpenedInstance) -> Result<Snapshot, Refusal> {
    let application = now.application(manager)?;
    let [secrets] = vault::open(&manager.options.keyring, conn, [&now.row.secrets]).await?;
    let secrets = own_secrets::of(&secrets);
    let copy = copies::newest(conn, now.row.id).await?.map(|(copy, _)| copy);
    let previous = launch::previous(manager, conn, (application, &now.settings), (now.row.id, copy.is_some())).await?;
    let resources = plan::preview(manager, conn, now.row.id, &application.resources(&now.settings)?).await?;
    let mut snapshot = application.snapshot(SnapshotInput {
        name: &now.row.name,
        settings: &now.settings,
        secrets: &secrets,
        previous: previous.as_ref(),
        resources: &resources,
    })?;
    if copy.is_some_and(|copy| copy.is_neutralised()) {
        neutralise::neutralise(application, &now.settings, &mut snapshot)?;
    }
    Ok(snapshot)
}

async fn app_server(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<AppServerRow, Refusal> {
    app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })
}

async fn pinned(conn: &mut AsyncPgConnection, id: AppServerId, opened: &Opened) -> Result<Map<String, Value>, Refusal> {
    let pins = pins::of(conn, id).await?;
    Ok(read::pinned_variables(opened, &pins)?)
}

fn between(schema: &Schema, before: (&Value, Map<String, Value>), after: (&Value, Map<String, Value>)) -> Diff {
    let nameless = |mut variables: Map<String, Value>| {
        variables.remove(OWN_NAME);
        variables
    };
    Diff {
        settings: diff::settings_diff(schema, before.0, after.0),
        variables: diff::variables_diff(&nameless(before.1), &nameless(after.1)),
    }
}

/// Maps each leaf (a value that is no map, or an empty map) to the last layer that sets it. The path is given as stored
/// (a JSON pointer) and as users read it.
pub(super) fn name_origins(
    (path, shown): (&str, &str),
    map: &Map<String, Value>,
    layers: &[Layer],
    origins: &mut BTreeMap<String, String>,
) {
    for (key, value) in map {
        let below = |path: &str, key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        let (path, shown) = (below(path, key), below(shown, &typed::shown(key)));
        match value {
            Value::Object(inner) if !inner.is_empty() => name_origins((&path, &shown), inner, layers, origins),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                let says = |layer: &&Layer| has(&layer.variables, &path);
                let origin = layers.iter().rev().find(says).map_or(GENERATED, |layer| layer.origin);
                origins.insert(shown, origin.to_owned());
            }
        }
    }
}

/// Whether there is a value at this JSON pointer.
fn has(map: &Map<String, Value>, pointer: &str) -> bool {
    let mut keys = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"));
    let first = keys.next().and_then(|key| map.get(&key));
    keys.try_fold(first, |value, key| value.map(|value| value.get(key))).flatten().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_layer_that_says_something_is_the_origin() {
        let layer =
            |origin, variables: Value| Layer { origin, variables: variables.as_object().cloned().unwrap_or_default() };
        let layers = [
            layer("one", json!({"a": 1, "m": {"x": 1, "y": 2}, "s/t~u": 1, "gone": {"x": 1}, "empty": {}})),
            layer("two", json!({"m": {"y": 3, "z": {"w": [1]}}, "gone": 7, "empty": {}})),
        ];
        let merged = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), shared_types::yaml::merge);
        let mut origins = BTreeMap::new();
        name_origins(("", ""), &merged, &layers, &mut origins);
        let found: Vec<_> = origins.iter().map(|(path, origin)| (path.as_str(), origin.as_str())).collect();
        assert_eq!(
            found,
            [
                ("/a", "one"),
                ("/empty", "two"),
                ("/gone", "two"),
                ("/m/x", "one"),
                ("/m/y", "two"),
                ("/m/z/w", "two"),
                ("/s~1t~0u", "one"),
            ]
        );
    }
}
