//! Data of the version before is kept: checks become health, owed mail gets into the outbox, machines keep the shared key.

use diesel_async::SimpleAsyncConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use ocim::platform::db::Db;
use ocim::platform::db::migrations::{MIGRATIONS, applied, migrate};

use super::texts;
use crate::app::Database;

/// Active app servers: healthy, Studio down, main site down, unchecked; and one that is inactive. Two builds owe mail.
const WORLD: &str = "\
    INSERT INTO instances (instance_type, name, domain, settings) SELECT 'openedx', n, n, '{}' FROM unnest(ARRAY['a', 'b', 'c', 'd', 'e']) AS n; \
    INSERT INTO servers (name, provider) SELECT 'vm', 'fake' FROM generate_series(1, 5); \
    INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, variable_references, \
        requested_by, status) SELECT n, n, 1, 'AppServer 1', '{}', '{}', '[]', '[]', 'test', 'running' FROM generate_series(1, 5) AS n; \
    INSERT INTO builds (app_server_id) SELECT n FROM generate_series(1, 5) AS n; \
    UPDATE instances SET active_app_server_id = id WHERE id < 5; \
    INSERT INTO app_server_checks (app_server_id, position, name, is_ok, detail) VALUES (1, 0, 'lms', true, '200 in 1 ms'), \
        (1, 1, 'studio', true, '200 in 1 ms'), (2, 0, 'lms', true, '200 in 1 ms'), (2, 1, 'studio', false, '503 in 1 ms'), \
        (3, 0, 'lms', false, '503 in 1 ms'), (3, 1, 'studio', false, '503 in 1 ms'), (5, 0, 'lms', false, '503 in 1 ms'); \
    UPDATE builds SET mail_owed = true, mail_tries = 2 WHERE app_server_id = 1; \
    UPDATE builds SET mail_owed = true, mail_due = now() + interval '1 hour' WHERE app_server_id = 2;";

/// Reverts the migrations from `first` on.
async fn revert_to(db: &Db, first: &str) {
    let count = applied(db).await.unwrap().iter().filter(|version| version.as_str() >= first).count();
    assert!(count >= 1, "{first} is a migration");
    let connection = db.dedicated().await.unwrap();
    let revert = move || {
        let mut connection = AsyncConnectionWrapper::<diesel_async::AsyncPgConnection>::from(connection);
        for _ in 0..count {
            connection.revert_last_migration(MIGRATIONS).unwrap();
        }
    };
    tokio::task::spawn_blocking(revert).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_of_the_version_before_are_the_first_results_and_its_mail_is_still_owed() {
    let database = Database::migrated().await;
    let db = database.open();
    revert_to(&db, "20261128100000").await;
    db.conn().await.unwrap().batch_execute(WORLD).await.unwrap();
    migrate(&db).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let health = "SELECT concat_ws(' ', i.name, h.state, h.failing, i.health_rank, h.checked_at IS NOT NULL) AS text \
        FROM instances AS i LEFT JOIN instance_health AS h ON h.instance_id = i.id ORDER BY i.id";
    assert_eq!(
        texts(&mut conn, health).await,
        ["a ok {} 1 t", "b degraded {studio} 3 t", "c down {lms,studio} 4 t", "d unknown {} 2 f", "e 0 f"]
    );
    let owed = "SELECT concat_ws(' ', key, payload, tries, due > now()) AS text FROM outbox ORDER BY id";
    assert_eq!(
        texts(&mut conn, owed).await,
        ["build_failed/1 {\"app_server_id\": 1} 2 f", "build_failed/2 {\"app_server_id\": 2} 0 t"]
    );
    assert_eq!(texts(&mut conn, "SELECT 'x' AS text FROM builds WHERE mail_owed").await, Vec::<String>::new());
    drop(conn);
    // Reverting works too, for a return to the older program.
    revert_to(&db, "20261128100000").await;
    let owed = "SELECT concat_ws(' ', app_server_id, mail_tries) AS text FROM builds WHERE mail_owed ORDER BY 1";
    assert_eq!(texts(&mut db.conn().await.unwrap(), owed).await, ["1 2", "2 0"]);
    database.discard();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_of_the_version_before_have_no_own_key_and_own_keys_end_with_their_machines() {
    let database = Database::migrated().await;
    let db = database.open();
    revert_to(&db, "20261129110000").await;
    let before = "INSERT INTO instances (instance_type, name, domain, settings) VALUES ('openedx', 'a', 'a', '{}'); \
        INSERT INTO servers (name, provider) SELECT 'vm', 'fake' FROM generate_series(1, 3)";
    db.conn().await.unwrap().batch_execute(before).await.unwrap();
    migrate(&db).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let keys = "SELECT concat_ws(' ', id, ssh_key, next_ssh_key) AS text FROM servers ORDER BY id";
    assert_eq!(texts(&mut conn, keys).await, ["1", "2", "3"]);
    // Machine 2 has a key, machine 3 has one and gets another.
    let key = |digit: char| format!(r#"{{"private_key": {{"$secret": "{}"}}}}"#, String::from(digit).repeat(32));
    let (a, b, c) = (key('a'), key('b'), key('c'));
    let given = format!(
        "INSERT INTO secrets (id, instance_id, key_id, sealed) SELECT repeat(d, 32), 1, 'k', decode(repeat('00', 40), 'hex') \
         FROM unnest(ARRAY['a', 'b', 'c', 'd']) AS d; UPDATE servers SET ssh_key = '{a}' WHERE id = 2; \
         UPDATE servers SET ssh_key = '{b}', next_ssh_key = '{c}' WHERE id = 3"
    );
    conn.batch_execute(&given).await.unwrap();
    let secrets = "SELECT left(id, 1) AS text FROM secrets ORDER BY id";
    conn.batch_execute("UPDATE servers SET status = 'building' WHERE id = 3").await.unwrap();
    assert_eq!(texts(&mut conn, secrets).await, ["a", "b", "c", "d"]);
    conn.batch_execute("UPDATE servers SET status = 'terminated' WHERE id IN (1, 3)").await.unwrap();
    assert_eq!(texts(&mut conn, secrets).await, ["a", "d"]);
    assert_eq!(texts(&mut conn, keys).await, ["1", &format!("2 {a}"), "3"]);
    drop(conn);
    revert_to(&db, "20261129110000").await;
    assert_eq!(texts(&mut db.conn().await.unwrap(), secrets).await, ["d"]);
    database.discard();
}
