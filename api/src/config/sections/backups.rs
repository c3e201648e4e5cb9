use std::path::PathBuf;

use crate::config::table::settings;

settings! {
    /// Backups of the databases that instances have outside their machines: [backups.md](backups.md). For those of ocim's own database
    /// see [backup.md](backup.md).
    pub struct Backups = "Backups";

    /// The directory that backups are written to, the same one for the server and all workers: a disk of its own, or one of the network.
    ocim_backup_dir: Option<PathBuf> = None, unset("no backups are made");
    /// The public keys of age (`age1…`) that backups are encrypted to, separated by commas (a list in the file). Each of their
    /// identities reads all backups. Required with `OCIM_BACKUP_DIR`.
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
        let has_recipients = self.ocim_backup_recipients.iter().any(|key| !key.trim().is_empty());
        match (&self.ocim_backup_dir, has_recipients) {
            (Some(_), false) => {
                Err("OCIM_BACKUP_DIR is set, and OCIM_BACKUP_RECIPIENTS names no key; backups are only written \
                encrypted: make a key with `age-keygen`, and name its public part"
                    .to_owned())
            }
            (None, _) if self.ocim_backup_every.is_some() => {
                Err("OCIM_BACKUP_EVERY is set, and OCIM_BACKUP_DIR is not; set the directory, or remove the schedule"
                    .to_owned())
            }
            (Some(_), true) | (None, _) => Ok(()),
        }
    }
}
