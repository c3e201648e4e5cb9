//! What a dump of PostgreSQL brings back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _};

use super::{AT, PASSWORD, Place, make};
use crate::app::until;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::{certificates, only, servers};

/// What an application may have in a database, as its owner without further rights.
const CONTENT: &str = r#"
    CREATE EXTENSION pg_trgm;
    CREATE TABLE "odd ""name" (id serial PRIMARY KEY, a text, b bytea, c jsonb, d timestamptz, e int[]);
    INSERT INTO "odd ""name" (a, b, c, d, e) VALUES
        (U&'\+01F9A9 é ''\\ tab' || E'\t\n\\.', '\x00ff27225c0a0d1a', '{"k": 1}', '2026-01-02 03:04:05.678901+00', '{1,NULL}'),
        (NULL, NULL, NULL, NULL, NULL), ('', '', '[]', NULL, '{}');
    COMMENT ON TABLE "odd ""name" IS 'x';
    CREATE INDEX trigrams ON "odd ""name" USING gin (a gin_trgm_ops);
    CREATE SCHEMA more;
    CREATE TABLE more.child (parent int REFERENCES public."odd ""name" (id));
    CREATE TABLE log (a text);
    CREATE TABLE parts (n int) PARTITION BY RANGE (n);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    INSERT INTO parts VALUES (5);
    CREATE VIEW v AS SELECT a FROM "odd ""name" WHERE a IS NOT NULL;
    CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM v;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (NEW.parent); RETURN NEW; END $$;
    CREATE TRIGGER g AFTER INSERT ON more.child FOR EACH ROW EXECUTE FUNCTION f();
    INSERT INTO more.child VALUES (1);
    SELECT lo_from_bytea(4711, '\x001234');
"#;

/// Everything of the database, for a comparison.
async fn content(postgres: &Postgres, database: &str) -> Vec<String> {
    let client = postgres.connect("ocim_u", PASSWORD, database).await.unwrap();
    let mut all = Vec::new();
    for query in [
        r#"SELECT format('%s|%s|%s|%s|%s|%s', id, a, b, c, d, e) FROM "odd ""name" ORDER BY id"#,
        "SELECT format('%s', parent) FROM more.child",
        "SELECT a FROM log",
        "SELECT format('%s %s', tableoid::regclass, n) FROM parts",
        "SELECT format('%s', n) FROM m",
        "SELECT format('%s', lo_get(4711))",
        "SELECT format('%s %s %s', relname, relkind, pg_get_userbyid(relowner)) FROM pg_class \
         WHERE relnamespace IN ('public'::regnamespace, 'more'::regnamespace) ORDER BY 1",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT prosrc FROM pg_proc WHERE proname = 'f'",
        "SELECT extname::text FROM pg_extension ORDER BY 1",
        r#"SELECT obj_description('"odd ""name"'::regclass)"#,
    ] {
        let rows = client.query(query, &[]).await.unwrap();
        assert!(!rows.is_empty(), "{query}");
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    all
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn a_database_comes_back_with_all_that_belongs_to_it() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    let client = postgres.connect("ocim_u", PASSWORD, "ocim_old").await.unwrap();
    client.batch_execute(CONTENT).await.unwrap();
    let place = Place::new();
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    assert_eq!(piece.tables, 5);
    assert!(place.file().ends_with("17/42/postgresql-main.sql.zst.age"));
    place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap();
    assert_eq!(content(&postgres, "ocim_new").await, content(&postgres, "ocim_old").await);
    assert_eq!(place.files.tables(&target).await, Ok(5));
    let again = postgres.connect("ocim_u", PASSWORD, "ocim_new").await.unwrap();
    again.batch_execute("INSERT INTO more.child VALUES (3)").await.unwrap();
    let logged = again.query_one("SELECT string_agg(a, ' ') FROM log", &[]).await.unwrap();
    assert_eq!(logged.get::<_, String>(0), "1 3");
    let refused = place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("has 5 tables")), "{refused:?}");
    drop((client, again));
    postgres.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn a_load_that_fails_leaves_nothing() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    let client = postgres.connect("ocim_u", PASSWORD, "ocim_old").await.unwrap();
    client.batch_execute("CREATE TABLE a (n int); CREATE TABLE b (secret text UNIQUE)").await.unwrap();
    client.batch_execute("INSERT INTO b VALUES ('of a person')").await.unwrap();
    let place = Place::new();
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    // An administrator has put something there that is no table.
    let other = postgres.connect("ocim_u", PASSWORD, "ocim_new").await.unwrap();
    other.batch_execute("CREATE VIEW b AS SELECT 1 AS n").await.unwrap();
    let refused = place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap_err();
    let BackupError::Permanent(words) = &refused else { panic!("{refused:?}") };
    assert!(words.contains("relation \"b\" already exists") && !words.contains("of a person"), "{words}");
    assert_eq!(place.files.tables(&target).await, Ok(0));
    drop((client, other));
    postgres.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn with_tls_the_certificate_is_verified_for_each_program() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    let mut source = make(&*server, "ocim_old").await;
    let client = postgres.root().await;
    let data: String = client.query_one("SHOW data_directory", &[]).await.unwrap().get(0);
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let owner = fs::metadata(&data).unwrap();
    for (name, setting) in [("server.pem", "ssl_cert_file"), ("server.key", "ssl_key_file")] {
        let file = format!("{data}/{name}");
        fs::copy(dir.path().join(name), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        client.batch_execute(&format!("ALTER SYSTEM SET {setting} = '{file}'")).await.unwrap();
    }
    client.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    (source.endpoint.host, source.endpoint.has_tls) = ("localhost".to_owned(), true);
    let place = Place::new();
    until("the server has its certificate", async || {
        let words = format!("{:?}", place.files.tables(&source).await);
        !words.contains("does not support SSL")
    })
    .await;
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("certificate")), "{refused:?}");
    source.ca_file = Some(dir.path().join("ca.pem"));
    place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    source.endpoint.host = "127.0.0.1".to_owned();
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("host name")), "{refused:?}");
    drop(client);
    postgres.stop().await;
}
