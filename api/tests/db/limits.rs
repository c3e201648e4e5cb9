//! Time limits of statements, and statements whose caller is gone.

use std::time::Duration;

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ocim::platform::db::{Abandonable, Db, DbError};
use ocim::platform::origin::Origin;
use tokio::time::timeout;

use super::texts;
use crate::app::{Database, number, until};

/// Statements with this mark that the server runs now.
async fn running(db: &Db, mark: &str) -> i64 {
    let query = format!(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
         AND query LIKE '%{mark}%' AND pid <> pg_backend_pid()"
    );
    number(&mut db.vital().await.unwrap(), &query).await
}

async fn sleep(conn: &mut AsyncPgConnection, mark: &str) {
    diesel::sql_query(format!("SELECT pg_sleep(60) /* {mark} */")).execute(conn).await.unwrap();
}

#[tokio::test]
async fn a_statement_whose_caller_is_gone_is_cancelled_and_its_connection_is_not_used_again() {
    let database = Database::migrated().await;
    let db = database.open();
    let mut before = Vec::new();
    for _ in 0..20 {
        let mut conn = db.conn().await.unwrap();
        before.extend(texts(&mut conn, "SELECT pg_backend_pid()::text AS text").await);
        assert!(timeout(Duration::from_millis(50), sleep(&mut conn, "left")).await.is_err());
        drop(conn);
        // The next borrower does not wait for the one that left.
        let mut next = timeout(Duration::from_secs(5), db.conn()).await.unwrap().unwrap();
        let pid =
            timeout(Duration::from_secs(5), texts(&mut next, "SELECT pg_backend_pid()::text AS text")).await.unwrap();
        assert!(!before.contains(&pid[0]));
    }
    until("no statement outlives its caller", async || running(&db, "left").await == 0).await;
    assert!(db.pool().size < 20, "the connections are closed: {:?}", db.pool());
    database.discard();
}

#[tokio::test]
async fn without_the_cancel_a_statement_outlives_its_caller() {
    let database = Database::migrated().await;
    let db = database.open();
    let mut conn = db.dedicated().await.unwrap();
    assert!(timeout(Duration::from_millis(200), sleep(&mut conn, "alone")).await.is_err());
    drop(conn);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(running(&db, "alone").await, 1, "the server does not notice that the client is gone");
    database.discard();
}

#[tokio::test]
async fn a_statement_whose_rows_still_arrive_is_cancelled_with_its_request() {
    let database = Database::migrated().await;
    let db = database.open();
    // The first rows arrive at once and fill the driver's buffers; the statement goes on for a minute.
    let rows = "SELECT repeat('x', 100000) AS text, pg_sleep(0.02) FROM generate_series(1, 3000) /* rows */";
    let reading = async { texts(&mut db.conn().await.unwrap(), rows).await };
    assert!(timeout(Duration::from_secs(1), Abandonable::new(reading)).await.is_err());
    until("no statement outlives its request", async || running(&db, "rows").await == 0).await;
    database.discard();
}

#[tokio::test]
async fn work_that_ends_gives_its_connection_back() {
    let database = Database::migrated().await;
    let db = database.open();
    let query = "SELECT pg_backend_pid()::text AS text";
    let work = async || Abandonable::new(async { texts(&mut db.conn().await.unwrap(), query).await }).await;
    let first = work().await;
    for _ in 0..10 {
        assert_eq!(work().await, first);
    }
    database.discard();
}

#[tokio::test]
async fn each_purpose_has_connections_of_its_own_and_limits_that_fit_it() {
    let database = Database::migrated().await;
    let db = database.open();
    let limits = async |conn: &mut AsyncPgConnection| {
        let query = "SELECT string_agg(setting, ' ' ORDER BY name) AS text FROM pg_settings WHERE name IN \
            ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout')";
        texts(conn, query).await.remove(0)
    };
    assert_eq!(limits(&mut db.conn().await.unwrap()).await, "60000 60000 300000");
    let of_request = Origin::default().scope(async { limits(&mut db.conn().await.unwrap()).await });
    assert_eq!(of_request.await, "30000 15000 25000");
    assert_eq!(limits(&mut db.searching().await.unwrap()).await, "10000 5000 8000");
    assert_eq!(limits(&mut db.vital().await.unwrap()).await, "5000 3000 5000");
    // All connections for requests and work are taken; heartbeats and the probe have theirs.
    let mut taken = Vec::new();
    for _ in 0..10 {
        taken.push(db.conn().await.unwrap());
    }
    let requests = Origin::default().scope(async {
        let mut taken = Vec::new();
        for _ in 0..16 {
            taken.push(db.conn().await.unwrap());
        }
        taken
    });
    let _requests = requests.await;
    assert!(timeout(Duration::from_millis(200), db.conn()).await.is_err());
    timeout(Duration::from_secs(2), db.answers()).await.unwrap().unwrap();
    timeout(Duration::from_secs(2), db.vital()).await.unwrap().unwrap();
    database.discard();
}

#[tokio::test]
async fn a_statement_at_its_limit_may_go_better_later() {
    let database = Database::migrated().await;
    let url = format!("{}?options=-c%20statement_timeout%3D200ms%20-c%20lock_timeout%3D100ms", database.url());
    let db = Db::open(&url).unwrap();
    let mut conn = db.conn().await.unwrap();
    let error: DbError = diesel::sql_query("SELECT pg_sleep(60)").execute(&mut conn).await.unwrap_err().into();
    assert!(error.took_too_long() && error.may_go_better() && !error.is_away(), "{error:?}");
    // The connection goes on.
    let held = db.installation().await.unwrap();
    assert!(!held.is_empty());
    let mut other = database.open().dedicated().await.unwrap();
    diesel::sql_query("SELECT pg_advisory_lock(1)").execute(&mut other).await.unwrap();
    let error: DbError = diesel::sql_query("SELECT pg_advisory_lock(1)").execute(&mut conn).await.unwrap_err().into();
    assert!(error.took_too_long() && error.may_go_better(), "{error:?}");
    drop((conn, other));
    database.discard();
}
