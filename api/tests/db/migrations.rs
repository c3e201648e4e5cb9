//! Migrations up, down and up again, and by several processes at once.

use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use ocim::platform::db::Db;
use ocim::platform::db::migrations::{MIGRATIONS, migrate};

use super::texts;
use crate::app::Database;

/// A description of everything in the schema that a migration can create.
const SCHEMA: &str = "\
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull \
        || ' ' || a.attidentity::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS text \
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped \
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN \
        (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) \
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
        AND proname NOT LIKE 'diesel_%' \
    ORDER BY 1";

async fn schema(db: &Db) -> Vec<String> {
    texts(&mut db.conn().await.unwrap(), SCHEMA).await
}

async fn blocking(db: &Db, work: fn(&mut AsyncConnectionWrapper<AsyncPgConnection>)) {
    let connection = db.dedicated().await.unwrap();
    tokio::task::spawn_blocking(move || work(&mut AsyncConnectionWrapper::from(connection))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_down_remove_all_that_migrations_up_created() {
    let database = Database::migrated().await;
    let db = database.open();
    let before = schema(&db).await;
    blocking(&db, |connection| {
        let undone = connection.revert_all_migrations(MIGRATIONS).unwrap();
        assert!(undone.len() >= 4);
    })
    .await;
    let left: Vec<String> =
        schema(&db).await.into_iter().filter(|line| !line.contains("__diesel_schema_migrations")).collect();
    assert_eq!(left, Vec::<String>::new());
    migrate(&db).await.unwrap();
    assert_eq!(schema(&db).await, before);
    database.discard();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_programs_migrate_once() {
    let database = Database::empty().await;
    let dbs = [database.open(), database.open(), database.open()];
    let ran = futures::future::join_all(dbs.iter().map(migrate)).await;
    let mut counts: Vec<usize> = ran.into_iter().map(Result::unwrap).collect();
    counts.sort_unstable();
    assert_eq!(counts[..2], [0, 0]);
    assert!(counts[2] >= 4);
    database.discard();
}
