//! An operator says where an instance's resources of one kind are: at a server of the settings, or where they exist already.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::resource::{ACCOUNT, ResourceChoice, ResourceClass, ResourcePart, ResourceState};
use shared_types::{EventKind, FieldError, InstanceId, ResourceKind};

use super::given::{self, Checked};
use super::{plan, purge};
use crate::instances::journal::Journal;
use crate::instances::store::{app_servers, backups, instances};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::vault;
use crate::resources::password;
use crate::resources::registry::Named;
use crate::resources::store::{self, NewResource, ResourceRow};

/// A choice that was checked.
enum Chosen<'m> {
    Server(&'m Named),
    Given(Box<Checked>),
}

impl Chosen<'_> {
    fn words(&self) -> String {
        match self {
            Self::Server(named) => format!("on the server {}", named.name),
            Self::Given(checked) => format!("as entered, at {}", checked.place.host),
        }
    }
}

/// Stores where the next app servers have their resources of this kind. Nothing is made yet.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`] names the fields; [`Refusal::Conflict`] if ocim has made resources of this kind
/// already, because their data would stay behind, or the instance is archived, being built or restored.
pub async fn choose(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (id, kind): (InstanceId, ResourceKind),
    choice: ResourceChoice,
) -> Result<(), Refusal> {
    let chosen = check(manager, kind, choice).map_err(Refusal::Invalid)?;
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.archived_at.is_some() {
            return Err(Refusal::Conflict(format!(
                "Instance {id} is archived; restore it to change where its data is."
            )));
        }
        let before = store::of_kind(conn, id, kind).await?;
        if let Some(refusal) = kept(&before, id) {
            return Err(refusal);
        }
        if let Some(name) = app_servers::being_built(conn, id).await? {
            return Err(Refusal::Conflict(format!("{name} is being built; wait for its end or stop it.")));
        }
        if let Some(backup) = backups::restoring(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "The databases of instance {id} are being replaced by those of backup {}; choose when that has ended.",
                backup.id
            )));
        }
        for row in &before {
            purge::begin_one(manager, conn, row).await?;
        }
        match &chosen {
            Chosen::Server(named) => {
                if !plan::is_free(conn, id, named).await? {
                    return Err(Refusal::Conflict(format!(
                        "The server {} is for one instance, and another one uses it.",
                        named.name
                    )));
                }
                plan::insert_account(manager, conn, id, named).await?;
            }
            Chosen::Given(checked) => insert_given(manager, conn, (id, kind), checked).await?,
        }
        let words = format!("{} {}s of the next app servers are {}", kind.name(), kind.unit(), chosen.words());
        Journal::of(actor, Operation::ChooseResources)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(words))
            .detail(json!({ "kind": kind, "where": chosen.words() }))
            .write(conn)
            .await?;
        Ok(())
    })
    .await
}

fn check(manager: &Manager, kind: ResourceKind, choice: ResourceChoice) -> Result<Chosen<'_>, Vec<FieldError>> {
    let wrong = |detail: String| vec![FieldError::new("server", detail)];
    match choice {
        ResourceChoice { server: Some(name), given: None } => {
            let named = name.parse().ok().and_then(|name| manager.resources.get(&name));
            let named = named.filter(|named| named.server.kind() == kind);
            let known = manager.resources.names(kind);
            named.map(Chosen::Server).ok_or_else(|| {
                wrong(format!("There is no server of this name and kind in the settings; there are: {known}."))
            })
        }
        ResourceChoice { server: None, given: Some(given) } => {
            given::check(kind, given).map(|checked| Chosen::Given(Box::new(checked)))
        }
        ResourceChoice { .. } => Err(wrong("Either `server` or `given` must be set, and not both.".to_owned())),
    }
}

/// Why a resource must stay where it is: ocim made it, so that it holds the instance's data.
fn kept(rows: &[ResourceRow], id: InstanceId) -> Option<Refusal> {
    let is_made = |row: &&ResourceRow| row.class == ResourceClass::Made && row.state != ResourceState::Wanted;
    let row = rows.iter().find(|row| is_made(row) || row.state == ResourceState::Deleting)?;
    Some(Refusal::Conflict(format!(
        "{} is {}, and holds data of instance {id}; another place would begin empty. Archive and purge the instance to delete it.",
        row.words(),
        row.state.as_str()
    )))
}

async fn insert_given(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    (id, kind): (InstanceId, ResourceKind),
    Checked { place, username, password, databases }: &Checked,
) -> Result<(), DbError> {
    let keyring = &manager.options.keyring;
    let (secret, secrets) = password::seal(keyring, &password.clone().into())?;
    vault::keep(conn, id, secrets).await?;
    let new = |part, name: &str, remote_name: &str, place, secret| NewResource {
        instance_id: id,
        kind,
        part,
        name: name.to_owned(),
        class: ResourceClass::Given,
        server: None,
        place,
        remote_name: remote_name.to_owned(),
        secret,
        state: ResourceState::Present,
    };
    let place = Some(serde_json::to_value(place)?);
    store::insert(conn, &new(ResourcePart::Account, ACCOUNT, username, place, secret)).await?;
    for (name, remote_name) in databases {
        let nothing = password::none(keyring)?;
        store::insert(conn, &new(ResourcePart::Database, name, remote_name, None, nothing)).await?;
    }
    Ok(())
}
