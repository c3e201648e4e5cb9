//! The database itself refuses illegal changes, even if the program attempts them.

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use ocim::platform::db::Db;
use shared_types::backup::BackupState;
use shared_types::migration::MigrationState;
use shared_types::resource::ResourceState;
use shared_types::{AppServerStatus, ServerStatus};

use crate::app::{Database, number};

/// Two instances with one app server each.
const WORLD: &str = "\
    INSERT INTO instances (instance_type, name, domain, settings) SELECT 'openedx', n, n, '{}' FROM unnest(ARRAY['a', 'b']) AS n; \
    INSERT INTO servers (name, provider) SELECT 'vm', 'fake' FROM generate_series(1, 2); \
    INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, variable_references, \
        requested_by) SELECT n, n, 1, 'AppServer 1', '{}', '{}', '[]', '[]', 'test' FROM generate_series(1, 2) AS n; \
    INSERT INTO app_server_pins (app_server_id, repository, version) VALUES (1, '/r', 'master'); \
    INSERT INTO audit_log (actor, action) VALUES ('test', 'test');";

async fn world() -> (Database, Db) {
    let database = Database::migrated().await;
    let db = database.open();
    db.conn().await.unwrap().batch_execute(WORLD).await.unwrap();
    (database, db)
}

/// Runs a statement; the error is Postgres' message.
async fn attempt(conn: &mut AsyncPgConnection, statement: &str) -> Result<(), String> {
    diesel::sql_query(statement).execute(conn).await.map(drop).map_err(|error| error.to_string())
}

async fn refused(conn: &mut AsyncPgConnection, statement: &str, words: &str) {
    let error = attempt(conn, statement).await.expect_err(statement);
    assert!(error.contains(words), "{statement}: {error}");
}

/// Sets any status, bypassing the guards.
async fn put(conn: &mut AsyncPgConnection, table: &str, status: &str) {
    let statement = format!(
        "BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; UPDATE {table} SET status = '{status}' WHERE id = 1; \
         ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT"
    );
    conn.batch_execute(&statement).await.unwrap();
}

#[tokio::test]
async fn the_status_of_an_app_server_changes_only_as_its_type_allows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    for from in AppServerStatus::ALL {
        for to in AppServerStatus::ALL {
            put(&mut conn, "app_servers", from.as_str()).await;
            let statement = format!("UPDATE app_servers SET status = '{}' WHERE id = 1", to.as_str());
            let done = attempt(&mut conn, &statement).await;
            assert_eq!(done.is_ok(), from == to || from.can_become(*to), "{from:?} to {to:?}: {done:?}");
        }
    }
    database.discard();
}

#[tokio::test]
async fn the_status_of_a_server_changes_only_as_its_type_allows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let known = "UPDATE servers SET provider_id = 'p', ssh_address = '192.0.2.1:22', http_address = '192.0.2.1:80'";
    attempt(&mut conn, known).await.unwrap();
    for from in ServerStatus::ALL {
        for to in ServerStatus::ALL {
            put(&mut conn, "servers", from.as_str()).await;
            let statement = format!("UPDATE servers SET status = '{}' WHERE id = 1", to.as_str());
            let done = attempt(&mut conn, &statement).await;
            assert_eq!(done.is_ok(), from == to || from.can_become(*to), "{from:?} to {to:?}: {done:?}");
        }
    }
    database.discard();
}

/// A resource of the first instance.
const RESOURCE: &str = "INSERT INTO resources (instance_id, kind, part, name, class, server, remote_name) \
    VALUES (1, 'mysql', 'database', 'pages', 'made', 'main', 'ocim_pages')";

#[tokio::test]
async fn the_state_of_a_resource_changes_only_as_its_type_allows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, RESOURCE).await.unwrap();
    for from in ResourceState::ALL {
        for to in ResourceState::ALL {
            let put = format!(
                "BEGIN; ALTER TABLE resources DISABLE TRIGGER USER; UPDATE resources SET state = '{}'; \
                 ALTER TABLE resources ENABLE TRIGGER USER; COMMIT",
                from.as_str()
            );
            conn.batch_execute(&put).await.unwrap();
            let done = attempt(&mut conn, &format!("UPDATE resources SET state = '{}'", to.as_str())).await;
            assert_eq!(done.is_ok(), from == to || from.can_become(*to), "{from:?} to {to:?}: {done:?}");
        }
    }
    database.discard();
}

