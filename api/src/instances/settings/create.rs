//! Creates instances, with the secrets of their own.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value, json};
use shared_types::applications::ApplicationType;
use shared_types::audit::Operation;
use shared_types::{EventKind, FieldError, InstanceId, instance};

use super::care::Care;
use super::{claim, marks, persistence, reserved, sources};
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::store::instances::{self, NewInstance};
use crate::instances::{Manager, Refusal, own_secrets};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::vault;

/// A request to create an instance.
#[derive(Debug)]
pub struct NewInstanceRequest {
    pub name: String,
    /// The word of its application type.
    pub instance_type: String,
    /// The application's settings, as they were sent.
    pub settings: Map<String, Value>,
}

/// Creates an instance: stores the defaults explicitly, and reserves its host names.
///
/// # Errors
/// [`Refusal::Invalid`] with every field that is wrong, also a domain that another instance has; [`Refusal::Conflict`]
/// when the gateway has no room for more host names.
pub async fn create(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    request: NewInstanceRequest,
) -> Result<InstanceId, Refusal> {
    let NewInstanceRequest { name, instance_type, mut settings } = request;
    let Some(application) = manager.known(&instance_type) else {
        let known: Vec<_> = manager.applications.iter().map(|app| app.kind().word).collect();
        let error = FieldError::new("instance_type", format!("Must be one of: {}.", known.join(", ")));
        return Err(Refusal::Invalid(vec![error]));
    };
    let care = Care::default().take(&mut settings, &manager.providers);
    let kind = application.kind();
    let tier = care.as_ref().map(|care| care.tier).unwrap_or_default();
    persistence::fill_in(&manager.resources, kind, tier, &mut settings);
    let settings =
        marks::restore(&kind.schema, None, &mut settings).and_then(|()| application.settings(None, &settings));
    let settings = settings.and_then(|settings| sources::checked(manager, application, None, settings));
    let (settings, care) = checked(&name, settings, care)?;
    let Care { tier, max_builds, retention_hours, provider, https } = care;
    let sites = application.sites(&settings)?;
    reserved::refuse(manager, kind, &sites, None)?;
    let domain = sites.domain().to_owned();
    let own_secrets = own_secrets::make(application)?;
    let ([settings, own_secrets], secrets) =
        vault::seal(&manager.options.keyring, &kind.schema, [&settings, &own_secrets])?;
    conn.transaction(async |conn| {
        let new = NewInstance {
            instance_type: &instance_type,
            name: &name,
            domain: &domain,
            settings: &settings,
            settings_version: application.version(),
            secrets: &own_secrets,
            tier,
            max_builds,
            retention_hours,
            provider,
            https,
        };
        let id = instances::insert(conn, new).await?;
        vault::keep(conn, id, secrets).await?;
        if let Some(taken) = claim::claim(manager, conn, id, &sites).await? {
            return Err(Refusal::Invalid(vec![domain_taken(kind, &taken)]));
        }
        instances::want_routing(conn, id).await?;
        ApplyRouting::enqueue(conn, id).await?;
        Journal::of(actor, Operation::CreateInstance)
            .instance(id)
            .event(EventKind::InstanceCreated)
            .line(Line::info(format!("Created by {actor}")))
            .detail(json!({ "name": name, "domain": domain }))
            .write(conn)
            .await?;
        Ok(id)
    })
    .await
}

/// Collects the errors of all parts, so that a form shows all at once.
pub(in crate::instances) fn checked(
    name: &str,
    settings: Result<Value, Vec<FieldError>>,
    care: Result<Care, Vec<FieldError>>,
) -> Result<(Value, Care), Refusal> {
    match (instance::check_name(name), settings, care) {
        (Ok(()), Ok(settings), Ok(care)) => Ok((settings, care)),
        (name, settings, care) => {
            let name = name.err().map(|detail| FieldError::new("name", detail));
            let others = settings.err().into_iter().chain(care.err()).flatten();
            Err(Refusal::Invalid(name.into_iter().chain(others).collect()))
        }
    }
}

/// The error for a host name that another instance owns.
pub(in crate::instances) fn domain_taken(kind: &ApplicationType, hostname: &str) -> FieldError {
    FieldError::new(kind.address_field, format!("Another instance answers at {hostname} already; choose another name."))
}
