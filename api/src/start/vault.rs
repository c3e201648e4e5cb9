//! The keys that encrypt secrets, from the setting or from a file in the data directory, and their rotation.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::report::say;
use super::{StartError, database};
use crate::config::Settings;
use crate::platform::db::Db;
use crate::platform::vault::{self, Keyring, store};

/// The file of keys, which is used if OCIM_SECRET_KEYS is not set.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("keys").join("secrets")
}

/// Loads the keys, and checks that they decrypt everything in the database. `may_make`: if there is no key and nothing
/// was encrypted yet, one is generated; only for a database that no other program uses.
pub(super) async fn keyring(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    may_make: bool,
) -> Result<Keyring, StartError> {
    let needed = store::key_ids(&mut *db.conn().await?).await?;
    if settings.data.ocim_secret_keys.is_empty() && !file(data_dir).exists() {
        match needed.as_slice() {
            [] if may_make => write(&file(data_dir), &format!("{}\n", vault::generate()?))?,
            needed => return Err(no_keys(data_dir, needed).into()),
        }
    }
    let keyring = existing(settings, data_dir)?;
    let known = keyring.ids();
    let missing: Vec<_> = needed.into_iter().filter(|id| !known.contains(id)).collect();
    if !missing.is_empty() {
        return Err(format!(
            "the database holds secrets that are encrypted with {}, which this program has not; add it to {}",
            names(&missing),
            place(settings, data_dir)
        )
        .into());
    }
    Ok(keyring)
}

fn existing(settings: &Settings, data_dir: &Path) -> Result<Keyring, StartError> {
    if settings.data.ocim_secret_keys.is_empty() {
        return Ok(Keyring::of_file(file(data_dir))?);
    }
    let keys = settings.data.ocim_secret_keys.iter().map(ExposeSecret::expose_secret);
    Keyring::of(keys).map_err(|error| format!("OCIM_SECRET_KEYS: {error}").into())
}

/// The keys as text, the one that encrypts first; checks that they decrypt everything in the database.
pub(super) async fn lines(settings: &Settings, data_dir: &Path, db: &Db) -> Result<Vec<String>, StartError> {
    keyring(settings, data_dir, db, false).await?;
    if settings.data.ocim_secret_keys.is_empty() {
        let text = std::fs::read_to_string(file(data_dir))?;
        return Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect());
    }
    Ok(settings.data.ocim_secret_keys.iter().map(|key| key.expose_secret().to_owned()).collect())
}

fn no_keys(data_dir: &Path, needed: &[String]) -> String {
    let file = file(data_dir);
    let why = match needed {
        [] => "all programs that use one database need the same keys".to_owned(),
        needed => format!("the database holds secrets that are encrypted with {}", names(needed)),
    };
    format!(
        "there is no key for the secrets in the database ({why}): set OCIM_SECRET_KEYS for each of them, or put the file {} \
         there; a new key is printed by: ocim admin generate-key",
        file.display()
    )
}

fn names(keys: &[String]) -> String {
    let names: Vec<_> = keys.iter().map(|id| format!("key «{id}»")).collect();
    names.join(", ")
}

fn place(settings: &Settings, data_dir: &Path) -> String {
    if settings.data.ocim_secret_keys.is_empty() {
        file(data_dir).display().to_string()
    } else {
        "OCIM_SECRET_KEYS".to_owned()
    }
}

/// Replaces the file atomically, readable only by its owner; a concurrent reader sees the old or the new one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), StartError> {
    let cannot = |error: std::io::Error| format!("the file of keys {} cannot be written: {error}", path.display());
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot)?;
    }
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)?;
    std::fs::rename(&beside, path).map_err(cannot)?;
    Ok(())
}

/// Prints a new key, as a line for OCIM_SECRET_KEYS or for the file of keys.
///
/// # Errors
/// An error if the system provides no random bits.
pub fn generate_key() -> Result<(), StartError> {
    say(vault::generate()?);
    Ok(())
}

/// Encrypts all secrets with the first key: of the setting, or a new one that is added to the file. The server may run
/// meanwhile. After an interruption, it continues with the key it had generated.
///
/// # Errors
/// An error if there are no keys, one is missing, or the database does not answer.
pub async fn rotate_keys(settings: &Settings) -> Result<(), StartError> {
    let data_dir = &settings.data.ocim_data_dir;
    let db = database::attach(settings, data_dir).await?;
    database::same_version(&db).await?;
    let mut keyring = keyring(settings, data_dir, &db, false).await?;
    if settings.data.ocim_secret_keys.is_empty() && is_done(&db, &keyring).await? {
        let path = file(data_dir);
        let old = std::fs::read_to_string(&path)?;
        write(&path, &format!("{}\n{old}", vault::generate()?))?;
        keyring = Keyring::of_file(path)?;
    }
    let rotated = vault::rotate(&db, &keyring).await?;
    say(format_args!("{} secrets were encrypted anew; all have key «{}» now", rotated.count, rotated.key));
    if !rotated.spare.is_empty() {
        say(format_args!(
            "No secret needs {} any more, but backups may; take it out of {} when they need not be restored",
            names(&rotated.spare),
            place(settings, data_dir)
        ));
    }
    Ok(())
}

/// Whether no rotation was interrupted.
async fn is_done(db: &Db, keyring: &Keyring) -> Result<bool, StartError> {
    let needed = store::key_ids(&mut *db.conn().await?).await?;
    Ok(needed.iter().all(|id| keyring.ids().first() == Some(id)))
}
