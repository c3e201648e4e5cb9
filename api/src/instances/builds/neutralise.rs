//! Keeps app servers of an instance whose data is a copy of another one's from mailing people and from taking payments.

use std::collections::BTreeMap;

use serde_json::Value;
use shared_types::yaml;

use super::compare::name_origins;
use crate::instances::application::{Application, ApplicationError, GENERATED, Layer, Snapshot};
use crate::platform::logs::Line;

/// The origin of the variables.
const ORIGIN: &str = "neutralised copy";

/// Lays the application's neutralising variables over all others of a snapshot. Returns those that other origins than the generated
/// variables had set, each with its origin.
///
/// # Errors
/// [`ApplicationError`] if the settings cannot be used.
pub(super) fn neutralise(
    application: &dyn Application,
    settings: &Value,
    snapshot: &mut Snapshot,
) -> Result<BTreeMap<String, String>, ApplicationError> {
    let variables = application.neutralising(settings, &snapshot.variables)?;
    let mut overridden = BTreeMap::new();
    name_origins(("", ""), &variables, &snapshot.layers, &mut overridden);
    overridden.retain(|_, origin| origin != GENERATED);
    snapshot.variables = yaml::merge(std::mem::take(&mut snapshot.variables), variables.clone());
    snapshot.layers.push(Layer { origin: ORIGIN, variables });
    Ok(overridden)
}

/// That the app server is neutralised, and what that overrides, for the log. `source`: the name of the instance whose data it is.
pub(super) fn words(source: &str, overridden: &BTreeMap<String, String>) -> Line {
    let words = format!("Mail and payments are off, because the data is a copy of {source}");
    if overridden.is_empty() {
        return Line::info(words);
    }
    let named: Vec<_> = overridden.iter().map(|(path, origin)| format!("{path} ({origin})")).collect();
    Line::warning(format!("{words}. This overrides {}", named.join(", ")))
}
