//! The store of the bucket that backups are written to: one of the tables.

use shared_types::ResourceKind;

use super::{ResourceSettings, TABLES};
use crate::config::ConfigError;
use crate::config::sections::{BackupBucket, Settings};

impl Settings {
    /// The bucket that backups are written to; none: they are written to a directory, or there are none.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not `SERVER/BUCKET`.
    pub fn backup_bucket(&self) -> Result<Option<BackupBucket>, ConfigError> {
        self.backups.ocim_backup_bucket.as_deref().map(BackupBucket::parse).transpose().map_err(ConfigError)
    }

    /// The store of a bucket for backups.
    ///
    /// # Errors
    /// [`ConfigError`] if the tables have no such store, or cannot be read.
    pub fn backup_store(&self, bucket: &BackupBucket) -> Result<ResourceSettings, ConfigError> {
        let (wanted, all) = (&bucket.server, self.resources()?);
        let stores: Vec<_> =
            all.iter().filter(|one| one.kind == ResourceKind::S3).map(|one| one.name.as_str()).collect();
        let stores = if stores.is_empty() { "none is".to_owned() } else { format!("these are: {}", stores.join(", ")) };
        let wrong = |words: String| ConfigError(format!("OCIM_BACKUP_BUCKET names the server `{wanted}`, {words}"));
        match all.into_iter().find(|one| one.name == *wanted) {
            Some(store) if store.kind == ResourceKind::S3 => Ok(store),
            Some(other) => Err(wrong(format!(
                "whose kind is `{}`; backups are written to servers of the kind `s3`, and {stores}",
                other.kind
            ))),
            None => Err(wrong(format!(
                "and there is no table [{TABLES}.{wanted}]; add it with the kind `s3`, or name one of this kind ({stores})"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const TABLES: &str = "[resources.files]\nkind = \"s3\"\nurl = \"https://k:s@s3.example\"\n\
                          [resources.main]\nkind = \"mysql\"\nurl = \"mysql://u:p@h\"\n";

    fn load(bucket: &str, tables: &str) -> Settings {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ocim.toml");
        std::fs::write(&path, tables).unwrap();
        let variables = [
            ("OCIM_CONFIG", path.to_str().unwrap()),
            ("OCIM_PROVIDER", "local"),
            ("OCIM_BACKUP_BUCKET", bucket),
            ("OCIM_BACKUP_RECIPIENTS", "age1"),
        ];
        Settings::of(variables, &[]).unwrap()
    }

    fn store(bucket: &str) -> Result<ResourceSettings, ConfigError> {
        let settings = load(bucket, TABLES);
        settings.backup_store(&settings.backup_bucket().unwrap().unwrap())
    }

    #[test]
    fn a_bucket_is_at_a_store_of_the_tables() {
        assert_eq!(store("files/ocim-backups").unwrap().name.as_str(), "files");
        let words = store("elsewhere/ocim-backups").unwrap_err().0;
        assert!(
            words.contains("there is no table [resources.elsewhere]") && words.contains("these are: files"),
            "{words}"
        );
        let words = store("main/ocim-backups").unwrap_err().0;
        assert!(words.contains("whose kind is `mysql`") && words.contains("these are: files"), "{words}");
    }

    #[test]
    fn instances_get_the_store_of_backups_only_if_its_table_says_so() {
        let defaults = |bucket: &str, tables: &str| {
            let all = load(bucket, tables).resources().unwrap();
            all.into_iter().filter(|one| one.is_default).map(|one| one.name.to_string()).collect::<Vec<_>>()
        };
        let own = format!("{TABLES}[resources.backups]\nkind = \"s3\"\nurl = \"https://b:s@s3.example\"\n");
        assert_eq!(defaults("backups/ocim", &own), ["files", "main"], "there is one for instances");
        assert_eq!(defaults("files/ocim", TABLES), ["main"]);
        let shared = TABLES.replace("kind = \"s3\"", "kind = \"s3\"\ndefault = true");
        assert_eq!(defaults("files/ocim", &shared), ["files", "main"]);
    }
}
