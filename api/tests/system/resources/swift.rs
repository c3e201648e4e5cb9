//! A real Swift with its login (`TempAuth`) and its interface of S3, and what is particular to it: who may read a container.

use std::path::Path;

use ocim::resources::server::{Admitted, Attempt, ServerError};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use shared_types::resource::ResourcePart::{Account, Database};

use super::{Running, client, free_port, only, run, servers, until_listens};

/// The keys of the two users; each has an account of its own.
const KEY: &str = "k/ey-1";
const STRANGERS_KEY: &str = "stranger-1";

/// A store of one server each for proxy, accounts, containers and objects. Its data stays when it is stopped.
pub(in crate::system) struct Swift {
    pub(in crate::system) port: u16,
    memcached: u16,
    parts: [(&'static str, u16); 3],
    dir: tempfile::TempDir,
    client: Client,
    running: Vec<Running>,
}

impl Swift {
    pub(in crate::system) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let parts = ["account", "container", "object"].map(|name| (name, free_port()));
        let (port, memcached) = (free_port(), free_port());
        let mut swift = Self { port, memcached, parts, dir, client: client(), running: Vec::new() };
        swift.write();
        swift.resume().await;
        swift
    }

    /// Writes the configuration, and the rings with one device each.
    fn write(&self) {
        let dir = self.dir.path();
        let write = |name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
        std::fs::create_dir_all(dir.join("devices/d1")).unwrap();
        write(
            "swift.conf",
            "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n\
             [storage-policy:0]\nname = one\ndefault = yes\n"
                .to_owned(),
        );
        let common = |port: u16| {
            format!(
                "[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nuser = root\nswift_dir = {}\n",
                dir.display()
            )
        };
        for (name, port) in self.parts {
            write(
                &format!("{name}.conf"),
                format!(
                    "{}devices = {}/devices\nmount_check = false\n[pipeline:main]\npipeline = {name}-server\n\
                     [app:{name}-server]\nuse = egg:swift#{name}\n",
                    common(port),
                    dir.display()
                ),
            );
            ring(dir, name, port);
        }
        write("proxy.conf", format!("{}{}", common(self.port), pipeline(self.memcached)));
    }

    pub(in crate::system) fn stop(&mut self) {
        self.running.clear();
    }

    pub(in crate::system) async fn resume(&mut self) {
        let memcached = self.memcached.to_string();
        let mut running =
            vec![Running::start("memcached", &["-u", "root", "-l", "127.0.0.1", "-U", "0", "-p", &memcached])];
        let file = |name: &str| self.dir.path().join(format!("{name}.conf")).display().to_string();
        for (name, _) in self.parts {
            running.push(Running::start(&format!("swift-{name}-server"), &[&file(name)]));
        }
        running.push(Running::start("swift-proxy-server", &[&file("proxy")]));
        self.running = running;
        for port in self.parts.iter().map(|(_, port)| *port).chain([self.memcached, self.port]) {
            until_listens(port).await;
        }
    }

    /// The table of the settings file, logged in to as this user.
    pub(in crate::system) fn table(&self) -> String {
        self.table_with("ocim%3Aadmin", "k%2Fey-1")
    }

    pub(super) fn table_with(&self, user: &str, key: &str) -> String {
        format!(
            "[resources.objects]\nkind = \"swift\"\nurl = \"http://{user}:{key}@127.0.0.1:{}/auth/v1.0\"\n",
            self.port
        )
    }

    /// The same store by its interface of S3.
    pub(in crate::system) fn s3_table(&self) -> String {
        self.s3_table_with("ocim%3Aadmin", "k%2Fey-1")
    }

    pub(super) fn s3_table_with(&self, user: &str, key: &str) -> String {
        format!("[resources.files]\nkind = \"s3\"\nurl = \"http://{user}:{key}@127.0.0.1:{}\"\n", self.port)
    }

    /// Sends a request below an account's address as its user; without a user, to our account and anonymously.
    pub(in crate::system) async fn ask(&self, user: Option<&str>, method: Method, path: &str, body: &str) -> Response {
        let account = user.unwrap_or("ocim");
        let base = format!("http://127.0.0.1:{}", self.port);
        let slash = if path.starts_with('?') { "" } else { "/" };
        let url = format!("{base}/v1/AUTH_{account}{slash}{path}");
        let mut request = self.client.request(method, url).header("content-length", body.len()).body(body.to_owned());
        if let Some(user) = user {
            let key = if user == "ocim" { KEY } else { STRANGERS_KEY };
            let login = self.client.get(format!("{base}/auth/v1.0")).header("x-auth-user", format!("{user}:admin"));
            let login = login.header("x-auth-key", key).send().await.unwrap();
            assert!(login.status().is_success(), "{login:?}");
            request = request.header("x-auth-token", login.headers()["x-auth-token"].clone());
        }
        request.send().await.unwrap()
    }

    /// Puts so many objects of ten bytes.
    pub(super) async fn fill(&self, container: &str, count: usize) {
        for number in 0..count {
            let answer = self.ask(Some("ocim"), Method::PUT, &format!("{container}/a/{number}"), "0123456789").await;
            assert!(answer.status().is_success(), "{answer:?}");
        }
    }

    /// Every container and object of the two accounts, with who may read it.
    pub(super) async fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        for user in ["ocim", "strangers"] {
            for container in self.names(user, "").await {
                let answer = self.ask(Some(user), Method::HEAD, &container, "").await;
                let readers = answer.headers().get("x-container-read").map(|value| value.to_str().unwrap().to_owned());
                found.push(format!("{user}/{container} {readers:?}"));
                found
                    .extend(self.names(user, &container).await.iter().map(|name| format!("{user}/{container}/{name}")));
            }
        }
        found
    }