#[tokio::test]
async fn a_resource_is_one_instances_and_keeps_its_name_once_its_server_was_asked() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, RESOURCE).await.unwrap();
    refused(&mut conn, RESOURCE, "resources_live").await;
    refused(&mut conn, &RESOURCE.replace("(1, ", "(2, "), "resources_at_server").await;
    for (words, constraint) in [
        (("'pages', 'made', 'main'", "'pages', 'given', 'main'"), "check"),
        (("'database', 'pages'", "'account', 'pages'"), "check"),
        (("'mysql', 'database', 'pages'", "'mongodb', 'database', 'more'"), "check"),
        (("'pages'", "'Pages'"), "check"),
    ] {
        refused(&mut conn, &RESOURCE.replace(words.0, words.1), constraint).await;
    }
    let rename = "UPDATE resources SET remote_name = 'ocim_other'";
    attempt(&mut conn, rename).await.unwrap();
    attempt(&mut conn, "UPDATE resources SET state = 'creating'").await.unwrap();
    refused(&mut conn, "UPDATE resources SET remote_name = 'ocim_third'", "is at its server as ocim_other").await;
    attempt(&mut conn, "UPDATE resources SET remote_name = 'ocim_third', state = 'wanted'").await.unwrap();
    database.discard();
}

/// A backup of the first instance that is to be written.
const BACKUP: &str = "INSERT INTO backups (instance_id, reason, created_by, work, work_by) \
    VALUES (1, 'requested', 'ada', 'write', 'ada')";

/// What the row of a backup has in this state.
fn backup_in(state: BackupState) -> &'static str {
    match state {
        BackupState::Writing => "ended = NULL, work = 'write', work_by = 'ada', pieces = '[]', trouble = NULL",
        BackupState::Complete => "ended = now(), work = NULL, work_by = NULL, pieces = '[1]', trouble = NULL",
        BackupState::Failed => "ended = now(), work = NULL, work_by = NULL, pieces = '[]', trouble = 'no disk'",
    }
}

#[tokio::test]
async fn the_state_of_a_backup_changes_only_as_its_type_allows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, BACKUP).await.unwrap();
    for from in BackupState::ALL {
        for to in BackupState::ALL {
            let put = format!(
                "BEGIN; ALTER TABLE backups DISABLE TRIGGER USER; UPDATE backups SET state = '{}', {}; \
                 ALTER TABLE backups ENABLE TRIGGER USER; COMMIT",
                from.as_str(),
                backup_in(*from)
            );
            conn.batch_execute(&put).await.unwrap();
            let done =
                attempt(&mut conn, &format!("UPDATE backups SET state = '{}', {}", to.as_str(), backup_in(*to))).await;
            assert_eq!(done.is_ok(), from == to || from.next().contains(to), "{from:?} to {to:?}: {done:?}");
        }
    }
    database.discard();
}

/// A migration of the first instance that is planned.
const MIGRATION: &str = "INSERT INTO migrating_builds (app_server_id, instance_id, migrates_from, migrates_to, has_page) \
    VALUES (1, 1, 'a', 'b', true)";

#[tokio::test]
async fn the_state_of_a_migration_changes_only_as_its_type_allows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, MIGRATION).await.unwrap();
    for from in MigrationState::ALL {
        for to in MigrationState::ALL {
            let put = format!(
                "BEGIN; ALTER TABLE migrating_builds DISABLE TRIGGER USER; UPDATE migrating_builds SET state = '{}', snapshot_at = now(); \
                 ALTER TABLE migrating_builds ENABLE TRIGGER USER; COMMIT",
                from.as_str()
            );
            conn.batch_execute(&put).await.unwrap();
            let done = attempt(&mut conn, &format!("UPDATE migrating_builds SET state = '{}'", to.as_str())).await;
            assert_eq!(done.is_ok(), from == to || from.next().contains(to), "{from:?} to {to:?}: {done:?}");
        }
    }
    database.discard();
}

#[tokio::test]
async fn a_migration_is_consistent_and_its_instance_has_one_open() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let of_another = MIGRATION.replace("(1, 1, ", "(1, 2, ");
    refused(&mut conn, &of_another, "foreign key").await;
    attempt(&mut conn, MIGRATION).await.unwrap();
    attempt(&mut conn, "UPDATE app_servers SET instance_id = 1 WHERE id = 2").await.unwrap_err();
    attempt(&mut conn, BACKUP).await.unwrap();
    for wrong in ["backup_id = 1", "is_retried = true"] {
        attempt(&mut conn, &format!("UPDATE migrating_builds SET {wrong}")).await.unwrap_err();
    }
    attempt(&mut conn, "UPDATE migrating_builds SET state = 'snapshot'").await.unwrap();
    refused(&mut conn, "UPDATE migrating_builds SET state = 'migrating'", "check constraint").await;
    attempt(&mut conn, "UPDATE migrating_builds SET backup_id = 1, snapshot_at = now()").await.unwrap();
    attempt(&mut conn, "UPDATE migrating_builds SET state = 'migrating'").await.unwrap();
    for (wrong, words) in [
        ("snapshot_at = now() + interval '1 day'", "never changes"),
        ("has_page = false", "never changes"),
        ("is_retried = true", "check constraint"),
    ] {
        refused(&mut conn, &format!("UPDATE migrating_builds SET {wrong}"), words).await;
    }
    attempt(&mut conn, "DELETE FROM backups").await.unwrap();
    assert_eq!(number(&mut conn, "SELECT count(*) AS n FROM migrating_builds WHERE backup_id IS NULL").await, 1);
    database.discard();
}

