//! The stored credentials of private repositories: added and deleted by administrators, each for one source, and found
//! for a repository by the longest source that it is of. The secrets are in the vault.

pub mod store;

use async_trait::async_trait;
use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::source_credential::{CredentialKind, NewSourceCredential, SourceCredential};
use shared_types::{FieldError, SourceCredentialId};

use super::credentials::{Credential, Credentials};
use super::sources::Pattern;
use crate::platform::audit;
use crate::platform::db::{Db, DbError};
use crate::platform::origin::Actor;
use crate::platform::vault::{self, Keyring};

/// The longest source, in characters.
const SOURCE_MAX: usize = 500;
/// The longest secret, and the longest list of host keys, in characters.
const TEXT_MAX: usize = 20_000;
/// The longest login name, in characters.
const NAME_MAX: usize = 100;
/// The login name sent with a token unless another is given; servers ignore it.
const USERNAME: &str = "git";

/// Why an operation on a credential failed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// There is no credential with this id.
    #[error("There is no source credential {0}.")]
    NotFound(SourceCredentialId),
    /// Fields of the request that are not valid.
    #[error("Some fields are not valid.")]
    Invalid(Vec<FieldError>),
    /// A database operation failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for CredentialError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// A credential to store, as it was checked.
#[derive(Debug)]
struct Checked {
    source: Pattern,
    kind: CredentialKind,
    username: Option<String>,
    known_hosts: Option<String>,
}

/// Stores a credential, with its secret encrypted.
///
/// # Errors
/// [`CredentialError::Invalid`] names the fields that are wrong, also a source that has a credential.
pub async fn create(
    db: &Db,
    keyring: &Keyring,
    actor: &Actor,
    new: NewSourceCredential,
) -> Result<SourceCredential, CredentialError> {
    let Checked { source, kind, username, known_hosts } = check(&new).map_err(CredentialError::Invalid)?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let row = store::New {
            source: source.as_str(),
            kind: kind.as_str(),
            username: username.as_deref(),
            known_hosts: known_hosts.as_deref(),
            created_by: actor,
        };
        let Some(made) = store::insert(conn, row).await? else {
            let detail = format!("{source} has a credential already; delete that one first.");
            return Err(CredentialError::Invalid(vec![FieldError::new("source", detail)]));
        };
        vault::keep_for_source(keyring, conn, made.id, new.secret.trim()).await?;
        let detail = json!({ "source_credential": made.id, "source": made.source, "kind": made.kind });
        audit::record(conn, audit::Entry::new(actor, Operation::CreateSourceCredential).detail(detail)).await?;
        Ok(made)
    })
    .await
}

/// Deletes a credential and its secret.
///
/// # Errors
/// [`CredentialError::NotFound`].
pub async fn delete(db: &Db, actor: &Actor, id: SourceCredentialId) -> Result<(), CredentialError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let gone = store::delete(conn, id).await?.ok_or(CredentialError::NotFound(id))?;
        let detail = json!({ "source_credential": id, "source": gone });
        audit::record(conn, audit::Entry::new(actor, Operation::DeleteSourceCredential).detail(detail)).await?;
        Ok(())
    })
    .await
}

fn check(new: &NewSourceCredential) -> Result<Checked, Vec<FieldError>> {
    let NewSourceCredential { source, kind, username, secret, known_hosts } = new;
    let mut errors = Vec::new();
    let mut wrong = |field: &str, detail: &str| errors.push(FieldError::new(field, detail));
    let pattern = Pattern::parse(source);
    match &pattern {
        Err(detail) => wrong("source", &format!("{detail}.")),
        Ok(pattern) if pattern.as_str().len() > SOURCE_MAX => wrong("source", "Must have 500 characters at most."),
        Ok(pattern) => {
            if let Some(detail) = misfit(pattern, *kind) {
                wrong("source", detail);
            }
        }
    }
    if !is_between(secret, TEXT_MAX) {
        wrong("secret", "Must have 1 to 20000 characters.");
    } else if let Some(detail) = secret_fault(secret.trim(), *kind) {
        wrong("secret", detail);
    }
    if let Some(detail) = hosts_fault(*kind, known_hosts.as_deref()) {
        wrong("known_hosts", detail);
    }
    if let Some(detail) = username_fault(*kind, username.as_deref()) {
        wrong("username", detail);
    }
    let username = match kind {
        CredentialKind::DeployKey => None,
        CredentialKind::Token => Some(username.as_deref().unwrap_or(USERNAME).trim().to_owned()),
    };
    let known_hosts = known_hosts.as_deref().map(|hosts| hosts.trim().to_owned());
    match pattern {
        Ok(source) if errors.is_empty() => Ok(Checked { source, kind: *kind, username, known_hosts }),
        Ok(_) | Err(_) => Err(errors),
    }
}