    async fn names(&self, user: &str, path: &str) -> Vec<String> {
        let answer = self.ask(Some(user), Method::GET, &format!("{path}?format=json"), "").await;
        let listed: Vec<Value> = answer.json().await.unwrap_or_default();
        listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn ring(dir: &Path, name: &str, port: u16) {
    let builder = dir.join(format!("{name}.builder")).display().to_string();
    run("swift-ring-builder", &[&builder, "create", "4", "1", "0"]);
    run("swift-ring-builder", &[&builder, "add", &format!("r1z1-127.0.0.1:{port}/d1"), "1"]);
    run("swift-ring-builder", &[&builder, "rebalance"]);
}

fn pipeline(memcached: u16) -> String {
    format!(
        "[pipeline:main]\npipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth copy slo dlo proxy-server\n\
         [app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n\
         [filter:catch_errors]\nuse = egg:swift#catch_errors\n\
         [filter:gatekeeper]\nuse = egg:swift#gatekeeper\n\
         [filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{memcached}\n\
         [filter:listing_formats]\nuse = egg:swift#listing_formats\n\
         [filter:bulk]\nuse = egg:swift#bulk\n\
         [filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\n\
         [filter:tempauth]\nuse = egg:swift#tempauth\nuser_ocim_admin = {KEY} .admin\nuser_strangers_admin = {STRANGERS_KEY} .admin\n\
         [filter:copy]\nuse = egg:swift#copy\n[filter:slo]\nuse = egg:swift#slo\n[filter:dlo]\nuse = egg:swift#dlo\n"
    )
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_public_container_is_read_without_a_login_and_neither_listed_nor_written() {
    let swift = Swift::start().await;
    let server = only(&servers(&swift.table()));
    let origins = ["https://one.example".to_owned(), "https://two.example".to_owned()];
    for (name, is_public) in [("ocim-1-a", true), ("ocim-1-b", false)] {
        server.make_database(name, "shared", Attempt::First).await.unwrap();
        assert_eq!(server.admit(name, &Admitted { is_public, origins: &origins }).await, Ok(Vec::new()));
        swift.fill(name, 1).await;
    }
    let anonymous = async |method: Method, path: &str| swift.ask(None, method, path, "").await.status();
    assert_eq!(anonymous(Method::GET, "ocim-1-a/a/0").await, StatusCode::OK);
    assert_eq!(anonymous(Method::GET, "ocim-1-b/a/0").await, StatusCode::UNAUTHORIZED);
    for (method, path) in [(Method::GET, "ocim-1-a"), (Method::PUT, "ocim-1-a/a/0"), (Method::DELETE, "ocim-1-a/a/0")] {
        assert_eq!(anonymous(method.clone(), path).await, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    let preflight = |origin: &str| {
        let url = format!("http://127.0.0.1:{}/v1/AUTH_ocim/ocim-1-b/a/0", swift.port);
        let request = swift.client.request(Method::OPTIONS, url).header("origin", origin.to_owned());
        async move { request.header("access-control-request-method", "PUT").send().await.unwrap().status() }
    };
    assert_eq!(preflight("https://two.example").await, StatusCode::OK);
    assert_eq!(preflight("https://three.example").await, StatusCode::UNAUTHORIZED);
    // The next launch has other host names, and the container is for its account only.
    server
        .admit("ocim-1-a", &Admitted { is_public: false, origins: &["https://three.example".to_owned()] })
        .await
        .unwrap();
    assert_eq!(anonymous(Method::GET, "ocim-1-a/a/0").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_wrong_key_and_a_wrong_path_are_named_and_the_key_is_not() {
    let swift = Swift::start().await;
    for (table, words) in [
        (swift.table_with("ocim%3Aadmin", "wrong-1"), "check user and key in `url`"),
        (swift.table_with("ocim%3Aelse", "k%2Fey-1"), "check user and key in `url`"),
        (swift.table().replace("/auth/v1.0", "/elsewhere/v1.0"), "check"),
    ] {
        let server = only(&servers(&table));
        let shared = server.shared_account().unwrap();
        let refused = server.make_account(&shared, Attempt::First).await.unwrap_err();
        let ServerError::Refused(said) = &refused else { panic!("{refused:?}") };
        assert!(said.contains(words) && !said.contains("wrong-1") && !said.contains("ey-1"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_token_that_the_store_has_forgotten_is_replaced() {
    let mut swift = Swift::start().await;
    let server = only(&servers(&swift.table()));
    server.make_database("ocim-1-a", "shared", Attempt::First).await.unwrap();
    swift.stop();
    let away = server.has(Database, "ocim-1-a").await.unwrap_err();
    assert!(matches!(away, ServerError::Away(_)), "{away:?}");
    // The tokens were in memory.
    swift.resume().await;
    assert!(server.has(Database, "ocim-1-a").await.unwrap() && server.has(Account, "shared").await.unwrap());
}
