//! No secret leaks: no form in which a program prints it is in a log, an answer, an event or a mail.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use chrono::Utc;
use ocim::ansible::fake::FakeAnsible;
use ocim::ansible::port::{
    Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, TaskProgress,
};
use ocim::git::fake::FakeGit;
use ocim::git::port::{Git, GitError, Progress};
use serde_json::json;
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use crate::app::{Setup, Stream, TestApp};

const PASSWORD: &str = "h0rse \"battery\"/é+ st&ple\\";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJTU\n-----END PRIVATE KEY-----\n";
const IN_URL: &str = "url-p%40ssword";
const IN_URL_DECODED: &str = "url-p@ssword";
/// A secret whose variable's name does not show that it is one.
const MARKED: &str = "zebra-crossing-17";
/// Too short to be masked inside of words.
const SHORT: &str = "q7Zk";

/// All forms of the secrets. The playbook prints each, and none may appear anywhere.
fn forms() -> Vec<String> {
    let json = serde_json::to_string(PASSWORD).unwrap();
    let mut forms = vec![
        PASSWORD.to_owned(),
        json.trim_matches('"').to_owned(),
        r#"h0rse \"battery\"/\u00e9+ st&ple\\"#.to_owned(),
        "h0rse%20%22battery%22%2F%C3%A9%2B%20st%26ple%5C".to_owned(),
        "h0rse+%22battery%22%2f%c3%a9%2b+st%26ple%5c".to_owned(),
        STANDARD.encode(PASSWORD),
        STANDARD_NO_PAD.encode(PASSWORD),
        URL_SAFE.encode(PASSWORD),
        STANDARD.encode(KEY),
        serde_json::to_string(KEY).unwrap(),
        IN_URL.to_owned(),
        IN_URL_DECODED.to_owned(),
        "12345678901234".to_owned(),
        MARKED.to_owned(),
        SHORT.to_owned(),
        r#"h0rse "battery"/\xe9+ st&ple\\"#.to_owned(),
        r#"h0rse "battery"/\xc3\xa9+ st&ple\\"#.to_owned(),
        r#"h0rse\ \"battery\"/é+\ st\&ple\\"#.to_owned(),
        "h0rse &quot;battery&quot;/é+ st&amp;ple\\".to_owned(),
        hex(PASSWORD, ""),
        hex(PASSWORD, "").to_uppercase(),
        hex(PASSWORD, ":"),
        // Base32 of MARKED.
        "PJSWE4TBFVRXE33TONUW4ZZNGE3Q====".to_owned(),
    ];
    forms.extend(KEY.lines().map(str::to_owned));
    forms
}

fn hex(text: &str, separator: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

/// Truncated secrets and secrets with colour codes, as printed, each with the part that must not be shown.
fn pieces() -> [(String, &'static str); 4] {
    let coloured = MARKED.replace('-', "\u{1b}[1m-\u{1b}[0m");
    [
        (format!("{} came first", &MARKED[5..]), "crossing"),
        (format!("it ends with {}", &MARKED[..12]), "zebra-cross"),
        (format!("it was cut …{}", &MARKED[7..]), "ossing-17"),
        (format!("in colours {coloured}"), "crossing"),
    ]
}

/// The part of a secret's base64 inside that of a longer text, which is printed.
fn inside() -> String {
    STANDARD.encode(format!("user:{PASSWORD}"))[8..36].to_owned()
}

/// An Ansible that prints every secret in every form, in all places that it can print to.
#[derive(Debug)]
struct Talkative(FakeAnsible);

fn line(text: String) -> SpoolLine {
    let task = Some(format!("role : login with {PASSWORD}"));
    SpoolLine { at: Utc::now(), level: LogLevel::Info, text, task, progress: Some(TaskProgress::Began) }
}

fn lines() -> Vec<SpoolLine> {
    let together = format!("all of {} and user {}", forms().join(" | "), STANDARD.encode(format!("user:{PASSWORD}")));
    let pieces = pieces().map(|(text, _)| text);
    forms().into_iter().chain([together, KEY.to_owned()]).chain(pieces).map(line).collect()
}

/// A git whose one repository fails with an error that contains its password.
#[derive(Debug, Default)]
struct TalkativeGit(FakeGit);

#[async_trait]
impl Git for TalkativeGit {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        if repository.contains("edx-platform") {
            return Err(GitError::Transient(format!("fatal: no answer from '{repository}' with {PASSWORD}")));
        }
        self.0.resolve(repository, version).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        self.0.check_out(repository, commit, dir, progress, cancel).await
    }
}

#[async_trait]
impl Ansible for Talkative {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        sink.take(vec![line(format!("Cloning {}", spec.source_repo))], SpoolPosition::default()).await.unwrap();
        self.0.prepare(spec, sink, cancel).await
    }

    async fn run(
        &self,
        _: &RunSpec,
        sink: &mut dyn SpoolSink,
        _: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        sink.take(lines(), SpoolPosition { events: 1, errors: 0 }).await.map_err(AnsibleError::Sink)?;
        // The message is cut after 500 characters, which must not leave half a secret.
        let message = format!("{}{PASSWORD} and {}", "x".repeat(485), forms().join(" "));
        Ok(RunOutcome::Failed {
            exit_status: Some(2),
            failed_task: Some((format!("as {PASSWORD}"), message)),
            words: None,
        })
    }

    async fn recover(&self, _: &Path, _: SpoolPosition, _: &mut dyn SpoolSink) -> Result<bool, AnsibleError> {
        Ok(false)
    }
}