/// Whether a text has 1 to `most` characters, and none that Postgres refuses.
fn is_between(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.contains('\0')
}

fn hosts_fault(kind: CredentialKind, hosts: Option<&str>) -> Option<&'static str> {
    match (kind, hosts) {
        (CredentialKind::DeployKey, Some(hosts)) if is_between(hosts, TEXT_MAX) => None,
        (CredentialKind::DeployKey, _) => {
            Some("A deploy key needs the host keys of its server, as lines of a known_hosts file.")
        }
        (CredentialKind::Token, None) => None,
        (CredentialKind::Token, Some(_)) => Some("A token has no host keys; leave this out."),
    }
}

fn username_fault(kind: CredentialKind, name: Option<&str>) -> Option<&'static str> {
    match (kind, name) {
        (_, None) => None,
        (CredentialKind::DeployKey, Some(_)) => {
            Some("The login name of a deploy key is part of the source; leave this out.")
        }
        (CredentialKind::Token, Some(name))
            if !is_between(name, NAME_MAX) || name.contains(|c: char| c == ':' || c.is_control()) =>
        {
            Some("Must have 1 to 100 characters, without `:`.")
        }
        (CredentialKind::Token, Some(_)) => None,
    }
}

/// Why a source cannot have a credential of this kind.
fn misfit(source: &Pattern, kind: CredentialKind) -> Option<&'static str> {
    match (kind, source.scheme()) {
        _ if !source.names_server() => Some("Must name one server, such as https://git.example/acme/*."),
        (CredentialKind::DeployKey, Some("ssh")) => None,
        (CredentialKind::DeployKey, _) => Some("A deploy key is for ssh: ssh://user@host/path/*."),
        (CredentialKind::Token, Some("https")) => None,
        // What does not leave this host is not read by others.
        (CredentialKind::Token, Some("http")) if !source.names_remote_server() => None,
        (CredentialKind::Token, _) => Some("A token is for https: https://host/owner/*."),
    }
}

fn secret_fault(secret: &str, kind: CredentialKind) -> Option<&'static str> {
    match kind {
        CredentialKind::DeployKey => key_fault(secret),
        CredentialKind::Token if secret.contains(char::is_control) => Some("A token is one line."),
        CredentialKind::Token => None,
    }
}

fn key_fault(key: &str) -> Option<&'static str> {
    const NO_KEY: &str = "Must be a private key, as ssh-keygen writes it: -----BEGIN … PRIVATE KEY-----.";
    const ENCRYPTED: &str = "Must be a private key without a passphrase.";
    if key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return match ssh_key::PrivateKey::from_openssh(key) {
            Ok(key) => key.is_encrypted().then_some(ENCRYPTED),
            Err(_) => Some(NO_KEY),
        };
    }
    if !key.starts_with("-----BEGIN ") || !key.contains("PRIVATE KEY-----") {
        return Some(NO_KEY);
    }
    key.contains("ENCRYPTED").then_some(ENCRYPTED)
}

/// The credentials of the database.
#[derive(Debug, Clone)]
pub struct StoredCredentials {
    pub db: Db,
    pub keyring: Keyring,
}

#[async_trait]
impl Credentials for StoredCredentials {
    async fn find(&self, repository: &str) -> Result<Option<Credential>, String> {
        self.look_up(repository)
            .await
            .map_err(|error| format!("the credential of {repository} cannot be read: {error}"))
    }
}

