//! Secrets of every kind, looked for in every place where the program leaves something.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ocim::ansible::fake::FakeAnsible;
use ocim::git::fake::FakeGit;
use ocim::resources::providers::fake::FakeServer;
use ocim::resources::registry::Servers;
use serde_json::{Map, Value, json};
use shared_types::{ResourceKind, Role};

use super::parrot::Parrot;
use super::{YAML, answers, created, dump};
use crate::app::{Setup, TestApp, until};
use crate::flows::resources::named;

/// A random secret, so that each occurrence is a leak.
fn secret() -> String {
    let mut bits = [0u8; 12];
    getrandom::fill(&mut bits).unwrap();
    bits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Settings with these secrets: in nested YAML, in URLs in that, in the URLs of both repositories.
fn settings(secrets: &[String]) -> Value {
    let (mut nested, mut urls) = (Vec::new(), Map::new());
    for (at, secret) in secrets.iter().enumerate().skip(2) {
        match at % 3 {
            0 => drop(urls.insert(format!("BROKER_{at}"), json!(format!("amqp://me:{secret}@mq.example/{at}")))),
            1 => nested.push(json!({ "name": at, "password": secret })),
            _ => nested.push(json!({ "deep": { "SECRETS": [at % 2 == 0, secret] } })),
        }
    }
    urls.insert("NESTED".to_owned(), json!({ "here": nested }));
    json!({
        "name": "Demo",
        "sub_domain": "demo",
        YAML: Value::Object(urls).to_string(),
        "configuration_source_repo_url": format!("https://me:{}@git.example/configuration.git", secrets[0]),
        "edx_platform_repository_url": format!("https://{}@git.example/edx-platform.git", secrets[1]),
    })
}

/// Captures what the program logs on this test's thread.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn more_than_fifty_secrets_are_nowhere_in_clear() {
    let mut secrets: Vec<String> = (0..50).map(|_| secret()).collect();
    let parrot =
        Arc::new(Parrot { git: FakeGit::default(), inner: FakeAnsible::with_tasks(1), given: Mutex::default() });
    let heard = Heard::default();
    let logs = heard.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || logs.clone());
    let _listening = tracing::subscriber::set_default(subscriber.finish());
    tracing::info!("the test listens");
    let server = Arc::new(FakeServer::new(ResourceKind::Mysql));
    let resources = Servers::new([named("main", &server)]);
    let setup = Setup { git: Some(parrot.clone()), ansible: Some(parrot.clone()), resources, ..Setup::default() };
    let app = TestApp::with(setup).await;
    let admin = app.person(Role::Admin).await;
    let mut settings = settings(&secrets);
    settings["use_ephemeral_databases"] = json!(false);
    let instance = created(&admin, settings).await;
    secrets.push(secret());
    let entered = json!({ "host": "mongo.example", "username": "campus", "password": secrets[50],
        "databases": { "edxapp": "campus", "forum": "campus_forum" } });
    let resources = format!("/api/v1/instances/{instance}/resources");
    admin.put(&format!("{resources}/mongodb"), json!({ "given": entered })).await.expect(200);
    let built = app.built(instance).await;
    let password = || server.accounts().into_values().next().unwrap();
    secrets.push(password());
    assert_eq!(built["status"], "failed", "{built:#}");
    until("the mail is sent", async || app.mailer.sent().len() == 1).await;
    let change = json!({ "openedx_release": "other", YAML: format!("A_PASSWORD: {}", secrets[2]) });
    admin.patch(&format!("/api/v1/instances/{instance}"), "\"1\"", change).await.expect(200);

    let given = parrot.given.lock().unwrap().clone();
    for secret in &secrets {
        assert!(given.contains(secret.as_str()), "Ansible has them all");
    }
    let replace = json!({ "cuts_off": true });
    admin.post(&format!("{resources}/mysql/rotate"), replace).await.expect(200);
    secrets.push(password());
    let shown = admin.post(&format!("{resources}/mysql/credentials"), json!({})).await.expect(200);
    assert_eq!(shown["password"], secrets[52], "an administrator sees it");
    let mut places = dump(&app).await;
    let tables = places.len();
    let read = answers(&admin).await;
    assert!(tables > 20 && read.len() >= 20, "{tables} tables, {} answers", read.len());
    places.extend(read);
    for mail in app.mailer.sent() {
        places.push(("mail".to_owned(), format!("{mail:?} {}", mail.attachment.as_ref().unwrap().text)));
    }
    for file in files(&app.manager.options.runs_dir) {
        places.push((file.display().to_string(), String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned()));
    }
    let logged = String::from_utf8_lossy(&heard.0.lock().unwrap()).into_owned();
    assert!(logged.contains("the test listens"), "{logged}");
    places.push(("the program's log".to_owned(), logged));
    let hits: Vec<_> = places
        .iter()
        .flat_map(|(place, text)| secrets.iter().filter(|secret| text.contains(secret.as_str())).map(move |_| place))
        .collect();
    println!("{} secrets in {} places: {} hits", secrets.len(), places.len(), hits.len());
    assert!(hits.is_empty(), "{hits:?}");
    let log = app.log(1).await.join("\n");
    assert!(log.contains("BROKER_3") && log.contains("amqp://me:********@mq.example/3"), "it was said: {log}");
    app.end().await;
}
