//! A real MariaDB, and what is particular to it: grants, character sets, TLS.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use ocim::resources::server::{Attempt, ServerError};
use shared_types::resource::ResourcePart;

use super::{Running, START, account, certificates, free_port, only, run, servers, until_listens};
use crate::app::until_within;

/// The administrator's password; its characters must be encoded in a URL.
const ROOT: &str = "p@ss/word";

/// Held while the tables of a new server are made.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A server with certificates for `localhost`. Its data stays when it is stopped.
pub(in crate::system) struct MariaDb {
    pub(in crate::system) port: u16,
    dir: tempfile::TempDir,
    running: Option<Running>,
}

impl MariaDb {
    pub(in crate::system) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path());
        let (data, user) = (format!("--datadir={}/data", dir.path().display()), "--user=root");
        let method = "--auth-root-authentication-method=normal";
        // Two of them at once disturb each other.
        let installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        run("mariadb-install-db", &["--no-defaults", user, &data, method, "--skip-test-db", "--skip-name-resolve"]);
        drop(installing);
        let mut server = Self { port: free_port(), dir, running: None };
        server.resume().await;
        let sql = format!("ALTER USER root@localhost IDENTIFIED BY '{ROOT}', root@127.0.0.1 IDENTIFIED BY '{ROOT}'");
        let socket = format!("{}/socket", server.dir.path().display());
        run("mariadb", &["--no-defaults", "-u", "root", "-S", &socket, "-e", &sql]);
        server
    }

    pub(in crate::system) fn stop(&mut self) {
        self.running = None;
    }

    pub(in crate::system) async fn resume(&mut self) {
        let dir = self.dir.path().display();
        let arguments = [
            "--no-defaults".to_owned(),
            "--user=root".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            format!("--port={}", self.port),
            format!("--datadir={dir}/data"),
            format!("--socket={dir}/socket"),
            format!("--pid-file={dir}/pid"),
            format!("--ssl-cert={dir}/server.pem"),
            format!("--ssl-key={dir}/server.key"),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-buffer-pool-size=16M".to_owned(),
        ];
        self.running = Some(Running::start("/usr/sbin/mariadbd", &arguments.each_ref().map(String::as_str)));
        until_listens(self.port).await;
        // It listens there a moment later.
        let socket = self.dir.path().join("socket");
        let listens = async || tokio::net::UnixStream::connect(&socket).await.is_ok();
        until_within(START, "the server listens at its socket", listens).await;
    }

    /// The table of the settings file, with further lines.
    pub(in crate::system) fn table(&self, further: &str) -> String {
        format!(
            "[resources.main]\nkind = \"mysql\"\nurl = \"mysql://root:p%40ss%2Fword@127.0.0.1:{}\"\n{further}\n",
            self.port
        )
    }

    pub(in crate::system) fn authority(&self) -> std::path::PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A connection as this user; with TLS that trusts this authority, or without.
    pub(in crate::system) async fn connect(
        &self,
        user: &str,
        password: &str,
        authority: Option<&Path>,
    ) -> Result<Conn, mysql_async::Error> {
        let host = if authority.is_some() { "localhost" } else { "127.0.0.1" };
        let ssl = authority.map(|file| SslOpts::default().with_root_certs(vec![file.to_owned().into()]));
        let options =
            OptsBuilder::default().ip_or_hostname(host).tcp_port(self.port).user(Some(user)).pass(Some(password));
        Conn::new(options.ssl_opts(ssl).prefer_socket(Some(false))).await
    }

    pub(in crate::system) async fn root(&self) -> Conn {
        self.connect("root", ROOT, None).await.unwrap()
    }

    pub(in crate::system) async fn execute(&self, statement: &str) {
        self.root().await.query_drop(statement).await.unwrap();
    }

    /// Every database, user, grant and table.
    pub(in crate::system) async fn listing(&self) -> Vec<String> {
        let mut root = self.root().await;
        let databases: Vec<String> =
            root.query("SELECT schema_name FROM information_schema.schemata ORDER BY 1").await.unwrap();
        let users: Vec<String> = root
            .query("SELECT CONCAT(user, '@', host, ' ', authentication_string) FROM mysql.user ORDER BY 1")
            .await
            .unwrap();
        let grants: Vec<String> =
            root.query("SELECT CONCAT(user, ' ', db, ' ', select_priv) FROM mysql.db ORDER BY 1").await.unwrap();
        let tables: Vec<String> = root
            .query("SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables \
                    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'sys', 'performance_schema') ORDER BY 1")
            .await
            .unwrap();
        [databases, users, grants, tables].concat()
    }
}