#[tokio::test]
async fn a_backup_is_consistent_and_its_instance_has_one_work_at_a_time() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, BACKUP).await.unwrap();
    refused(&mut conn, BACKUP, "backups_one_work").await;
    attempt(&mut conn, &BACKUP.replace("(1, ", "(2, ")).await.unwrap();
    for wrong in [
        "work = NULL, work_by = NULL",
        "work_by = NULL",
        "state = 'complete', ended = now(), work = NULL, work_by = NULL",
        "state = 'failed', ended = now(), work = NULL, work_by = NULL",
        "ended = now()",
        "pieces = '{}'",
        "verified = now()",
        "is_replacing = true",
        "has_page = true",
        "work_bytes = -1",
    ] {
        refused(&mut conn, &format!("UPDATE backups SET {wrong} WHERE id = 1"), "check constraint").await;
    }
    let complete = format!("UPDATE backups SET state = 'complete', {} WHERE id = 1", backup_in(BackupState::Complete));
    attempt(&mut conn, &complete).await.unwrap();
    refused(&mut conn, "UPDATE backups SET pieces = '[2]' WHERE id = 1", "never changes").await;
    refused(&mut conn, "UPDATE backups SET instance_id = 2 WHERE id = 1", "never changes").await;
    refused(&mut conn, "UPDATE backups SET claimed_until = now() WHERE id = 1", "check constraint").await;
    attempt(&mut conn, "UPDATE backups SET claim = 2 WHERE id = 1").await.unwrap();
    refused(&mut conn, "UPDATE backups SET claim = 1 WHERE id = 1", "only grows").await;
    attempt(&mut conn, BACKUP).await.unwrap();
    let restore = "UPDATE backups SET work = 'restore', work_by = 'ada' WHERE id = 1";
    refused(&mut conn, restore, "backups_one_work").await;
    attempt(&mut conn, &restore.replace("restore", "delete")).await.unwrap();
    database.discard();
}

#[tokio::test]
async fn a_restore_into_another_instance_is_the_work_of_that_instance() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let complete = format!("UPDATE backups SET state = 'complete', {}", backup_in(BackupState::Complete));
    for _ in 0..2 {
        attempt(&mut conn, BACKUP).await.unwrap();
        attempt(&mut conn, &complete).await.unwrap();
    }
    let into = |backup: i64, into: i64| {
        format!("UPDATE backups SET work = 'restore', work_by = 'ada', into_instance_id = {into} WHERE id = {backup}")
    };
    refused(&mut conn, &into(1, 1), "backups_into_check").await;
    refused(&mut conn, "UPDATE backups SET into_instance_id = 2 WHERE id = 1", "backups_into_check").await;
    refused(&mut conn, &into(1, 2).replace("restore", "verify"), "backups_into_check").await;
    attempt(&mut conn, &into(1, 2)).await.unwrap();
    refused(&mut conn, &into(2, 2), "backups_one_work").await;
    refused(&mut conn, &BACKUP.replace("(1, ", "(2, "), "backups_one_work").await;
    attempt(&mut conn, BACKUP).await.unwrap();
    database.discard();
}

#[tokio::test]
async fn a_copy_has_another_source_and_ends_after_its_data_arrived() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let copy = "INSERT INTO instance_copies (instance_id, source_instance_id, backup_id, data_at, asked_by) \
        VALUES (1, 2, 1, now(), 'ada')";
    refused(&mut conn, &copy.replace("(1, 2,", "(1, 1,"), "check constraint").await;
    attempt(&mut conn, copy).await.unwrap();
    let ended = "UPDATE instance_copies SET ended_at = now(), ended_by = 'ada'";
    refused(&mut conn, ended, "check constraint").await;
    attempt(&mut conn, "UPDATE instance_copies SET replaced_at = now()").await.unwrap();
    refused(&mut conn, "UPDATE instance_copies SET ended_at = now()", "check constraint").await;
    attempt(&mut conn, ended).await.unwrap();
    database.discard();
}

