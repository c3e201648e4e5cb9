//! Names and passwords of what is made. Names begin with `ocim_` (of buckets `ocim-`) and the beginning of the installation's id, so
//! that people see at the server whose they are; what is deleted must also have a row.

use shared_types::ResourceKind;

use crate::platform::db::DbError;
use crate::platform::vault;

/// The most characters of a database's or bucket's name that every kind of server allows: PostgreSQL cuts off the rest, and S3 refuses it.
pub const DATABASE_MAX: usize = 63;
/// The most characters of a user's name that every kind of server allows: MySQL refuses longer ones.
pub const USERNAME_MAX: usize = 32;
/// The name in the row of an account that all instances share.
pub const SHARED: &str = "shared";
/// How many characters of the installation's id are in each name.
const INSTALLATION: usize = 8;
/// Random letters at the end of a database's name.
const DATABASE_LETTERS: usize = 6;
/// Random letters at the end of a bucket's name: those of S3 are unique among all accounts of a store.
const BUCKET_LETTERS: usize = 8;
/// Random letters at the end of a user's name, as many as the original had.
const USERNAME_LETTERS: usize = 16;
/// The end of the names of databases that backups are loaded into on trial; shorter than the letters of all others.
const TRIAL: &str = "trial";
/// The length of passwords, as in the original.
const PASSWORD: usize = 32;

/// What the names of this installation begin with: `ocim_1f2e3d4c_`, and `ocim-1f2e3d4c-` of buckets.
pub fn prefix(kind: ResourceKind, installation: &str) -> String {
    let id: String = installation.chars().filter(char::is_ascii_alphanumeric).take(INSTALLATION).collect();
    let id = id.to_ascii_lowercase();
    // Names of buckets are parts of host names.
    if kind.is_object_storage() { format!("ocim-{id}-") } else { format!("ocim_{id}_") }
}

/// Whether a name is one that this installation gives at a server of this kind.
pub fn is_ours(kind: ResourceKind, installation: &str, name: &str) -> bool {
    name.strip_prefix(&prefix(kind, installation)).is_some_and(|rest| !rest.is_empty())
}

/// A new name for what holds data at a server of this kind: `ocim_1f2e3d4c_17_main_kqzmwx`, and `ocim-1f2e3d4c-17-kqzmwxab` of a
/// bucket. At most [`DATABASE_MAX`] characters; the application's name is cut where it would be longer.
///
/// # Errors
/// [`DbError::Corrupt`] if the system provides no random bits.
pub fn database(kind: ResourceKind, installation: &str, instance: i64, name: &str) -> Result<String, DbError> {
    let prefix = prefix(kind, installation);
    if kind.is_object_storage() {
        return Ok(format!("{prefix}{instance}-{}", lower_letters(BUCKET_LETTERS)?));
    }
    let letters = lower_letters(DATABASE_LETTERS)?;
    let room = DATABASE_MAX.saturating_sub(format!("{prefix}{instance}__{letters}").len());
    let name: String = name.chars().take(room).collect();
    Ok(format!("{prefix}{instance}_{name}_{letters}"))
}

/// The name of the database that a backup is loaded into on trial: `ocim_1f2e3d4c_17_main_trial`. Always the same one, so that a
/// leftover is found again; no other name ends like this, because those of [`database`] end with more letters.
pub fn trial(kind: ResourceKind, installation: &str, instance: i64, name: &str) -> String {
    let prefix = prefix(kind, installation);
    let room = DATABASE_MAX.saturating_sub(format!("{prefix}{instance}__{TRIAL}").len());
    let name: String = name.chars().take(room).collect();
    format!("{prefix}{instance}_{name}_{TRIAL}")
}