fn code(error: &mysql_async::Error) -> Option<u16> {
    match error {
        mysql_async::Error::Server(said) => Some(said.code),
        mysql_async::Error::Driver(_)
        | mysql_async::Error::Io(_)
        | mysql_async::Error::Other(_)
        | mysql_async::Error::Url(_) => None,
    }
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn an_account_may_use_its_databases_and_nothing_else() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    // `_` in a grant stands for any character: this stranger's name differs only there.
    let (own, alike) = ("ocim_1_one", "ocim-1-one");
    mariadb.execute(&format!("CREATE DATABASE `{alike}`")).await;
    mariadb.execute(&format!("CREATE TABLE `{alike}`.t (a INT)")).await;
    server.make_account(&account("ocim_u", "it's"), Attempt::First).await.unwrap();
    server.make_database(own, "ocim_u", Attempt::First).await.unwrap();
    let mut user = mariadb.connect("ocim_u", "it's", None).await.unwrap();
    let shown: Vec<String> = user.query("SHOW DATABASES").await.unwrap();
    assert_eq!(shown, ["information_schema", own]);
    for allowed in [
        "CREATE TABLE t (a VARCHAR(9))",
        "INSERT INTO t VALUES ('\u{1F9A6}')",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 'x'",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
    ] {
        user.query_drop(format!("USE {own}")).await.unwrap();
        user.query_drop(allowed).await.unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
    for refused in [
        format!("SELECT * FROM `{alike}`.t"),
        format!("DROP DATABASE `{alike}`"),
        "CREATE DATABASE another".to_owned(),
        "CREATE USER another".to_owned(),
        "SELECT * FROM mysql.user".to_owned(),
        format!("GRANT ALL ON {own}.* TO root@localhost"),
        "SHUTDOWN".to_owned(),
    ] {
        let error = user.query_drop(refused.as_str()).await.unwrap_err();
        assert!([1044, 1142, 1227, 1410].contains(&code(&error).unwrap_or_default()), "{refused}: {error}");
    }
    let query = format!(
        "SELECT CONCAT(default_character_set_name, ' ', default_collation_name) FROM information_schema.schemata \
         WHERE schema_name = '{own}'"
    );
    let charset: Option<String> = mariadb.root().await.query_first(query).await.unwrap();
    assert_eq!(charset.as_deref(), Some("utf8mb4 utf8mb4_unicode_ci"));
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn the_longest_names_are_made_and_longer_ones_are_refused() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    server.make_account(&account(&"u".repeat(32), "p"), Attempt::First).await.unwrap();
    let name = "d".repeat(64);
    server.make_database(&name, &"u".repeat(32), Attempt::First).await.unwrap();
    assert!(server.has(ResourcePart::Database, &name).await.unwrap());
    let refused = server.make_database(&"d".repeat(65), &"u".repeat(32), Attempt::First).await.unwrap_err();
    assert!(
        matches!(&refused, ServerError::Refused(words) if words.contains("Incorrect database name")),
        "{refused:?}"
    );
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn an_administrator_who_may_not_grant_is_told_what_is_missing() {
    let mariadb = MariaDb::start().await;
    mariadb.execute("CREATE USER half@'%' IDENTIFIED BY 'x'").await;
    mariadb.execute("GRANT CREATE USER, CREATE, SELECT ON *.* TO half@'%'").await;
    let table = format!("[resources.main]\nkind = \"mysql\"\nurl = \"mysql://half:x@127.0.0.1:{}\"\n", mariadb.port);
    let server = only(&servers(&table));
    server.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap();
    let refused = server.make_database("ocim_d", "ocim_u", Attempt::First).await.unwrap_err();
    assert!(matches!(&refused, ServerError::Refused(words) if words.contains("GRANT OPTION")), "{refused:?}");
    mariadb.execute("GRANT ALL ON `ocim\\_%`.* TO half@'%' WITH GRANT OPTION").await;
    server.make_database("ocim_d", "ocim_u", Attempt::Again).await.unwrap();
    // What the documentation asks for is enough for everything else, too.
    server.make_account(&account("ocim_u", "q"), Attempt::Again).await.unwrap();
    assert_eq!(server.size("ocim_d").await.unwrap(), Some(0));
    server.delete_database("ocim_d").await.unwrap();
    server.delete_account("ocim_u").await.unwrap();
    let wrong = only(&servers(&table.replace("half:x", "half:wrong")));
    let refused = wrong.has(ResourcePart::Account, "x").await.unwrap_err();
    assert!(
        matches!(&refused, ServerError::Refused(words) if words.contains("Access denied") && !words.contains("wrong")),
        "{refused:?}"
    );
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn with_tls_the_certificate_is_verified_and_accounts_must_use_it() {
    let mariadb = MariaDb::start().await;
    let at = |host: &str, further: &str| {
        let url = format!("mysql://root:p%40ss%2Fword@{host}:{}", mariadb.port);
        only(&servers(&format!("[resources.main]\nkind = \"mysql\"\nurl = \"{url}\"\ntls = true\n{further}\n")))
    };
    let authority = mariadb.authority();
    let trusting = format!("ca_file = \"{}\"", authority.display());
    let server = at("localhost", &trusting);
    server.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap();
    server.make_database("ocim_d", "ocim_u", Attempt::First).await.unwrap();
    assert!(mariadb.connect("ocim_u", "p", Some(&authority)).await.is_ok());
    let refused = mariadb.connect("ocim_u", "p", None).await.unwrap_err();
    assert_eq!(code(&refused), Some(1045), "a connection without TLS: {refused}");
    for (host, further) in [("localhost", ""), ("127.0.0.1", trusting.as_str())] {
        let refused = at(host, further).has(ResourcePart::Account, "ocim_u").await.unwrap_err();
        assert!(
            matches!(&refused, ServerError::Refused(words) if words.contains("certificate")),
            "{host}: {refused:?}"
        );
    }
}
