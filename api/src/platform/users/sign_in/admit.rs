//! Maps an identity at a provider to a user, and its groups to a role. Users are matched by the provider's subject
//! only, never by name.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::sign_in::Provider;
use shared_types::user::username_fault;
use shared_types::{Role, User};

use super::{Group, Identity, SignIn, SignInError};
use crate::platform::audit;
use crate::platform::db::Db;
use crate::platform::origin::Actor;
use crate::platform::users::login::Cookies;
use crate::platform::users::store::accounts::{self, UserRow};
use crate::platform::users::store::{self, groups, identities, sessions};
use crate::platform::users::{Secret, attempts, login};

/// The longest subject that is accepted, in characters, as in the OpenID Connect standard.
const SUBJECT_MAX: usize = 255;
/// The longest name that is taken over, in characters; a number may be appended.
const NAME_MAX: usize = 140;
/// How many users may have names with the same base.
const NAMESAKES: u32 = 1000;

/// Begins a session for an identity that the provider has proved. Creates the user at the first sign-in, and sets the
/// role that the groups give now. Ends the session of the browser's previous cookie.
///
/// # Errors
/// [`SignInError::NoRole`] if no group gives a role, or [`SignInError::Disabled`] if the user is disabled.
pub(super) async fn admit(
    db: &Db,
    sign_in: &SignIn,
    provider: Provider,
    identity: &Identity,
    cookies: &Cookies,
) -> Result<(User, Secret), SignInError> {
    let subject = &identity.subject;
    if subject.is_empty() || subject.chars().count() > SUBJECT_MAX || subject.contains('\0') {
        return Err(SignInError::Invalid(format!("a subject must have 1 to {SUBJECT_MAX} characters")));
    }
    let mut conn = db.conn().await?;
    let role = role(&mut conn, sign_in, provider, identity).await?;
    conn.transaction(async |conn| {
        identities::lock(conn, provider, subject).await?;
        let user = match identities::find(conn, provider, subject).await? {
            None => create(conn, provider, identity, role).await?,
            Some(id) => {
                let admins = accounts::lock_admins(conn).await?;
                // Deleting a user deletes their identities, so only a concurrent delete can have removed the user.
                let row = accounts::lock(conn, id).await?.ok_or(SignInError::Expired)?;
                if row.disabled_at.is_some() {
                    return Err(SignInError::Disabled(row.username));
                }
                let is_last = matches!(admins.as_slice(), [only] if *only == id);
                change(conn, provider, row, role, is_last).await?
            }
        };
        let password = user.password_hash.as_deref();
        let role = store::signs_in(conn, user.id, password).await?.ok_or(SignInError::Expired)?;
        let user = User { id: user.id, username: user.username, role };
        let secret = login::begin(conn, &user, cookies, Some(provider)).await?;
        Ok((user, secret))
    })
    .await
}

/// The highest role that the groups give. A group whose name belonged to another group before gives none: an
/// organization that was renamed or deleted can be registered anew by a stranger.
async fn role(
    conn: &mut AsyncPgConnection,
    sign_in: &SignIn,
    provider: Provider,
    identity: &Identity,
) -> Result<Role, SignInError> {
    let (mut highest, mut other) = (None, None);
    for Group { name, id } in &identity.groups {
        let Some(role) = sign_in.roles.of(provider, name) else { continue };
        let is_known = match id {
            Some(id) => groups::pin(conn, provider, name, id).await? == *id,
            None => true,
        };
        if is_known {
            highest = highest.max(Some(role));
        } else {
            tracing::warn!(
                group = name,
                id,
                "a group has another id than the one with its name before; it gives no role"
            );
            other = Some(name.clone());
        }
    }
    highest.ok_or_else(|| match other {
        Some(group) => SignInError::OtherGroup(plausible(&group)),
        None => SignInError::NoRole(plausible(&identity.name)),
    })
}

/// Creates a user for an identity that signs in for the first time.
async fn create(
    conn: &mut AsyncPgConnection,
    provider: Provider,
    identity: &Identity,
    role: Role,
) -> Result<UserRow, SignInError> {
    let base = plausible(&identity.name);
    for number in 1..=NAMESAKES {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let Some(row) = accounts::insert(conn, &name, None, role).await? else { continue };
        identities::insert(conn, provider, &identity.subject, row.id).await?;
        let detail = json!({
            "user": row.id, "username": row.username, "role": role, "provider": provider, "subject": identity.subject,
        });
        audit::record(conn, audit::Entry::new(&Actor::SignIn(provider), Operation::CreateUser).detail(detail)).await?;
        return Ok(row);
    }
    Err(SignInError::Invalid(format!("{NAMESAKES} users are called {base} already")))
}

/// Sets the current role. The last enabled administrator keeps theirs. A lower role ends the user's sessions.
async fn change(
    conn: &mut AsyncPgConnection,
    provider: Provider,
    row: UserRow,
    role: Role,
    is_last: bool,
) -> Result<UserRow, SignInError> {
    if role == row.role {
        return Ok(row);
    }
    let detail = json!({ "user": row.id, "username": row.username, "provider": provider });
    let actor = Actor::SignIn(provider);
    let entry = audit::Entry::new(&actor, Operation::UpdateUser).detail(detail);
    if role < row.role && is_last {
        let words = "The groups give less, but this is the last administrator who may sign in.";
        audit::record(conn, entry.refused(words)).await?;
        return Ok(row);
    }
    if role < row.role {
        sessions::end_all(conn, row.id).await?;
    }
    let after = accounts::update(conn, row.id, role, row.disabled_at).await?;
    audit::record(conn, entry.change(json!({ "role": row.role }), json!({ "role": role }))).await?;
    Ok(after)
}

/// Records a refused sign-in in the audit log.
///
/// # Errors
/// [`SignInError::Db`] if the statement fails.
pub(super) async fn refused(
    db: &Db,
    provider: Provider,
    identity: Option<&Identity>,
    error: &SignInError,
) -> Result<(), SignInError> {
    let subject = identity.map(|identity| identity.subject.as_str());
    let name = identity.map(|identity| plausible(&identity.name));
    let detail = json!({ "provider": provider, "subject": subject, "name": name });
    let words = error.problem().words();
    // The actor is the provider: the name there may be another user's name here.
    let actor = Actor::SignIn(provider);
    Ok(attempts::audit_refusal(&mut *db.conn().await?, &actor, detail, words).await?)
}

/// A valid user name that resembles the provider's name for the user.
fn plausible(name: &str) -> String {
    let name: String = name.trim().chars().take(NAME_MAX).collect();
    let name = name.trim();
    if username_fault(name).is_none() { name.to_owned() } else { "somebody".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_elsewhere_is_one_that_people_can_read() {
        assert_eq!(plausible(" ada "), "ada");
        assert_eq!(plausible(""), "somebody");
        assert_eq!(plausible("ad\u{202e}a"), "somebody");
        assert_eq!(plausible(&"x".repeat(400)), "x".repeat(NAME_MAX));
    }
}