impl StoredCredentials {
    async fn look_up(&self, repository: &str) -> Result<Option<Credential>, DbError> {
        let mut conn = self.db.conn().await?;
        let all = store::all(&mut conn).await?;
        let fitting = all.into_iter().filter(|one| Pattern::parse(&one.source).is_ok_and(|p| p.covers(repository)));
        let Some(SourceCredential { id, kind, username, known_hosts, .. }) = fitting.max_by_key(|one| one.source.len())
        else {
            return Ok(None);
        };
        let Some(secret) = vault::open_for_source(&self.keyring, &mut conn, id).await? else { return Ok(None) };
        Ok(Some(match kind {
            CredentialKind::DeployKey => {
                Credential::DeployKey { private_key: secret, known_hosts: known_hosts.unwrap_or_default() }
            }
            CredentialKind::Token => Credential::Token { username: username.unwrap_or_default(), token: secret },
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Of no server.
    const WITH_PASSPHRASE: &str = "\
        -----BEGIN OPENSSH PRIVATE KEY-----\n\
        b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABD1qBtopW\n\
        +XAbF/kzoM0OmuAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIOzl8YnZuJsN1GZD\n\
        O+6jKcPtiXwMP43PfLoNJOI9NwoBAAAAkBl2NJ79wjpxiF/Isf70mTEI8S7QtuunguTBCV\n\
        YNYX8JeJ7Q31lp0/5UMY2e6I7Yd+LVw2hkAQ6TfxZOSBU5Ny0kkzo00ODG/xxqJ52k9gLy\n\
        ZYuGiVdFqXE+kGMKIYLxZkSnBx0pddgRxFkMwZZQnzpI+Edq/QDzZzaqzTdRAY8ohdB977\n\
        h7tc+pNaTdiIAYRg==\n\
        -----END OPENSSH PRIVATE KEY-----\n";

    fn new(source: &str, kind: CredentialKind, secret: &str, known_hosts: Option<&str>) -> NewSourceCredential {
        NewSourceCredential {
            source: source.to_owned(),
            kind,
            username: None,
            secret: secret.to_owned(),
            known_hosts: known_hosts.map(str::to_owned),
        }
    }

    #[test]
    fn a_credential_is_for_one_server_and_the_scheme_of_its_kind() {
        use CredentialKind::{DeployKey, Token};
        let hosts = Some("git.example ssh-ed25519 AAAA");
        let (key, _) = vault::ssh_key_pair("test").unwrap();
        let key = key.as_str();
        let made = check(&new("git@Git.Example:acme/*", DeployKey, key, hosts)).unwrap();
        assert_eq!((made.source.as_str(), made.username), ("ssh://git@git.example/acme/*", None));
        let made = check(&new("https://git.example/acme/x.git", Token, "abc", None)).unwrap();
        assert_eq!((made.source.as_str(), made.username.as_deref()), ("https://git.example/acme/x", Some("git")));
        assert!(check(&new("http://127.0.0.1:3000/*", Token, "abc", None)).is_ok());
        for (source, kind, secret, known_hosts, field) in [
            ("https://*", Token, "abc", None, "/source"),
            ("/srv/git", Token, "abc", None, "/source"),
            ("http://git.example/*", Token, "abc", None, "/source"),
            ("git@git.example:acme/*", Token, "abc", None, "/source"),
            ("https://git.example/*", DeployKey, key, hosts, "/source"),
            ("https://git.example/*", Token, " ", None, "/secret"),
            ("https://git.example/*", Token, "a\nb", None, "/secret"),
            ("ssh://git@git.example/*", DeployKey, "abc", hosts, "/secret"),
            ("ssh://git@git.example/*", DeployKey, &key.replace('b', "c"), hosts, "/secret"),
            ("ssh://git@git.example/*", DeployKey, WITH_PASSPHRASE, hosts, "/secret"),
            ("ssh://git@git.example/*", DeployKey, key, None, "/known_hosts"),
            ("https://git.example/*", Token, "abc", hosts, "/known_hosts"),
        ] {
            let errors = check(&new(source, kind, secret, known_hosts)).unwrap_err();
            let fields: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(fields, [field], "{source} {secret}");
        }
    }
}
