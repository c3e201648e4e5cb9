//! Data of the version before is kept: checks become health, owed mail gets into the outbox, machines keep the shared key and
//! their providers.

use diesel_async::SimpleAsyncConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use ocim::instances::builds::terminate;
use ocim::instances::upkeep::reaper;
use ocim::machines::provider::{MachineSpec, Provider};
use ocim::platform::db::Db;
use ocim::platform::db::migrations::{MIGRATIONS, applied, migrate};
use serde_json::{Value, json};
use shared_types::{AppServerId, ServerId};

use super::texts;
use crate::app::{Database, Setup, TestApp};

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

/// What the version before providers had names wrote of an instance with a running app server: the machine's row has the
/// word of its provider's kind.
const RUNNING: &str = "\
    INSERT INTO instances (instance_type, name, domain, settings, settings_version, next_app_server_number) \
        VALUES ('openedx', 'Astronomy', 'astro.campus.example', '{settings}', 2, 2); \
    INSERT INTO instance_hostnames (hostname, instance_id) VALUES ('astro.campus.example', 1); \
    INSERT INTO servers (name, provider, provider_id, status, public_ip, ssh_address, http_address) \
        VALUES ('edxapp-astro-1', 'local', 'fake-1', 'ready', '192.0.2.101', '192.0.2.101:22', '192.0.2.101:80'); \
    INSERT INTO app_servers (instance_id, server_id, number, name, settings, settings_version, variables, playbooks, \
        variable_references, requested_by, status) \
        VALUES (1, 1, 1, 'AppServer 1', '{settings}', 2, '{}', '[]', '[]', 'test', 'running'); \
    INSERT INTO builds (app_server_id) VALUES (1); \
    INSERT INTO log_counters (app_server_id, last_seq) VALUES (1, 0);";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_the_version_before_is_shown_and_ended_at_its_own_provider_and_not_at_the_default_one() {
    let database = Database::migrated().await;
    let db = database.open();
    revert_to(&db, "20261129200000").await;
    let settings = include_str!("../documents/0.2/openedx_instance.json").replace('\'', "''");
    db.conn().await.unwrap().batch_execute(&RUNNING.replace("{settings}", &settings)).await.unwrap();
    migrate(&db).await.unwrap();

    // The default provider is `fake`, which does not have the machine.
    let setup = Setup { works: false, database: Some(database), other: Some("local"), ..Setup::default() };
    let app = TestApp::with(setup).await;
    let spec = MachineSpec { server_id: ServerId(1), name: "edxapp-astro-1".into(), authorized_key: "key".into() };
    assert_eq!(app.other.create(&spec).await.unwrap().provider_id, "fake-1");
    for _ in 0..3 {
        reaper::sweep(&app.manager).await.unwrap();
    }
    let listed = async |filter: &str| app.viewer().await.get(&format!("/api/v1/servers{filter}")).await.expect(200);
    let all = listed("?provider=local").await;
    let one = &all["items"][0];
    assert_eq!(
        (&one["id"], &one["provider"], &one["status"], &one["missing_since"]),
        (&json!(1), &json!("local"), &json!("ready"), &Value::Null),
        "{all:#}"
    );
    assert_eq!(listed("?provider=fake").await["items"], json!([]));
    assert_eq!(app.number("SELECT count(*) AS n FROM orphans").await, 0);

    // Its instance chooses no provider: the next machine is the default one's.
    let second = app.running(1).await;
    assert_eq!(app.read_app_server(second).await["server"]["provider"], "fake");
    app.operator().await.post("/api/v1/app-servers/1/terminate", json!({})).await.expect(202);
    assert!(terminate::remove(&app.manager, AppServerId(1)).await.unwrap());
    assert_eq!(listed("/1").await["status"], "terminated");
    assert_eq!((app.other.machines(), app.provider.machines()), (vec![], vec![ServerId(2)]));
    assert_eq!((app.other.calls().terminate, app.provider.calls().terminate), (1, 0));
    app.end().await;
}
