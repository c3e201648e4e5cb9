//! `ocim admin backup` and `ocim admin restore`: one archive with all contents of a data directory and its database
//! that cannot be recreated. Not included: the machines, running builds, and the cache.

mod archive;
mod restore;
mod tools;

use std::path::{Path, PathBuf};

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};

use self::archive::{DUMP, KEYS, Manifest, PRIVATE_KEY, PUBLIC_KEY};
use super::report::say;
use super::{StartError, database, keys, vault};
use crate::config::Settings;
use crate::platform::db::{Db, migrations};

pub use restore::restore;

/// Writes a backup. Server and workers may run meanwhile: the database is dumped as of one moment.
///
/// # Errors
/// An error if the database does not answer, the file exists or is not writable, or `pg_dump` fails; no file is left.
pub async fn backup(settings: &Settings, file: &Path) -> Result<(), StartError> {
    if file.exists() {
        return Err(format!("{} exists; name a file that does not", file.display()).into());
    }
    let data_dir = &settings.data.ocim_data_dir;
    let url = database::url(settings, data_dir).await?;
    let beside = Beside::of(file)?;
    let manifest = write(settings, data_dir, &url, &beside).await?;
    std::fs::rename(&beside.archive, file)?;
    if let Err(error) = Db::open(url.expose_secret())?.note_backup().await {
        tracing::warn!(%error, "the backup was written, and that could not be recorded");
    }
    say(format_args!(
        "{} holds the database (migration {}), {} keys of secrets{}; keep it as secret as they are",
        file.display(),
        manifest.migrations.last().map_or("none", String::as_str),
        manifest.keys.len(),
        if manifest.sha256.contains_key(PRIVATE_KEY) { " and the shared SSH key" } else { "" },
    ));
    Ok(())
}

async fn write(
    settings: &Settings,
    data_dir: &Path,
    url: &SecretString,
    beside: &Beside,
) -> Result<Manifest, StartError> {
    let db = Db::open(url.expose_secret())?;
    database::same_version(&db).await?;
    // Read the keys before and after the dump: a concurrent rotation adds a key before it or removes one after it.
    let before = vault::lines(settings, data_dir, &db).await?;
    let applied = migrations::applied(&db).await?;
    tools::dump(data_dir, url, &beside.dump).await?;
    let mut keys = vault::lines(settings, data_dir, &db).await?;
    keys.extend(before.into_iter().filter(|line| !keys.contains(line)).collect::<Vec<_>>());
    let mut members = vec![(DUMP, archive::Content::File(beside.dump.clone()))];
    members.push((KEYS, archive::Content::Bytes(format!("{}\n", keys.join("\n")).into_bytes())));
    let shared = keys::shared_key(data_dir);
    for (name, path) in [(PRIVATE_KEY, shared.clone()), (PUBLIC_KEY, shared.with_extension("pub"))] {
        if path.exists() {
            members.push((name, archive::Content::File(path)));
        }
    }
    let manifest = Manifest {
        format: archive::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made: Utc::now(),
        migrations: applied,
        keys: keys.iter().filter_map(|line| line.split(':').next()).map(str::to_owned).collect(),
        sha256: Default::default(),
    };
    let archive = beside.archive.clone();
    tokio::task::spawn_blocking(move || archive::write(&archive, manifest, &members)).await?
}

/// Temporary files beside the archive; those that remain are removed when this is dropped.
struct Beside {
    archive: PathBuf,
    dump: PathBuf,
}

impl Beside {
    fn of(file: &Path) -> Result<Self, StartError> {
        let named = |ending: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let beside = Self { archive: named(".part"), dump: named(".dump") };
        // Create both files first, so that only the owner can read them from the first byte on.
        archive::create(&beside.archive)?;
        archive::create(&beside.dump)?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.archive);
        let _ = std::fs::remove_file(&self.dump);
    }
}
