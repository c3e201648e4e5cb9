//! Restores a backup into an empty data directory and an empty database.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::super::report::say;
use super::super::{StartError, vault};
use super::archive::{self, DUMP, KEYS, Manifest, PRIVATE_KEY, PUBLIC_KEY};
use super::tools;
use crate::config::Settings;
use crate::instances::builds::lease::holders;
use crate::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::platform::db::{Db, migrations};

/// The subdirectory of the data directory where the archive is extracted.
const APART: &str = "restoring";

/// Restores the data directory, and the database that DATABASE_URL names or an embedded one. Both must be empty.
/// Afterwards no build has a lease holder and no site claims the local machines, so that the next start continues here.
///
/// # Errors
/// An error if either is not empty, the archive is incomplete or from a newer program, or Postgres fails; the data
/// directory is empty again then.
pub async fn restore(settings: &Settings, file: &Path) -> Result<(), StartError> {
    let data_dir = &settings.data.ocim_data_dir;
    if std::fs::read_dir(data_dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!(
            "the data directory {} is not empty; a backup is restored into an empty one (OCIM_DATA_DIR)",
            data_dir.display()
        )
        .into());
    }
    std::fs::create_dir_all(data_dir)?;
    let data_dir = data_dir.canonicalize()?;
    let mut embedded = None;
    let done = fill(settings, &data_dir, file, &mut embedded).await;
    if let Some(postgres) = embedded {
        postgres.stop().await?;
    }
    match done {
        Ok(manifest) => {
            say(format_args!("Restored what ocim {} backed up at {}", manifest.version, manifest.made.to_rfc3339()));
            Ok(())
        }
        Err(error) => {
            clear(&data_dir);
            Err(error)
        }
    }
}

async fn fill(
    settings: &Settings,
    data_dir: &Path,
    file: &Path,
    embedded: &mut Option<EmbeddedPostgres>,
) -> Result<Manifest, StartError> {
    let apart = data_dir.join(APART);
    std::fs::DirBuilder::new().mode(0o700).create(&apart)?;
    let (from, into) = (file.to_owned(), apart.clone());
    let manifest = tokio::task::spawn_blocking(move || archive::read(&from, &into)).await??;
    let known = migrations::known()?;
    if let Some(newer) = manifest.migrations.iter().find(|one| !known.contains(one)) {
        return Err(format!(
            "{} was made by a newer ocim ({}, with migration {newer}); restore it with that version",
            file.display(),
            manifest.version
        )
        .into());
    }
    let url = match &settings.data.database_url {
        Some(url) => url.clone(),
        None => embedded.insert(EmbeddedPostgres::start(data_dir, EmbeddedOptions::default()).await?).url().clone(),
    };
    database(data_dir, &url, &apart).await?;
    vault::write(&vault::file(data_dir), &std::fs::read_to_string(apart.join(KEYS))?)?;
    shared_key(data_dir, &apart)?;
    std::fs::remove_dir_all(&apart)?;
    Ok(manifest)
}

async fn database(data_dir: &Path, url: &SecretString, apart: &Path) -> Result<(), StartError> {
    let db = Db::open(url.expose_secret())?;
    if !db.is_empty().await? {
        return Err("the database has tables; a backup is restored into an empty one (DATABASE_URL)".into());
    }
    tools::load(data_dir, url, &apart.join(DUMP)).await?;
    migrations::migrate(&db).await?;
    holders::forget_holders(&db).await?;
    db.leave_local_site().await?;
    Ok(())
}

/// Puts the shared SSH key back, if the archive has one.
fn shared_key(data_dir: &Path, apart: &Path) -> Result<(), StartError> {
    if !apart.join(PRIVATE_KEY).exists() {
        return Ok(());
    }
    let dir = data_dir.join("ssh");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    for (name, mode) in [(PRIVATE_KEY, 0o600), (PUBLIC_KEY, 0o644)] {
        let from = apart.join(name);
        if from.exists() {
            std::fs::rename(&from, dir.join(name))?;
            std::fs::set_permissions(dir.join(name), PermissionsExt::from_mode(mode))?;
        }
    }
    Ok(())
}

/// Deletes the contents of the data directory, which was empty before the restore.
fn clear(data_dir: &Path) {
    for entry in std::fs::read_dir(data_dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
}
