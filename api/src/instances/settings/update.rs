//! Changes name or settings of an instance. Its app servers keep the settings that they were launched with.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value};
use shared_types::audit::Operation;
use shared_types::settings::Schema;
use shared_types::{EventKind, InstanceId};

use super::care::Care;
use super::create::{checked, domain_taken};
use super::opened::OpenedInstance;
use super::{claim, marks, opened, reserved, sources};
use crate::instances::application::Sites;
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::store::hostnames;
use crate::instances::store::instances::{self, InstanceRow, NewInstance};
use crate::instances::{Manager, Refusal};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::vault;

/// Changes the given fields, if the instance was not changed since `version`.
///
/// # Errors
/// [`Refusal::Invalid`] with every field that is wrong, [`Refusal::Stale`] if it was changed since,
/// [`Refusal::Conflict`] if it is archived or the gateway has no room for more host names; nothing is saved then.
pub async fn update(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    version: i64,
    mut fields: Map<String, Value>,
) -> Result<(), Refusal> {
    let opened = opened::instance(manager, conn, id, true).await?;
    refuse(&opened.row, version)?;
    let application = opened.application(manager)?;
    let OpenedInstance { row, settings: current, trouble: _, active, health: _ } = opened;
    let name = new_name(&mut fields).unwrap_or_else(|| row.name.clone());
    let kind = application.kind();
    let care = Care::of(&row).take(&mut fields, &manager.providers);
    let settings = marks::restore(&kind.schema, Some(&current), &mut fields)
        .and_then(|()| application.settings(Some(&current), &fields))
        .and_then(|settings| sources::checked(manager, application, Some(&current), settings));
    let (settings, care) = checked(&name, settings, care)?;
    let before = Told { schema: &kind.schema, name: &row.name, settings: &current, care: Care::of(&row) };
    let after = Told { schema: &kind.schema, name: &name, settings: &settings, care: care.clone() };
    let changed = before.differing(&after);
    if changed.is_empty() {
        return Ok(());
    }
    let sites = application.sites(&settings)?;
    reserved::refuse(manager, kind, &sites, application.sites(&current).ok().as_ref())?;
    // Visitors of the active app server keep its host names and protocol until another one is activated.
    let kept = active.map(|(_, settings)| application.sites(&settings)).transpose()?;
    let ([sealed], secrets) = vault::seal(&manager.options.keyring, &kind.schema, [&settings])?;
    conn.transaction(async |conn| {
        let new = NewInstance {
            instance_type: &row.instance_type,
            name: &name,
            domain: sites.domain(),
            settings: &sealed,
            settings_version: application.version(),
            secrets: &row.secrets,
            tier: care.tier,
            max_builds: care.max_builds,
            retention_hours: care.retention_hours,
            provider: care.provider,
            https: care.https,
        };
        if !instances::update(conn, id, version, new).await? {
            return Err(stale());
        }
        vault::forget(conn, &row.settings).await?;
        vault::keep(conn, id, secrets).await?;
        if let Some(taken) = own_hostnames(manager, conn, id, [Some(&sites), kept.as_ref()]).await? {
            return Err(Refusal::Invalid(vec![domain_taken(kind, &taken)]));
        }
        let journal = Journal::of(actor, Operation::UpdateInstance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("{actor} changed {}", changed.join(", "))))
            .change(before.of(&changed), after.of(&changed));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Refuses a change of another version than the current one, or of an archived instance.
fn refuse(row: &InstanceRow, version: i64) -> Result<(), Refusal> {
    if row.version != version {
        return Err(stale());
    }
    if row.archived_at.is_some() {
        return Err(Refusal::Conflict(format!("Instance {} is archived; restore it to change it.", row.id)));
    }
    Ok(())
}

/// The name that was sent. None: none was. A name that is no text becomes an empty one, which is refused.
fn new_name(fields: &mut Map<String, Value>) -> Option<String> {
    let sent = fields.remove("name")?;
    Some(sent.as_str().unwrap_or_default().to_owned())
}

/// Gives the instance the host names of these sites and no others, and has the gateway told. Returns the first that
/// another instance has.
async fn own_hostnames(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    sites: [Option<&Sites>; 2],
) -> Result<Option<String>, Refusal> {
    for sites in sites.into_iter().flatten() {
        if let Some(taken) = claim::claim(manager, conn, id, sites).await? {
            return Ok(Some(taken));
        }
    }
    let keep: Vec<String> = sites.into_iter().flatten().flat_map(Sites::hostnames).collect();
    hostnames::release(conn, id, &keep).await?;
    instances::want_routing(conn, id).await?;
    ApplyRouting::enqueue(conn, id).await?;
    Ok(None)
}

fn stale() -> Refusal {
    Refusal::Stale(
        "The instance was changed since you read it; nothing was saved. Read it again and repeat the change.".into(),
    )
}

/// The fields of an instance that the audit trail records.
struct Told<'a> {
    schema: &'a Schema,
    name: &'a str,
    settings: &'a Value,
    care: Care,
}

impl Told<'_> {
    /// The names of the fields that differ in `other`.
    fn differing(&self, other: &Self) -> Vec<String> {
        let mut names = differing(self.settings, other.settings);
        names.extend(other.care.differing(&self.care));
        if self.name != other.name {
            names.insert(0, "name".into());
        }
        names
    }

    /// The named fields that exist, with secrets masked.
    fn of(&self, fields: &[String]) -> Value {
        let mut all = self.schema.masked(self.settings).as_object().cloned().unwrap_or_default();
        all.extend(self.care.clone().fields());
        all.insert("name".into(), self.name.into());
        all.retain(|name, _| fields.contains(name));
        all.into()
    }
}

/// The names of the settings that differ.
pub(in crate::instances) fn differing(one: &Value, other: &Value) -> Vec<String> {
    let names =
        |value: &Value| value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut all = names(one);
    all.extend(names(other).into_iter().filter(|name| one.get(name).is_none()));
    all.retain(|name| one.get(name) != other.get(name));
    all
}
