//! Databases outside the machine, and the variable that says where they are.

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
    let databases: Map<String, Value> = at.databases.iter().map(|(name, own)| (name.clone(), json!(own))).collect();
    json!({
        "host": at.endpoint.host,
        "port": at.endpoint.port,
        "tls": at.endpoint.has_tls,
        "username": at.username,
        "password": typed::marked(json!(at.password.expose_secret())),
        "databases": databases,
        "options": at.options,
    })
}