#[tokio::test]
async fn secrets_that_a_playbook_prints_are_masked_in_every_form() {
    let ansible: Arc<dyn Ansible> = Arc::new(Talkative(FakeAnsible::with_tasks(1)));
    let git: Arc<dyn Git> = Arc::new(TalkativeGit::default());
    let app = TestApp::with(Setup { git: Some(git), ansible: Some(ansible), ..Setup::default() }).await;
    let extra = json!({
        "EDXAPP_MYSQL_PASSWORD": PASSWORD,
        "COMMON": {"ssh": {"private_key": KEY}, "SECRETS": ["12345678901234"]},
        "BROKER": format!("amqp://me:{IN_URL}@mq.example/"),
    });
    let extra = shared_types::yaml::to_yaml(extra.as_object().unwrap());
    let body = json!({
        "name": "Demo",
        "sub_domain": "demo",
        "configuration_extra_settings": format!("{extra}CROSSING: !secret {MARKED}\nA_FERNET_KEYS: [{SHORT}]\n"),
        "configuration_source_repo_url": format!("https://me:{IN_URL}@git.example/configuration.git"),
        "edx_platform_repository_url": format!("https://me:{IN_URL}@git.example/edx-platform.git"),
    });
    let instance = app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
    let viewer = app.viewer().await;
    let mut events = Stream::open(&viewer, "/api/v1/events", None).await;
    let built = app.built(instance).await;
    assert_eq!(built["status"], "failed", "{built:#}");
    crate::app::until("the mail is sent", async || app.mailer.sent().len() == 1).await;

    let mut told =
        vec![("mail", format!("{:?} {}", app.mailer.sent(), app.mailer.sent()[0].attachment.as_ref().unwrap().text))];
    for path in [
        "/api/v1/app-servers/1",
        "/api/v1/app-servers",
        "/api/v1/app-servers/1/logs?limit=500",
        "/api/v1/app-servers/1/logs?format=text",
        "/api/v1/app-servers/1/diff",
        "/api/v1/instances/1/render",
        "/api/v1/instances/1/logs",
        "/api/v1/instances",
        "/api/v1/queue",
    ] {
        let answer = viewer.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        // A secret could be missed in JSON that is escaped twice.
        let words = serde_json::from_str::<serde_json::Value>(&answer.body).map_or(String::new(), |json| words(&json));
        told.push((path, format!("{}\n{words}", answer.body)));
    }
    let mut stream = Stream::open(&viewer, "/api/v1/app-servers/1/logs/stream", Some(0)).await;
    let count = app.number("SELECT count(*) AS n FROM log_entries WHERE app_server_id = 1").await;
    for _ in 0..count {
        told.push(("log stream", words(&stream.next_of("entry").await.data)));
    }
    while let Some(message) = events.next().await {
        told.push(("events", message.data.to_string()));
        if message.data["app_server_id"] == 1 && app.read_app_server(1).await["status"] == "failed" {
            break;
        }
    }
    for table in ["log_entries", "events", "builds", "build_steps", "audit_log", "app_server_checks"] {
        let query = format!("SELECT coalesce(string_agg(t::text, ' '), '') AS text FROM {table} AS t");
        told.push((table, app.text(&query).await));
    }
    told.push(("failure", app.text("SELECT failure AS text FROM app_servers").await));
    for (place, text) in &told {
        for form in forms().into_iter().chain([inside()]) {
            assert!(!text.contains(&form), "{form} is in {place}: {text}");
        }
        assert!(!text.contains("h0rse"), "part of a secret is in {place}: {text}");
        for (_, piece) in pieces() {
            assert!(!text.contains(piece), "{piece} is in {place}: {text}");
        }
    }
    let log = app.log(1).await.join("\n");
    assert!(log.contains("Cloning https://me:********@git.example/configuration.git"), "{log}");
    assert!(
        log.contains("edx-platform.git stays unpinned at master: fatal: no answer from 'https://me:********@"),
        "{log}"
    );
    assert!(log.contains("********") && log.contains("all of ********"), "{log}");
    for text in ["h0rse", IN_URL_DECODED, &STANDARD.encode(PASSWORD)] {
        let path = format!(
            "/api/v1/app-servers/1/logs/matches?q={}",
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
        );
        assert_eq!(viewer.get(&path).await.expect(200)["count"], 0, "{text} can be looked for");
    }
    let read = app.read_app_server(1).await;
    let extra = read["configuration"]["configuration_extra_settings"].as_str().unwrap();
    assert!(
        extra.contains("EDXAPP_MYSQL_PASSWORD: \"••••••\"")
            && extra.contains("amqp://me:••••••@mq.example/")
            && extra.contains("CROSSING: !secret \"••••••\""),
        "{extra}"
    );
    app.end().await;
}

/// Every text in a JSON value, unescaped.
fn words(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(words).collect(),
        Value::Object(map) => map.values().map(words).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
