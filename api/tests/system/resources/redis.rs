//! A real Redis, and what is particular to it: numbers, users that outlive a restart, TLS.

use ocim::resources::server::{Attempt, ServerError};
use redis::aio::MultiplexedConnection;
use shared_types::resource::ResourcePart;

use super::{Running, account, certificates, free_port, only, servers, until_listens};

/// A server with a port for TLS, too. Its users stay when it is stopped.
pub(super) struct Redis {
    pub(super) port: u16,
    tls_port: u16,
    dir: tempfile::TempDir,
    running: Option<Running>,
    /// Whether it has a file of users.
    has_users: bool,
}

impl Redis {
    pub(super) async fn start(has_users: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path());
        std::fs::write(dir.path().join("users.acl"), "user default on >root-1 ~* &* +@all\n").unwrap();
        let mut server = Self { port: free_port(), tls_port: free_port(), dir, running: None, has_users };
        server.resume().await;
        server
    }

    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    pub(super) async fn resume(&mut self) {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let (port, tls_port) = (self.port.to_string(), self.tls_port.to_string());
        let (users, ca, cert, key, dir) =
            (path("users.acl"), path("ca.pem"), path("server.pem"), path("server.key"), path(""));
        let mut arguments =
            vec!["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir", &dir, "--databases", "64"];
        arguments.extend(["--tls-port", &tls_port, "--tls-cert-file", &cert, "--tls-key-file", &key]);
        arguments.extend(["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]);
        match self.has_users {
            true => arguments.extend(["--aclfile", &users]),
            false => arguments.extend(["--requirepass", "root-1"]),
        }
        self.running = Some(Running::start("redis-server", &arguments));
        until_listens(self.port).await;
    }

    pub(super) fn table(&self) -> String {
        format!("[resources.redis]\nurl = \"redis://:root-1@127.0.0.1:{}\"\ndatabases = 64\n", self.port)
    }

    fn table_with_tls(&self, host: &str, ca: bool) -> String {
        let ca =
            if ca { format!("ca_file = \"{}\"\n", self.dir.path().join("ca.pem").display()) } else { String::new() };
        format!("[resources.redis]\nurl = \"redis://:root-1@{host}:{}\"\ntls = true\n{ca}", self.tls_port)
    }

    pub(super) async fn connect(
        &self,
        user: &str,
        password: &str,
        number: u32,
    ) -> redis::RedisResult<MultiplexedConnection> {
        let url = format!("redis://{user}:{password}@127.0.0.1:{}/{number}", self.port);
        redis::Client::open(url)?.get_multiplexed_async_connection().await
    }

    pub(super) async fn root(&self, number: u32) -> MultiplexedConnection {
        self.connect("", "root-1", number).await.unwrap()
    }

    /// Every user with its rules, and the number of keys in each database.
    pub(super) async fn listing(&self) -> Vec<String> {
        let mut root = self.root(0).await;
        let mut users: Vec<String> = redis::cmd("ACL").arg("LIST").query_async(&mut root).await.unwrap();
        let keys: String = redis::cmd("INFO").arg("keyspace").query_async(&mut root).await.unwrap();
        users.extend(keys.lines().map(|line| line.split(",expires").next().unwrap().to_owned()));
        users
    }
}

async fn ask(conn: &mut MultiplexedConnection, words: &[&str]) -> Result<redis::Value, redis::RedisError> {
    let mut command = redis::Cmd::new();
    command.arg(words);
    command.query_async(conn).await
}

#[tokio::test]
#[ignore = "needs Redis: make test-resources"]
async fn a_user_may_do_everything_with_keys_and_nothing_with_the_server() {
    let redis = Redis::start(true).await;
    let server = only(&servers(&redis.table()));
    ask(&mut redis.root(3).await, &["SET", "stranger", "1"]).await.unwrap();
    assert!(server.is_used(ResourcePart::Database, "3").await.unwrap());
    assert!(!server.is_used(ResourcePart::Database, "4").await.unwrap());
    server.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap();
    server.make_database("4", "ocim_u", Attempt::First).await.unwrap();
    let mut user = redis.connect("ocim_u", "p", 4).await.unwrap();
    // As Celery and Django's cache use it.
    for allowed in [
        &["SET", "a", "1"][..],
        &["LPUSH", "celery", "x"],
        &["BRPOP", "celery", "1"],
        &["KEYS", "*"],
        &["PUBLISH", "c", "x"],
        &["EVAL", "return 1", "0"],
        &["INFO"],
        &["FLUSHDB"],
    ] {
        ask(&mut user, allowed).await.unwrap_or_else(|error| panic!("{allowed:?}: {error}"));
    }
    for refused in [
        &["FLUSHALL"][..],
        &["CONFIG", "GET", "*"],
        &["ACL", "LIST"],
        &["SHUTDOWN"],
        &["SWAPDB", "3", "4"],
        &["MOVE", "a", "3"],
        &["COPY", "a", "a", "DB", "3"],
        &["SAVE"],
    ] {
        let error = ask(&mut user, refused).await.unwrap_err();
        assert_eq!(error.code(), Some("NOPERM"), "{refused:?}: {error}");
    }
    ask(&mut user, &["SET", "a", "1"]).await.unwrap();
    server.delete_database("4").await.unwrap();
    server.delete_account("ocim_u").await.unwrap();
    assert!(!server.is_used(ResourcePart::Database, "4").await.unwrap());
    assert!(server.is_used(ResourcePart::Database, "3").await.unwrap(), "the stranger's keys");
    let beyond = server.has(ResourcePart::Database, "64").await.unwrap_err();
    assert!(matches!(&beyond, ServerError::Refused(words) if words.contains("0 to 63")), "{beyond:?}");
}

#[tokio::test]
#[ignore = "needs Redis: make test-resources"]
async fn users_outlive_a_restart_and_a_server_that_would_forget_them_is_refused() {
    let mut redis = Redis::start(true).await;
    let server = only(&servers(&redis.table()));
    server.make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap();
    redis.stop();
    let away = server.has(ResourcePart::Account, "ocim_u").await.unwrap_err();
    assert!(matches!(away, ServerError::Away(_)), "{away:?}");
    redis.resume().await;
    assert!(server.has(ResourcePart::Account, "ocim_u").await.unwrap());
    let forgetful = Redis::start(false).await;
    let refused =
        only(&servers(&forgetful.table())).make_account(&account("ocim_u", "p"), Attempt::First).await.unwrap_err();
    assert!(matches!(&refused, ServerError::Refused(words) if words.contains("would forget the user")), "{refused:?}");
    let wrong = only(&servers(&redis.table().replace("root-1", "wrong-1")));
    let refused = wrong.has(ResourcePart::Account, "x").await.unwrap_err();
    assert!(matches!(&refused, ServerError::Refused(words) if !words.contains("wrong-1")), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs Redis: make test-resources"]
async fn with_tls_the_certificate_is_verified() {
    let redis = Redis::start(true).await;
    let server = only(&servers(&redis.table_with_tls("localhost", true)));
    assert!(!server.has(ResourcePart::Account, "ocim_u").await.unwrap());
    for table in [redis.table_with_tls("localhost", false), redis.table_with_tls("127.0.0.1", true)] {
        let refused = only(&servers(&table)).has(ResourcePart::Account, "ocim_u").await.unwrap_err();
        assert!(matches!(&refused, ServerError::Refused(words) if words.contains("certificate")), "{refused:?}");
    }
}
