//! The paths of a backup's files at the place: `INSTANCE/BACKUP/KIND-NAME.sql.zst.age`.

use shared_types::ResourceKind;

use super::place::{Entry, Place, PlacePath};
use crate::backups::port::BackupError;

/// What the name of a dump's file ends with.
const ENDING: &str = ".sql.zst.age";
/// The longest name of a database that names a file.
const NAME_MAX: usize = 64;

/// The folder of a backup.
///
/// # Errors
/// [`BackupError::Permanent`] unless `at` is two numbers with a slash between them.
pub(super) fn folder(at: &str) -> Result<PlacePath, BackupError> {
    match at.split_once('/') {
        Some((instance, backup)) if is_number(instance) && is_number(backup) => PlacePath::parse(at),
        Some(_) | None => Err(BackupError::Permanent(format!("“{at}” names no backup: one is such as 17/42."))),
    }
}

/// The file of a database's dump.
///
/// # Errors
/// [`BackupError::Permanent`] if `at` or the database's name cannot name a file.
pub(super) fn file(at: &str, kind: ResourceKind, name: &str) -> Result<PlacePath, BackupError> {
    let folder = folder(at)?;
    folder.join(&format!("{}{ENDING}", stem(kind, name)?))
}

/// What the names of the files of a database or a bucket begin with.
///
/// # Errors
/// [`BackupError::Permanent`] if its name cannot name a file.
pub(super) fn stem(kind: ResourceKind, name: &str) -> Result<String, BackupError> {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
        return Err(BackupError::Permanent(format!(
            "The database's name “{name}” cannot name a file: at most {NAME_MAX} letters, digits, `-` and `_` can."
        )));
    }
    Ok(format!("{}-{name}", kind.as_str()))
}

/// The backups that are there, in the order of their numbers.
pub(super) async fn list(place: &dyn Place) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    for instance in numbers(place, None).await? {
        for backup in numbers(place, Some(&PlacePath::parse(&instance)?)).await? {
            found.push((instance.clone(), backup));
        }
    }
    // Longer numbers without leading zeros are higher.
    found.sort_by_cached_key(|(instance, backup)| (instance.len(), instance.clone(), backup.len(), backup.clone()));
    Ok(found.into_iter().map(|(instance, backup)| format!("{instance}/{backup}")).collect())
}

/// The folders in this one that numbers name.
pub(super) async fn numbers(place: &dyn Place, folder: Option<&PlacePath>) -> Result<Vec<String>, BackupError> {
    let entries = place.entries(folder).await?.into_iter().filter_map(|entry| match entry {
        Entry::Folder { name } if is_number(&name) => Some(name),
        Entry::Folder { .. } | Entry::File { .. } => None,
    });
    Ok(entries.collect())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::place::Directory;
    use super::*;

    #[test]
    fn only_numbers_name_a_backup_and_only_plain_names_a_file() {
        for at in ["", "/", "1", "1/", "/2", "1/2/3", "../1", "1/..", "1/.", "-1/2", "1/2 ", "a/1", "1//2", "١/٢"] {
            for refused in [folder(at).unwrap_err(), file(at, ResourceKind::Mysql, "main").unwrap_err()] {
                let BackupError::Permanent(words) = &refused else { panic!("{at}: {refused:?}") };
                assert!(words.contains("names no backup"), "{at}: {words}");
            }
        }
        for name in ["", "a/b", "..", "a.b", "a\0", "ä", &"a".repeat(65)] {
            let refused = file("1/2", ResourceKind::Mysql, name).unwrap_err();
            let BackupError::Permanent(words) = &refused else { panic!("{name}: {refused:?}") };
            assert!(words.contains("cannot name a file"), "{name}: {words}");
        }
        let longest = file("1/2", ResourceKind::Postgresql, &"a".repeat(64)).unwrap();
        assert!(longest.as_str().starts_with("1/2/postgresql-aaaa"));
        let file = file("17/42", ResourceKind::Postgresql, "main").unwrap();
        assert_eq!(file.as_str(), "17/42/postgresql-main.sql.zst.age");
    }

    #[tokio::test]
    async fn backups_are_listed_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for made in ["2/10", "2/9", "10/1", "lost+found/1", "3/x", "4", "5/objects/6"] {
            std::fs::create_dir_all(dir.path().join(made)).unwrap();
        }
        std::fs::write(dir.path().join("7"), "").unwrap();
        std::fs::write(dir.path().join("2/11"), "").unwrap();
        let place = Directory::of(dir.path().to_owned()).unwrap();
        assert_eq!(list(&place).await.unwrap(), ["2/9", "2/10", "10/1"]);
    }
}
