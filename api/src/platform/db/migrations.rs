//! Migrates the database to this program's version.

use std::sync::LazyLock;

use diesel::migration::{Migration, MigrationSource};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Db, DbError, Purpose};

/// All migrations, embedded from `migrations/`.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// The key of the advisory lock that lets one process migrate at a time; the value is arbitrary.
const MIGRATION_LOCK: i64 = 0x6f63_696d;

/// Runs pending migrations, one process at a time; the others wait. Returns the number of migrations that ran.
///
/// # Errors
/// [`DbError`] if the server does not answer or a migration fails; earlier migrations stay applied.
pub async fn migrate(db: &Db) -> Result<usize, DbError> {
    let mut guard = db.unlimited().await?;
    lock(&mut guard).await?;
    let connection = db.unlimited().await?;
    let ran = tokio::task::spawn_blocking(move || run(connection))
        .await
        .map_err(|error| DbError::Unavailable(error.to_string()))??;
    queue(db).await?;
    drop(guard);
    Ok(ran)
}

/// Migrates the job queue's own tables to the version this program knows.
async fn queue(db: &Db) -> Result<(), DbError> {
    graphile_worker::WorkerOptions::default()
        .database(db.queue(Purpose::Migration)?)
        .listen_os_shutdown_signals(false)
        .init()
        .await
        .map(drop)
        .map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Whether migrations of this program are missing in the database.
///
/// # Errors
/// [`DbError`] if the server does not answer, or the database is not one of ocim's.
pub async fn are_pending(db: &Db) -> Result<bool, DbError> {
    let connection = db.dedicated().await?;
    let pending = tokio::task::spawn_blocking(move || {
        AsyncConnectionWrapper::<AsyncPgConnection>::from(connection).has_pending_migration(MIGRATIONS)
    });
    pending
        .await
        .map_err(|error| DbError::Unavailable(error.to_string()))?
        .map_err(|error| DbError::Corrupt(format!("the migrations cannot be read: {error}")))
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// The applied migrations, oldest first.
///
/// # Errors
/// [`DbError`] if the server does not answer, or the database is not one of ocim's.
pub async fn applied(db: &Db) -> Result<Vec<String>, DbError> {
    let rows: Vec<Applied> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version")
        .load(&mut *db.probe().await?)
        .await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// The migrations of this program, named as in [`applied`].
///
/// # Errors
/// [`DbError`] if the embedded migrations cannot be read.
pub fn known() -> Result<Vec<String>, DbError> {
    let known: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
        MIGRATIONS.migrations().map_err(|error| DbError::Corrupt(format!("the migrations cannot be read: {error}")))?;
    Ok(known.iter().map(|one| one.name().version().to_string()).collect())
}

/// The newest migration of this program.
static NEWEST: LazyLock<String> = LazyLock::new(|| known().unwrap_or_default().pop().unwrap_or_default());

/// The newest migration of this program, for comparison in a statement with the column
/// `__diesel_schema_migrations.version`: a row with a higher one is of a newer program.
pub fn newest() -> &'static str {
    &NEWEST
}

/// Whether a newer program has migrated the database.
///
/// # Errors
/// [`DbError`] if the server does not answer.
pub async fn is_newer(db: &Db) -> Result<bool, DbError> {
    Ok(applied(db).await?.last().is_some_and(|last| last.as_str() > newest()))
}

/// Describes how the database differs from this program: missing migrations, or migrations unknown to this program.
/// None if they agree. One query.
///
/// # Errors
/// [`DbError`] if the server does not answer, or the database is not one of ocim's.
pub async fn difference(db: &Db) -> Result<Option<String>, DbError> {
    let (applied, known) = (applied(db).await?, known()?);
    let count = |of: &[String], without: &[String]| of.iter().filter(|one| !without.contains(one)).count();
    Ok(match (count(&known, &applied), count(&applied, &known)) {
        (0, 0) => None,
        (0, newer) => Some(format!("has {newer} migrations that this program does not know: run the newer program")),
        (missing, _) => Some(format!("lacks {missing} migrations of this program: run `ocim migrate`")),
    })
}

/// Takes the migration lock, which is held until the connection ends.
async fn lock(connection: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<diesel::sql_types::BigInt, _>(MIGRATION_LOCK)
        .execute(connection)
        .await?;
    Ok(())
}

fn run<C>(connection: C) -> Result<usize, DbError>
where
    C: AsyncConnection<Backend = diesel::pg::Pg> + 'static,
    AsyncConnectionWrapper<C>: MigrationHarness<diesel::pg::Pg>,
{
    let mut connection = AsyncConnectionWrapper::<C>::from(connection);
    let ran = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| DbError::Corrupt(format!("a migration failed: {error}")))?;
    Ok(ran.len())
}
