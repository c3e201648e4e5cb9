use std::path::PathBuf;

use shared_types::ResourceServerName;

use crate::config::table::settings;

settings! {
    /// Backups of the databases that instances have outside their machines: [backups.md](backups.md). For those of ocim's own database
    /// see [backup.md](backup.md).
    pub struct Backups = "Backups";

    /// The directory that backups are written to, the same one for the server and all workers: a disk of its own, or one of the network.
    ocim_backup_dir: Option<PathBuf> = None, unset("no backups are made, or in `OCIM_BACKUP_BUCKET`");
    /// The bucket of object storage that backups are written to, as `SERVER/BUCKET`, instead of `OCIM_BACKUP_DIR`. `SERVER` is the name of a
    /// table `[resources.SERVER]` of the kind `s3` ([storage.md](storage.md)), best one with a key that is used for nothing else. The bucket
    /// must exist.
    ocim_backup_bucket: Option<String> = None, unset("no backups are made, or in `OCIM_BACKUP_DIR`");
    /// The public keys of age (`age1…`) that backups are encrypted to, separated by commas (a list in the file). Each of their
    /// identities reads all backups. Required with
    /// `OCIM_BACKUP_DIR` and `OCIM_BACKUP_BUCKET`.
    ocim_backup_recipients: Vec<String> = Vec::new();
    /// The file with the identity of age (`AGE-SECRET-KEY-1…`) of one of the recipients. Without it, backups are made, and none can be
    /// restored or verified here.
    ocim_backup_identity_file: Option<PathBuf> = None;
    /// Hours between scheduled backups of each instance that has databases.
    ocim_backup_every: Option<u32> = None, unset("only on request"), within(1..=8760);
    /// How many complete scheduled backups of each instance are kept. Those that were requested are kept until their deletion is requested.
    ocim_backup_keep: u32 = 7, within(1..=1000);
    /// Days that snapshots from before builds that migrate databases are kept, and longer while the snapshot may still have to be restored.
    ocim_backup_migration_days: u32 = 30, within(1..=3650);
    /// Whether each scheduled backup is verified after it is written: loaded into databases made for this, which are deleted afterwards. Of
    /// no effect without `OCIM_BACKUP_IDENTITY_FILE`.
    ocim_backup_verify: bool = true;
}

impl Backups {
    /// Checks what settings need of each other.
    ///
    /// # Errors
    /// A message that names the settings, and says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let place = match (&self.ocim_backup_dir, &self.ocim_backup_bucket) {
            (Some(_), Some(_)) => {
                return Err(
                    "OCIM_BACKUP_DIR and OCIM_BACKUP_BUCKET are set; backups have one place, remove one of them"
                        .to_owned(),
                );
            }
            (Some(_), None) => Some("OCIM_BACKUP_DIR"),
            (None, Some(bucket)) => {
                BackupBucket::parse(bucket)?;
                Some("OCIM_BACKUP_BUCKET")
            }
            (None, None) => None,
        };
        let has_recipients = self.ocim_backup_recipients.iter().any(|key| !key.trim().is_empty());
        match place {
            Some(place) if !has_recipients => Err(format!(
                "{place} is set, and OCIM_BACKUP_RECIPIENTS names no key; backups are only written encrypted: make a key with \
                 `age-keygen`, and name its public part"
            )),
            None if self.ocim_backup_every.is_some() => Err(
                "OCIM_BACKUP_EVERY is set, and neither OCIM_BACKUP_DIR nor OCIM_BACKUP_BUCKET is; set one, or remove the schedule"
                    .to_owned(),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

/// The bucket that backups are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupBucket {
    /// The name of the table of its store.
    pub server: ResourceServerName,
    /// Its name there.
    pub bucket: String,
}

impl BackupBucket {
    /// Reads `SERVER/BUCKET`.
    ///
    /// # Errors
    /// A message that names the setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |words: &str| format!("OCIM_BACKUP_BUCKET is “{text}”; {words}");
        let form = "it must be SERVER/BUCKET: the name of a table [resources.SERVER], and that of a bucket there";
        let (server, bucket) = text.trim().split_once('/').ok_or_else(|| wrong(form))?;
        let server = server.parse().map_err(|_| wrong(form))?;
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
        let begins = bucket.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if !begins || !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(fits) {
            return Err(wrong("a bucket's name has 3 to 63 letters, digits, `.`, `-` and `_`, and no path after it"));
        }
        Ok(Self { server, bucket: bucket.to_owned() })
    }
}