/// A new name for an account: `ocim_1f2e3d4c_abcdefghijklmnop`. At most [`USERNAME_MAX`] characters.
///
/// # Errors
/// [`DbError::Corrupt`] if the system provides no random bits.
pub fn username(installation: &str) -> Result<String, DbError> {
    // Stores of objects make no accounts, so that all users have the names of databases.
    Ok(format!("{}{}", prefix(ResourceKind::Mysql, installation), lower_letters(USERNAME_LETTERS)?))
}

/// A new password: 32 letters and digits.
///
/// # Errors
/// [`DbError::Corrupt`] if the system provides no random bits.
pub fn password() -> Result<String, DbError> {
    Ok(vault::letters(PASSWORD)?)
}

fn lower_letters(count: usize) -> Result<String, DbError> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let drawn = vault::letters(4 * count)?;
        text.extend(drawn.chars().filter(char::is_ascii_lowercase).take(count - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const INSTALLATION: &str = "1F2E3D4C-aaaa-bbbb-cccc-000000000000";

    #[test]
    fn names_fit_every_kind_of_server() {
        for name in ["main", "n", "a_name_that_has_thirty_two_chars"] {
            let database = database(ResourceKind::Mysql, INSTALLATION, i64::MAX, name).unwrap();
            assert!(
                database.len() <= DATABASE_MAX && database.starts_with("ocim_1f2e3d4c_9223372036854775807_"),
                "{database}"
            );
            let beginning: String = name.chars().take(12).collect();
            assert!(database.contains(&beginning), "{database}");
        }
        let username = username(INSTALLATION).unwrap();
        assert!(username.len() <= USERNAME_MAX, "{username}");
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(is_plain(&username) && is_plain(&database(ResourceKind::Mysql, INSTALLATION, 7, "main").unwrap()));
    }

    #[test]
    fn names_of_buckets_are_parts_of_host_names_and_say_whose_they_are() {
        for kind in [ResourceKind::S3, ResourceKind::Swift] {
            let name = database(kind, INSTALLATION, i64::MAX, "a_name_that_has_thirty_two_chars").unwrap();
            assert!(name.starts_with("ocim-1f2e3d4c-9223372036854775807-") && name.len() <= 63, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
            assert!(is_ours(kind, INSTALLATION, &name) && !is_ours(ResourceKind::Mysql, INSTALLATION, &name));
        }
        assert!(
            !is_ours(ResourceKind::S3, INSTALLATION, "ocim-1f2e3d4c-")
                && !is_ours(ResourceKind::S3, INSTALLATION, "backups")
        );
    }

    #[test]
    fn the_name_of_a_trial_is_ours_and_that_of_no_database() {
        for name in ["main", "trial", "a_name_that_has_thirty_two_chars"] {
            let trial = trial(ResourceKind::Mysql, INSTALLATION, i64::MAX, name);
            assert!(trial.len() <= DATABASE_MAX && is_ours(ResourceKind::Mysql, INSTALLATION, &trial), "{trial}");
            let end = |name: &str| name.rsplit('_').next().unwrap().len();
            let own = database(ResourceKind::Mysql, INSTALLATION, i64::MAX, name).unwrap();
            assert_eq!((end(&trial), end(&own)), (TRIAL.len(), DATABASE_LETTERS));
            assert_ne!(TRIAL.len(), DATABASE_LETTERS);
        }
    }

    #[test]
    fn two_names_differ() {
        let all: std::collections::HashSet<_> =
            (0..100).map(|_| database(ResourceKind::Redis, INSTALLATION, 7, "main").unwrap()).collect();
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn only_names_with_the_prefix_of_this_installation_are_ours() {
        assert!(is_ours(ResourceKind::Mysql, INSTALLATION, &username(INSTALLATION).unwrap()));
        for name in ["ocim_1f2e3d4d_x", "ocim_1f2e3d4c_", "ocim_", "mysql", "xocim_1f2e3d4c_x", "root", ""] {
            assert!(!is_ours(ResourceKind::Mysql, INSTALLATION, name), "{name}");
        }
    }
}
