//! The client against GitHub's own description of its API, which Prism serves, and against examples of its webhooks.
//! `make test-github` runs these tests and sets the environment variables that they need.

use std::collections::BTreeSet;
use std::path::PathBuf;

use hmac::{Hmac, Mac};
use ocim::pull_requests::github::{Changes, CommitState, DeploymentState, Github};
use ocim::pull_requests::webhook;
use secrecy::SecretString;
use serde_json::Value;
use sha2::Sha256;

use super::{REPOSITORY, apps, changed, settings, start, with_token};
use crate::app::github::PullSpec;

/// The repository of GitHub's examples.
const EXAMPLE: &str = "octocat/Hello-World";
const NUMBER: i32 = 1347;
const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run make test-github"))
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "make test-github runs it"]
async fn every_request_is_as_github_describes_it() {
    let github = Github::new(&with_token(&given("OCIM_GITHUB_CONTRACT"))).unwrap();
    let said = github.pull_request(EXAMPLE, NUMBER).await.unwrap();
    assert_eq!((said.repository.name.as_str(), said.head_commit.as_str()), (EXAMPLE, COMMIT));
    let Changes::Some { listed, .. } = github.changes(EXAMPLE, None, Some("W/\"tag\"")).await.unwrap() else {
        panic!("the example is a list");
    };
    assert_eq!((listed.len(), listed[0].number), (1, NUMBER));
    assert_eq!(github.open(EXAMPLE).await.unwrap(), listed);
    assert!(github.members("github", "owners").await.unwrap().contains("octocat"));
    assert_eq!(github.find_deployment(EXAMPLE, COMMIT, "pr1.sandbox").await, Ok(Some(1)));
    assert_eq!(github.create_deployment(EXAMPLE, COMMIT, "pr1.sandbox", "Building").await, Ok(1));
    let (site, log) = (Some("https://pr1.example/"), Some("https://ocim.example/app-servers/1"));
    for state in [
        DeploymentState::Queued,
        DeploymentState::InProgress,
        DeploymentState::Success,
        DeploymentState::Failure,
        DeploymentState::Inactive,
    ] {
        github.deployment_status(EXAMPLE, 1, state, site, log, "Building").await.unwrap();
        github.deployment_status(EXAMPLE, 1, state, None, None, "").await.unwrap();
    }
    for state in [CommitState::Pending, CommitState::Success, CommitState::Failure] {
        github.commit_status(EXAMPLE, COMMIT, state, log, "Building", "ocim").await.unwrap();
        github.commit_status(EXAMPLE, COMMIT, state, None, "", "ocim").await.unwrap();
    }
    assert!(!github.comments(EXAMPLE, NUMBER).await.unwrap().is_empty());
    let comment = github.create_comment(EXAMPLE, NUMBER, "It is building.").await.unwrap();
    github.edit_comment(EXAMPLE, comment, "It is running.").await.unwrap();
}

#[tokio::test]
#[ignore = "make test-github runs it"]
async fn an_apps_requests_are_as_github_describes_them() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("key");
    apps::key(&path, &["rsa", "-b", "2048", "-m", "PEM"]);
    let base = given("OCIM_GITHUB_CONTRACT");
    let app = changed(settings(&base), |github| {
        github.github_app_id = Some(1);
        github.github_app_private_key_file = Some(path);
    });
    let github = Github::new(&app).unwrap();
    assert_eq!(github.pull_request(EXAMPLE, NUMBER).await.unwrap().number, NUMBER);
    assert!(github.members("github", "owners").await.unwrap().contains("octocat"));
}

/// The query parameters that the description lists for this path.
fn parameters<'a>(description: &'a Value, path: &str) -> Vec<&'a Value> {
    let fits = |template: &str| {
        let (known, asked): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        known.len() == asked.len()
            && known.iter().zip(asked).all(|(known, asked)| known.starts_with('{') || *known == asked)
    };
    let paths = description["paths"].as_object().unwrap();
    let (_, found) = paths.iter().find(|(template, _)| fits(template)).unwrap_or_else(|| panic!("no path for {path}"));
    let parameters = found["get"]["parameters"].as_array().unwrap().iter();
    let resolved = parameters.map(|parameter| match parameter["$ref"].as_str() {
        Some(name) => description.pointer(name.trim_start_matches('#')).unwrap(),
        None => parameter,
    });
    resolved.filter(|parameter| parameter["in"] == "query").collect()
}

/// Prism ignores query parameters that are not in the description, so they are checked here.
#[tokio::test]
#[ignore = "make test-github runs it"]
async fn every_query_is_as_github_describes_it() {
    let description = json(&given("OCIM_GITHUB_DESCRIPTION"));
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    fake.set_team("acme", "owners", &["ada"]);
    github.changes(REPOSITORY, None, None).await.unwrap();
    github.open(REPOSITORY).await.unwrap();
    github.members("acme", "owners").await.unwrap();
    github.find_deployment(REPOSITORY, COMMIT, "x").await.unwrap();
    github.comments(REPOSITORY, number).await.unwrap();
    let mut seen = 0;
    for asked in fake.asked() {
        let url = url::Url::parse(&fake.base).unwrap().join(&asked.path).unwrap();
        let known = parameters(&description, url.path());
        for (name, value) in url.query_pairs() {
            let parameter = known.iter().find(|parameter| parameter["name"] == *name);
            let schema = &parameter.unwrap_or_else(|| panic!("{} has no query {name}", asked.path))["schema"];
            let is_known = schema["enum"].as_array().is_none_or(|values| values.iter().any(|known| *known == *value));
            assert!(is_known, "{}: {name} is never {value}", asked.path);
            seen += 1;
        }
    }
    assert_eq!(seen, 13);
    fake.stop().await;
}

#[test]
#[ignore = "make test-github runs it"]
fn every_example_of_a_webhook_is_read() {
    let secret = SecretString::from("a secret");
    let (mut read, mut passed_over, mut kinds) = (0, 0, BTreeSet::new());
    for group in json(&given("OCIM_GITHUB_EXAMPLES")).as_array().unwrap() {
        let kind = group["name"].as_str().unwrap();
        for example in group["examples"].as_array().unwrap() {
            let body = example.to_string();
            let mac = Hmac::<Sha256>::new_from_slice(b"a secret").unwrap().chain_update(&body).finalize();
            let header = format!("sha256={}", hex::encode(mac.into_bytes()));
            assert!(webhook::verify(std::slice::from_ref(&secret), body.as_bytes(), Some(&header)));
            let number = example["pull_request"]["number"].as_i64();
            match webhook::read(kind, body.as_bytes()).unwrap_or_else(|error| panic!("{kind}: {error}: {body}")) {
                Some(wakeup) => {
                    assert_eq!(wakeup.number.map(i64::from), number, "{kind}");
                    assert_eq!(example["repository"]["full_name"], wakeup.repository.as_str());
                    assert_eq!(example["repository"]["id"], wakeup.github_id);
                    kinds.insert(kind.to_owned());
                    read += 1;
                }
                None => {
                    assert!(!kind.starts_with("pull_request"), "{kind} is passed over");
                    passed_over += 1;
                }
            }
        }
    }
    assert!(read >= 40, "only {read} examples were read");
    eprintln!("{read} examples are worth a look ({kinds:?}), {passed_over} are not");
}
