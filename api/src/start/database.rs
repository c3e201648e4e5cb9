//! The database: the one that DATABASE_URL names, or the embedded one.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::StartError;
use super::report::{say, step};
use crate::config::Settings;
use crate::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::platform::db::{Db, migrations};

/// The URL of the database, for commands that start none: the embedded one must run.
pub(super) async fn url(settings: &Settings, data_dir: &Path) -> Result<SecretString, StartError> {
    match &settings.data.database_url {
        Some(url) => Ok(url.clone()),
        None => Ok(EmbeddedPostgres::attach(data_dir).await?),
    }
}

/// The database of a running server, without a check of its version.
pub(super) async fn attach(settings: &Settings, data_dir: &Path) -> Result<Db, StartError> {
    Ok(Db::open(url(settings, data_dir).await?.expose_secret())?)
}

/// Starts the database unless DATABASE_URL names one, and migrates it.
pub(super) async fn start(
    settings: &Settings,
    data_dir: &Path,
    embedded: &mut Option<EmbeddedPostgres>,
) -> Result<Db, StartError> {
    let url = match &settings.data.database_url {
        Some(url) => url.clone(),
        None => {
            let started = step("Postgres", EmbeddedPostgres::start(data_dir, EmbeddedOptions::default())).await?;
            embedded.insert(started).url().clone()
        }
    };
    let db = Db::open(url.expose_secret())?;
    step("Migrations", migrations::migrate(&db)).await?;
    Ok(db)
}

/// Checks that the database has this program's version. A worker never migrates it.
pub(super) async fn same_version(db: &Db) -> Result<(), StartError> {
    if migrations::are_pending(db).await? {
        return Err(
            "the database is older than this program; start the server of this version first, or run: ocim migrate"
                .into(),
        );
    }
    Ok(())
}

/// Migrates the database that DATABASE_URL names to this program's version.
///
/// # Errors
/// An error if DATABASE_URL is not set, the database does not answer, or a migration fails.
pub async fn migrate(settings: &Settings) -> Result<(), StartError> {
    let url = settings.data.database_url.as_ref();
    let url = url.ok_or("DATABASE_URL is not set; the embedded database is migrated when the server starts")?;
    let ran = migrations::migrate(&Db::open(url.expose_secret())?).await?;
    say(format_args!("{ran} migrations ran"));
    Ok(())
}
