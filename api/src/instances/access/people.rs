//! The people who may log in to the machines of an instance, as the database has them.

use std::collections::HashSet;

use diesel_async::AsyncPgConnection;
use hex::encode;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shared_types::UserId;
use shared_types::ssh_access::AccessOrigin;

use super::team::{Member, Team};
use crate::instances::store::teams;
use crate::machines::people;
use crate::platform::db::DbError;
use crate::platform::public_key::PublicKey;
use crate::platform::users::store::ssh_keys::{self, OperatorKey};

/// A key that may log in, with its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The name of the user, or the login of the member.
    pub name: String,
    pub origin: AccessOrigin,
    /// None: a member of a team.
    pub user_id: Option<UserId>,
    /// The name of the key, or the team.
    pub key_name: String,
    pub key: PublicKey,
}

/// The keys of users who may log in to every machine, and of the members of a team, each key once. Two queries; one without a
/// team.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub(super) async fn of(conn: &mut AsyncPgConnection, team: Option<&Team>) -> Result<Vec<Person>, DbError> {
    let operators = ssh_keys::of_operators(conn).await?;
    let members = match team {
        Some(team) => teams::find(conn, &team.to_string()).await?.map(|known| known.members).unwrap_or_default(),
        None => Value::Null,
    };
    Ok(among(operators, team, &members))
}

/// The same, from what was read.
pub(super) fn among(operators: Vec<OperatorKey>, team: Option<&Team>, members: &Value) -> Vec<Person> {
    let members: Vec<Member> = Deserialize::deserialize(members).unwrap_or_default();
    let users = operators.into_iter().filter_map(|OperatorKey { user_id, username, name, public_key }| {
        let (key, _) = PublicKey::parse(&public_key).ok()?;
        Some(Person { name: username, origin: AccessOrigin::User, user_id: Some(user_id), key_name: name, key })
    });
    let of_team = members.into_iter().flat_map(|Member { login, keys }| {
        let person = move |text: String| {
            // What GitHub accepts may be too weak here.
            let (key, _) = PublicKey::parse(&text).ok()?;
            let key_name = team.map(Team::to_string).unwrap_or_default();
            Some(Person { name: login.clone(), origin: AccessOrigin::Team, user_id: None, key_name, key })
        };
        keys.into_iter().filter_map(person)
    });
    let mut seen = HashSet::new();
    users.chain(of_team).filter(|person| seen.insert(person.key.fingerprint().to_owned())).collect()
}

/// The block for `authorized_keys`.
pub(super) fn block(people: &[Person]) -> String {
    people::block(people.iter().map(|person| (&person.key, person.name.as_str())))
}

/// The SHA-256 digest of the block. None: there is no key to install, as on a machine that was never given one.
pub(super) fn digest(people: &[Person]) -> Option<String> {
    (!people.is_empty()).then(|| encode(Sha256::digest(block(people))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::json;

    use super::*;

    const ADA: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";
    const WEAK: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCxo9zl7WEghDbVL0odJNStJW0Ce9Pojv2hXOe8UORKFnnLBLASqyabta2X8iAwxXr4csIMLYDsF7QhvjLk1mWb1SiCwIXjw8u/L9jil70Ble6bYjyGddbz9T7wbKbtLzrzxm/ZnCxV06BioNf6w7/OxTlZdVmJ7hgy4CMVrLaL/Q==";

    #[test]
    fn a_key_of_a_user_and_a_member_is_there_once_and_weak_ones_never() {
        let team = Team::new("Acme", "Owners");
        let user = OperatorKey {
            user_id: UserId(1),
            username: "ada".to_owned(),
            name: "laptop".to_owned(),
            public_key: ADA.to_owned(),
        };
        let keys = vec![ADA.to_owned(), WEAK.to_owned(), "no key\nat all".to_owned()];
        let member = Member { login: "ada-l".to_owned(), keys };
        let both = among(vec![user], Some(&team), &json!([member]));
        assert_eq!(
            both.iter().map(|one| (one.name.as_str(), one.origin)).collect::<Vec<_>>(),
            [("ada", AccessOrigin::User)]
        );
        let only = among(Vec::new(), Some(&team), &json!([member]));
        assert_eq!(only.len(), 1);
        assert_eq!((only[0].name.as_str(), only[0].key_name.as_str()), ("ada-l", "acme/owners"));
        assert_ne!(digest(&both), digest(&only), "the label is another");
        assert_eq!(digest(&[]), None);
    }
}
