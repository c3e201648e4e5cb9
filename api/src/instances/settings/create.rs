//! A new instance.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value, json};
use shared_types::{EventKind, FieldError, InstanceId, instance};

use super::care::Care;
use super::{claim, marks};
use crate::instances::jobs::ApplyRouting;
use crate::instances::store::instances::{self, NewInstance};
use crate::instances::{Manager, Refusal};
use crate::platform::{audit, events, logs, vault};

/// What was asked for.
#[derive(Debug)]
pub struct NewInstanceRequest {
    /// The instance's name.
    pub name: String,
    /// Which application.
    pub instance_type: String,
    /// The application's settings, as they were sent.
    pub settings: Map<String, Value>,
}

/// Makes an instance; defaults are written out, its host names are its own from now on.
///
/// # Errors
/// [`Refusal::Invalid`] with every field that is wrong, also a domain that another instance has; [`Refusal::Conflict`] when
/// the gateway has no room for more host names.
pub async fn create(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &str,
    request: NewInstanceRequest,
) -> Result<InstanceId, Refusal> {
    let NewInstanceRequest { name, instance_type, mut settings } = request;
    let Some(application) = manager.known(&instance_type) else {
        let known: Vec<_> = manager.applications.iter().map(|app| app.instance_type()).collect();
        let error = FieldError::new("instance_type", format!("Must be one of: {}.", known.join(", ")));
        return Err(Refusal::Invalid(vec![error]));
    };
    let care = Care::default().take(&mut settings);
    let settings = marks::restore(None, &mut settings).and_then(|()| application.settings(None, &settings));
    let (settings, care) = checked(&name, settings, care)?;
    let Care { tier, max_builds, retention_hours } = care;
    let addresses = application.addresses(&settings)?;
    let domain = addresses.hostnames.first().cloned().unwrap_or_default();
    let ([settings], secrets) = vault::seal(&manager.options.keyring, [&settings])?;
    conn.transaction(async |conn| {
        let new = NewInstance {
            instance_type: &instance_type,
            name: &name,
            domain: &domain,
            settings: &settings,
            tier,
            max_builds,
            retention_hours,
        };
        let id = instances::insert(conn, new).await?;
        vault::keep(conn, id, secrets).await?;
        if let Some(taken) = claim::claim(manager, conn, id, &addresses).await? {
            return Err(Refusal::Invalid(vec![domain_taken(&taken)]));
        }
        instances::want_routing(conn, id).await?;
        ApplyRouting::enqueue(conn, id).await?;
        events::record(conn, EventKind::InstanceCreated, events::About::instance(id)).await?;
        logs::append(conn, logs::About::Instance(id), &[logs::Line::info(format!("Created by {actor}"))]).await?;
        let detail = json!({ "name": name, "domain": domain });
        let entry = audit::Entry::new(actor, "create_instance").instance(id).detail(detail);
        audit::record(conn, entry).await?;
        Ok(id)
    })
    .await
}

/// The errors of all parts together, so that a form shows all at once.
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

/// Two instances cannot share a host name.
pub(in crate::instances) fn domain_taken(hostname: &str) -> FieldError {
    FieldError::new("sub_domain", format!("Another instance answers at {hostname} already; choose another sub domain."))
}
