//! Replaces the password of an instance's account. The user stays: views and other objects in a database may name it.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use secrecy::SecretString;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::BackupWork;
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{EventKind, InstanceId, ResourceKind};

use crate::instances::journal::Journal;
use crate::instances::store::{app_servers, backups, instances};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::vault;
use crate::resources::store::{self, ResourceRow};
use crate::resources::{ResourceError, names, password};

/// Stores a new password, and tells the server. If the server cannot be told now, a sweep does it; until then the resource has
/// `password_due`. App servers that exist have the earlier password in their configuration, which never changes.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if ocim did not make the account, a backup is being written, verified or restored, or app
/// servers that use the account have machines and `cuts_off` is false.
pub async fn rotate(
    manager: &Manager,
    actor: &Actor,
    (id, kind): (InstanceId, ResourceKind),
    cuts_off: bool,
) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| store_password(manager, conn, actor, (id, kind), cuts_off).await).await?;
    drop(conn);
    match manager.works().tell_due_password(id, kind).await {
        Err(ResourceError::Db(error)) => Err(error.into()),
        // The resource's trouble says why, and the sweep tries again.
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn store_password(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (id, kind): (InstanceId, ResourceKind),
    cuts_off: bool,
) -> Result<(), Refusal> {
    instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    let account = made_account(conn, id, kind).await?;
    if let Some(backup) = backups::at_work(conn, id).await? {
        return Err(Refusal::Conflict(format!(
            "Backup {} of instance {} needs the present password until it is {}; try again then.",
            backup.id,
            backup.instance_id,
            backup.work.map_or("ready", BackupWork::participle)
        )));
    }
    let users = users_of(conn, id, &account).await?;
    if !users.is_empty() && !cuts_off {
        return Err(Refusal::Conflict(format!(
            "{} would lose the connection, because the present password is part of the configuration: launch and activate an app \
             server afterwards, and repeat the request with cuts_off.",
            users.join(", ")
        )));
    }
    let password: SecretString = names::password()?.into();
    let (secret, secrets) = password::seal(&manager.options.keyring, &password)?;
    vault::keep(conn, id, secrets).await?;
    store::keep_secret(conn, account.id, &secret, true).await?;
    store::work::try_soon(conn, &[account.id]).await?;
    vault::forget(conn, &account.secret).await?;
    Journal::of(actor, Operation::RotateResourcePassword)
        .instance(id)
        .event(EventKind::InstanceUpdated)
        .line(Line::info(format!(
            "The password of the {} account {} was replaced by {actor}",
            kind.name(),
            account.remote_name
        )))
        .detail(json!({ "kind": kind, "username": account.remote_name, "cut_off": users }))
        .write(conn)
        .await?;
    Ok(())
}

/// The account of this kind, if its password is ocim's to change.
async fn made_account(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    kind: ResourceKind,
) -> Result<ResourceRow, Refusal> {
    let rows = store::of_kind(conn, id, kind).await?;
    let account = rows.into_iter().find(|row| row.part == ResourcePart::Account);
    let Some(account) = account else {
        return Err(Refusal::Conflict(format!("Instance {id} has no account of the kind {}.", kind.name())));
    };
    if account.class == ResourceClass::Given {
        return Err(Refusal::Conflict(format!(
            "{} was entered by an operator; change the password at the server, then enter it here again.",
            account.words()
        )));
    }
    if account.is_shared() {
        return Err(Refusal::Conflict(format!(
            "{} is the key of the server's table in the settings, which other instances use, too: replace it at the store and in the \
             settings, then launch.",
            account.words()
        )));
    }
    if account.state != ResourceState::Present {
        return Err(Refusal::Conflict(format!(
            "{} is {}; a password can be replaced once it is present.",
            account.words(),
            account.state.as_str()
        )));
    }
    Ok(account)
}

/// The names of the app servers that log in with this account and have machines, or are about to.
async fn users_of(conn: &mut AsyncPgConnection, id: InstanceId, account: &ResourceRow) -> Result<Vec<String>, DbError> {
    let mut names = Vec::new();
    for app_server in app_servers::with_machines(conn, id).await? {
        if app_server.used_resources()?.iter().any(|used| used.id == account.id) {
            names.push(app_server.name);
        }
    }
    Ok(names)
}
