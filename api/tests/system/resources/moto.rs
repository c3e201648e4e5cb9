//! moto's server, which imitates Amazon's: policy, CORS, and buckets of other accounts.

use std::path::PathBuf;

use ocim::resources::server::{Admitted, Attempt, ServerError};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use shared_types::resource::ResourcePart::Database;
use shared_types::{AppServerId, ResourceKind};

use super::strangers::{create, purge};
use super::{Running, client, free_port, only, servers, until_listens};
use crate::app::{Setup, TestApp};

/// The account of a stranger; ours is moto's own.
const STRANGER: &str = "111111111111";

pub(in crate::system) struct Moto {
    pub(in crate::system) port: u16,
    client: Client,
    _running: Running,
}

impl Moto {
    pub(in crate::system) async fn start() -> Self {
        let port = free_port();
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/moto/bin/moto_server");
        assert!(program.exists(), "{} is missing: script/test-resources installs it", program.display());
        let running = Running::start(program.to_str().unwrap(), &["-H", "127.0.0.1", "-p", &port.to_string()]);
        until_listens(port).await;
        Self { port, client: client(), _running: running }
    }

    pub(in crate::system) fn table(&self) -> String {
        format!("[resources.moto]\nkind = \"s3\"\nurl = \"http://k:s@127.0.0.1:{}\"\n", self.port)
    }

    /// Sends a request as the account with this number; none: ours.
    async fn send(&self, account: Option<&str>, method: Method, path: &str, body: &str) -> Response {
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let request = self.client.request(method, url).header("content-length", body.len()).body(body.to_owned());
        // It says which service is asked; moto verifies no signature.
        let credential =
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
        let mut request = request.header("authorization", credential);
        if let Some(account) = account {
            request = request.header("x-moto-account-id", account);
        }
        request.send().await.unwrap()
    }

    async fn ask(&self, account: Option<&str>, method: Method, path: &str, body: &str) -> String {
        let answer = self.send(account, method, path, body).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        text
    }

    pub(in crate::system) async fn put_bucket(&self, name: &str, account: Option<&str>) {
        self.ask(account, Method::PUT, name, "").await;
    }

    /// Puts so many objects of ten bytes.
    pub(in crate::system) async fn fill(&self, bucket: &str, count: usize) {
        for number in 0..count {
            self.ask(None, Method::PUT, &format!("{bucket}/a/{number}"), "0123456789").await;
        }
    }

    /// Every bucket of the two accounts.
    pub(super) async fn listing(&self) -> Vec<String> {
        let (own, strangers) =
            (self.ask(None, Method::GET, "", "").await, self.ask(Some(STRANGER), Method::GET, "", "").await);
        let names = |text: &str| {
            text.split("<Name>")
                .skip(1)
                .filter_map(|rest| rest.split('<').next())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        [names(&own), names(&strangers)].concat()
    }
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn a_bucket_has_a_policy_if_it_is_public_and_cors_for_its_pages() {
    let moto = Moto::start().await;
    let server = only(&servers(&moto.table()));
    let origins = ["https://one.example".to_owned(), "https://two.example".to_owned()];
    for (name, is_public) in [("ocim-1-a", true), ("ocim-1-b", false)] {
        server.make_database(name, "shared", Attempt::First).await.unwrap();
        assert_eq!(server.admit(name, &Admitted { is_public, origins: &origins }).await, Ok(Vec::new()));
    }
    let policy: Value = serde_json::from_str(&moto.ask(None, Method::GET, "ocim-1-a?policy", "").await).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], json!(["s3:GetObject"]));
    assert_eq!(policy["Statement"][0]["Resource"], json!(["arn:aws:s3:::ocim-1-a/*"]));
    assert_eq!(moto.send(None, Method::GET, "ocim-1-b?policy", "").await.status(), 404, "it has none");
    for name in ["ocim-1-a", "ocim-1-b"] {
        let cors = moto.ask(None, Method::GET, &format!("{name}?cors"), "").await;
        let allowed: Vec<_> = cors.split("<AllowedOrigin>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(allowed, ["https://one.example", "https://two.example"], "{cors}");
        assert!(["GET", "PUT"].iter().all(|method| cors.contains(&format!("<AllowedMethod>{method}<"))), "{cors}");
    }
    // The next launch has other host names.
    server
        .admit("ocim-1-b", &Admitted { is_public: false, origins: &["https://three.example".to_owned()] })
        .await
        .unwrap();
    let cors = moto.ask(None, Method::GET, "ocim-1-b?cors", "").await;
    assert!(cors.contains("https://three.example") && !cors.contains("https://one.example"), "{cors}");
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn a_bucket_of_another_account_is_taken_at_every_attempt_and_one_of_ours_is_not() {
    let moto = Moto::start().await;
    let server = only(&servers(&moto.table()));
    moto.put_bucket("ocim-1-theirs", Some(STRANGER)).await;
    let before = moto.listing().await;
    for attempt in [Attempt::First, Attempt::Again] {
        assert_eq!(
            server.make_database("ocim-1-theirs", "shared", attempt).await,
            Err(ServerError::Taken),
            "{attempt:?}"
        );
    }
    assert_eq!(moto.listing().await, before);
    server.make_database("ocim-1-ours", "shared", Attempt::First).await.unwrap();
    assert_eq!(server.make_database("ocim-1-ours", "shared", Attempt::Again).await, Ok(()));
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn a_build_whose_bucket_another_account_got_says_so_and_the_next_one_has_another() {
    let moto = Moto::start().await;
    let app = TestApp::with(Setup { works: false, resources: servers(&moto.table()), ..Setup::default() }).await;
    let id = create(&app, "one", json!([{ "kind": ResourceKind::S3, "name": "files" }])).await;
    let app_server = app.launched(id).await;
    let name = app.text("SELECT remote_name AS text FROM resources WHERE part = 'database'").await;
    moto.put_bucket(&name, Some(STRANGER)).await;
    app.builder().advance(AppServerId(app_server)).await.unwrap();
    let failed = app.read_app_server(app_server).await;
    assert_eq!(failed["status"], "error");
    assert!(failed["failure"].as_str().unwrap().contains("not ours has this name. It was not touched"), "{failed:#}");
    assert_eq!(app.built(id).await["status"], "running");
    assert_eq!(moto.listing().await.len(), 2);
    purge(&app, &[id]).await;
    app.manager.works().sweep().await.unwrap();
    assert_eq!(moto.listing().await, [name]);
    app.end().await;
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn more_than_a_page_of_objects_is_summed_and_deleted() {
    let moto = Moto::start().await;
    let server = only(&servers(&moto.table()));
    server.make_database("ocim-1-a", "shared", Attempt::First).await.unwrap();
    moto.fill("ocim-1-a", 1003).await;
    assert_eq!(server.size("ocim-1-a").await, Ok(Some(10030)));
    server.delete_database("ocim-1-a").await.unwrap();
    assert!(!server.has(Database, "ocim-1-a").await.unwrap());
}