#[tokio::test]
async fn a_server_is_not_ready_without_an_address() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    put(&mut conn, "servers", "booting").await;
    refused(&mut conn, "UPDATE servers SET status = 'ready' WHERE id = 1", "violates check constraint").await;
    database.discard();
}

#[tokio::test]
async fn an_app_server_never_changes_but_for_its_status() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let columns = super::texts(
        &mut conn,
        "SELECT attname::text AS text FROM pg_attribute WHERE attrelid = 'app_servers'::regclass AND attnum > 0",
    )
    .await;
    assert!(columns.len() >= 15);
    for column in columns {
        let value = match column.as_str() {
            "status" | "failure" | "modified" | "id" => continue,
            "instance_id" | "server_id" | "number" | "attempt" | "num_attempts" | "retry_of" | "settings_version" => {
                "2"
            }
            "created" => "'2000-01-01'",
            "is_neutralised" => "true",
            "settings" | "variables" => "'{\"a\": 1}'",
            "playbooks" | "variable_references" | "hooks" | "resources" => "'[1]'",
            _ => "'another'",
        };
        refused(&mut conn, &format!("UPDATE app_servers SET {column} = {value} WHERE id = 1"), "is immutable").await;
    }
    refused(&mut conn, "UPDATE app_servers SET failure = 'x' WHERE id = 1", "violates check constraint").await;
    database.discard();
}

#[tokio::test]
async fn a_pin_is_written_once() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    refused(&mut conn, "UPDATE app_server_pins SET commit = 'master'", "violates check constraint").await;
    refused(&mut conn, "UPDATE app_server_pins SET version = 'other'", "written once").await;
    attempt(&mut conn, "UPDATE app_server_pins SET commit = repeat('a', 40)").await.unwrap();
    for again in ["repeat('b', 40)", "repeat('a', 40)", "NULL"] {
        refused(&mut conn, &format!("UPDATE app_server_pins SET commit = {again}"), "written once").await;
    }
    database.discard();
}

#[tokio::test]
async fn the_active_app_server_must_run_and_belong_to_the_instance() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    let activate = |id| format!("UPDATE instances SET active_app_server_id = {id} WHERE id = 1");
    for status in AppServerStatus::ALL.iter().filter(|status| **status != AppServerStatus::Running) {
        put(&mut conn, "app_servers", status.as_str()).await;
        refused(&mut conn, &activate(1), "is not running").await;
    }
    let run = "ALTER TABLE app_servers DISABLE TRIGGER USER; UPDATE app_servers SET status = 'running'; \
        ALTER TABLE app_servers ENABLE TRIGGER USER";
    conn.batch_execute(run).await.unwrap();
    refused(&mut conn, &activate(2), "violates foreign key constraint").await;
    attempt(&mut conn, &activate(1)).await.unwrap();
    refused(&mut conn, "UPDATE instances SET fallback_app_server_id = 1 WHERE id = 1", "violates check constraint")
        .await;
    refused(&mut conn, "DELETE FROM app_servers WHERE id = 1", "violates foreign key constraint").await;
    let ahead = "UPDATE instances SET routing_applied_generation = routing_generation + 1 WHERE id = 1";
    refused(&mut conn, ahead, "violates check constraint").await;
    database.discard();
}

#[tokio::test]
async fn the_active_app_server_cannot_be_set_to_terminated() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    put(&mut conn, "app_servers", "running").await;
    attempt(&mut conn, "UPDATE instances SET active_app_server_id = 1 WHERE id = 1").await.unwrap();
    refused(&mut conn, "UPDATE app_servers SET status = 'terminated' WHERE id = 1", "is active").await;
    attempt(&mut conn, "UPDATE instances SET active_app_server_id = NULL WHERE id = 1").await.unwrap();
    attempt(&mut conn, "UPDATE app_servers SET status = 'terminated' WHERE id = 1").await.unwrap();
    database.discard();
}

#[tokio::test]
async fn the_audit_log_only_grows() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    for statement in ["UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        refused(&mut conn, statement, "the audit log only grows").await;
    }
    assert_eq!(number(&mut conn, "SELECT count(*) AS n FROM audit_log").await, 1);
    database.discard();
}

#[tokio::test]
async fn a_host_name_has_one_owner() {
    let (database, db) = world().await;
    let mut conn = db.conn().await.unwrap();
    attempt(&mut conn, "INSERT INTO instance_hostnames VALUES ('demo.localhost', 1)").await.unwrap();
    refused(&mut conn, "INSERT INTO instance_hostnames VALUES ('demo.localhost', 2)", "duplicate key").await;
    database.discard();
}
