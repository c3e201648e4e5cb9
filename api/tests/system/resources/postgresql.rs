//! A real PostgreSQL, and what is particular to it: roles, rights, administrators without superuser rights.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use ocim::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use ocim::resources::server::{Attempt, ServerError};
use secrecy::ExposeSecret as _;
use shared_types::resource::ResourcePart;
use tokio_postgres::{Client, NoTls};

use super::{account, only, servers};

pub(in crate::system) struct Postgres {
    url: url::Url,
    /// With its directory; none: the test has started it in another way.
    started: Option<(EmbeddedPostgres, tempfile::TempDir)>,
}

impl Postgres {
    pub(in crate::system) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let options = EmbeddedOptions { is_durable: false, start_timeout: Duration::from_secs(60) };
        let server = EmbeddedPostgres::start(dir.path(), options).await.unwrap();
        let mut url: url::Url = server.url().expose_secret().parse().unwrap();
        // The program's own role may not make other roles.
        let password = std::fs::read_to_string(dir.path().join("postgres/superuser-password")).unwrap();
        url.set_username("postgres").unwrap();
        url.set_password(Some(password.trim())).unwrap();
        Self { url, started: Some((server, dir)) }
    }

    /// One that listens elsewhere. The URL has an administrator and its password.
    pub(in crate::system) fn at(url: url::Url) -> Self {
        Self { url, started: None }
    }

    pub(in crate::system) async fn stop(self) {
        if let Some((server, _dir)) = self.started {
            server.stop().await.unwrap();
        }
    }

    /// The table of the settings file.
    pub(in crate::system) fn table(&self) -> String {
        self.table_as(self.url.username(), self.url.password().unwrap())
    }

    fn table_as(&self, user: &str, password: &str) -> String {
        let (host, port) = (self.url.host_str().unwrap(), self.url.port().unwrap());
        format!(
            "[resources.pg]\nkind = \"postgresql\"\nurl = \"postgresql://{user}:{password}@{host}:{port}/postgres\"\n"
        )
    }

    pub(in crate::system) async fn connect(
        &self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(self.url.host_str().unwrap())
            .port(self.url.port().unwrap())
            .user(user)
            .password(password)
            .dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(client)
    }

    pub(in crate::system) async fn root(&self) -> Client {
        self.connect(self.url.username(), self.url.password().unwrap(), "postgres").await.unwrap()
    }

    pub(in crate::system) async fn execute(&self, statement: &str) {
        self.root().await.batch_execute(statement).await.unwrap();
    }

    /// Every database with its owner and rights, and every role with its password.
    pub(in crate::system) async fn listing(&self) -> Vec<String> {
        let root = self.root().await;
        let texts = async |query: &str| -> Vec<String> {
            root.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
        };
        let databases =
            "SELECT format('%s %s %s', datname, pg_get_userbyid(datdba), datacl) FROM pg_database ORDER BY 1";
        let roles = "SELECT format('%s %s', rolname, rolpassword) FROM pg_authid ORDER BY 1";
        [texts(databases).await, texts(roles).await].concat()
    }
}

fn said(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn a_role_owns_its_databases_and_others_may_not_connect_to_them() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    for user in ["ocim_u", "ocim_v"] {
        server.make_account(&account(user, "it's"), Attempt::First).await.unwrap();
        server.make_database(&format!("{user}_d"), user, Attempt::First).await.unwrap();
    }
    let own = postgres.connect("ocim_u", "it's", "ocim_u_d").await.unwrap();
    own.batch_execute("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'); CREATE SCHEMA more").await.unwrap();
    for refused in
        ["CREATE DATABASE another", "CREATE ROLE another", "ALTER ROLE ocim_u SUPERUSER", "DROP DATABASE ocim_v_d"]
    {
        let error = own.batch_execute(refused).await.unwrap_err();
        assert!(
            ["permission denied", "must be"].iter().any(|words| said(&error).contains(words)),
            "{refused}: {}",
            said(&error)
        );
    }
    let Err(refused) = postgres.connect("ocim_u", "it's", "ocim_v_d").await else { panic!("it may connect") };
    assert!(said(&refused).contains("permission denied for database"), "{}", said(&refused));
    let query = "SELECT rolpassword FROM pg_authid WHERE rolname = 'ocim_u'";
    let stored: String = postgres.root().await.query_one(query, &[]).await.unwrap().get(0);
    assert!(stored.starts_with("SCRAM-SHA-256$"), "{stored}");
    assert!(server.size("ocim_u_d").await.unwrap().is_some_and(|bytes| bytes > 1_000_000));
    // A connection of an app server that is still open does not keep a database.
    server.delete_database("ocim_u_d").await.unwrap();
    server.delete_account("ocim_u").await.unwrap();
    assert!(!server.has(ResourcePart::Account, "ocim_u").await.unwrap());
    drop(own);
    postgres.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn an_administrator_without_superuser_rights_is_enough_and_one_without_any_is_told() {
    let postgres = Postgres::start().await;
    postgres
        .execute("CREATE ROLE half LOGIN PASSWORD 'x' CREATEROLE CREATEDB; CREATE ROLE powerless LOGIN PASSWORD 'x'")
        .await;
    let server = only(&servers(&postgres.table_as("half", "x")));
    server.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap();
    server.make_database("ocim_d", "ocim_u", Attempt::First).await.unwrap();
    server.make_database("ocim_d", "ocim_u", Attempt::Again).await.unwrap();
    assert!(postgres.connect("ocim_u", "p", "ocim_d").await.is_ok());
    server.make_account(&account("ocim_u", "q"), Attempt::Again).await.unwrap();
    assert!(postgres.connect("ocim_u", "p", "ocim_d").await.is_err(), "the earlier password");
    server.delete_database("ocim_d").await.unwrap();
    server.delete_account("ocim_u").await.unwrap();
    let powerless = only(&servers(&postgres.table_as("powerless", "x")));
    let refused = powerless.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap_err();
    assert!(
        matches!(&refused, ServerError::Refused(words) if words.contains("needs CREATEDB and CREATEROLE")),
        "{refused:?}"
    );
    let wrong = only(&servers(&postgres.table_as("half", "wrong")));
    let refused = wrong.has(ResourcePart::Account, "x").await.unwrap_err();
    assert!(
        matches!(&refused, ServerError::Refused(words) if words.contains("password authentication failed")),
        "{refused:?}"
    );
    postgres.stop().await;
}
