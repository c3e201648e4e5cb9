//! `ocim admin`: administration of users from the host's shell. The same rules apply as in the API.

use std::io::IsTerminal;

use secrecy::ExposeSecret;
use shared_types::user::{NewPassword, NewUser, UserPatch};
use shared_types::{Role, UserId};

use super::report::say;
use super::{StartError, database, keys};
use crate::config::Settings;
use crate::platform::db::Db;
use crate::platform::origin::Actor;
use crate::platform::users::store::accounts as store;
use crate::platform::users::{accounts, login};

const ACTOR: &Actor = &Actor::Shell;

/// Parses a role by its name.
///
/// # Errors
/// Lists the valid roles.
pub fn role(word: &str) -> Result<Role, String> {
    let known = || Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    let found = Role::ALL.iter().find(|role| role.as_str() == word);
    found.copied().ok_or_else(|| format!("there is no role {word}; there are {}", known()))
}

/// Sets a user's password, read from standard input; ends their sessions.
///
/// # Errors
/// An error if the password is too weak, there is no such user, or the database is not available.
pub async fn set_password(settings: &Settings, username: &str) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    let id = find(&db, username).await?;
    let new = NewPassword { password: read_password()?, revoke_tokens: false };
    accounts::set_password(&db, ACTOR, id, new).await?;
    say(format_args!("{username} has a new password; their sessions have ended"));
    Ok(())
}

/// Creates a user. The password is read from standard input; if that is a terminal or empty, it is generated.
///
/// # Errors
/// An error if the name is invalid or taken, the password is too weak, or the database is not available.
pub async fn create_user(settings: &Settings, username: String, role: Role) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    let given = if std::io::stdin().is_terminal() { String::new() } else { read_password()? };
    let is_ours = given.is_empty();
    let password = if is_ours { keys::random_password()? } else { given };
    let new = NewUser { username, password: Some(password.clone()), role };
    let row = accounts::create(&db, ACTOR, new).await?;
    say(format_args!("{} is user {}, {}", row.username, row.id, role.as_str()));
    if is_ours {
        say(format_args!("They sign in with the password {password} (shown this once)"));
    }
    Ok(())
}

/// Lists all users, one per line, ordered by name.
///
/// # Errors
/// An error if the database is not available.
pub async fn list_users(settings: &Settings) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    let mut query = store::Query { limit: shared_types::pagination::MAX_LIMIT, ..Default::default() };
    loop {
        let rows = store::page(&mut *db.conn().await?, &query).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        query.after = Some(last.username.clone());
        for row in rows {
            let state = if row.disabled_at.is_some() { "disabled" } else { "enabled" };
            let last = row.last_login.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
            say(format_args!("{}\t{}\t{}\t{state}\t{last}", row.id, row.username, row.role.as_str()));
        }
    }
}

/// Disables a user, so that they cannot sign in; ends their sessions.
///
/// # Errors
/// An error if there is no such user, it is the last administrator, or the database is not available.
pub async fn disable_user(settings: &Settings, username: &str) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    let id = find(&db, username).await?;
    let patch = UserPatch { is_disabled: Some(true), role: None };
    accounts::update(&db, ACTOR, id, None, patch).await?;
    say(format_args!("{username} may not sign in any more; their sessions have ended"));
    Ok(())
}

/// Creates the first administrator. Returns a generated password, to be shown once; none if there is nothing to show.
pub(super) async fn ensure_first(settings: &Settings, db: &Db) -> Result<Option<String>, StartError> {
    let (password, is_ours) = match &settings.server.ocim_admin_password {
        Some(password) => (password.expose_secret().to_owned(), false),
        None => (keys::random_password()?, true),
    };
    let made = login::ensure_first_admin(db, &password).await;
    let was_made = made.map_err(|error| format!("OCIM_ADMIN_PASSWORD: {error}"))?;
    Ok((was_made && is_ours).then_some(password))
}

async fn find(db: &Db, username: &str) -> Result<UserId, StartError> {
    let id = store::id_of(&mut *db.conn().await?, username).await?;
    id.ok_or_else(|| format!("there is no user {username}").into())
}

fn read_password() -> Result<String, StartError> {
    let mut password = String::new();
    std::io::stdin().read_line(&mut password)?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}
