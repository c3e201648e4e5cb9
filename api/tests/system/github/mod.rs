//! The client of GitHub's API against a GitHub in small, and against GitHub's own description (`contract`).

mod apps;
mod contract;
mod fake;
mod listing;
mod reading;
mod teams;
mod trouble;
mod writing;

use std::time::Duration;

use ocim::config::Settings;
use ocim::pull_requests::github::{Github, Limits};

use crate::app::github::FakeGithub;

const TOKEN: &str = "ghp_theRightOne";
const REPOSITORY: &str = "acme/edx-platform";

fn settings(base: &str) -> Settings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Settings { github_api_url: base.into(), ..Settings::default() }
}

fn with_token(base: &str) -> Settings {
    Settings { github_access_token: Some(TOKEN.to_owned().into()), ..settings(base) }
}

/// A GitHub with one repository, and a client with the right token.
async fn start() -> (FakeGithub, Github) {
    let fake = FakeGithub::start().await;
    fake.repository(REPOSITORY);
    fake.set_token(Some(TOKEN));
    let github = Github::new(&with_token(&fake.base)).unwrap();
    (fake, github)
}

/// A client that waits only so long, and takes nothing for fresh.
fn hasty(base: &str, milliseconds: u64) -> Github {
    let limits = Limits { patience: Duration::from_millis(milliseconds), fresh: Duration::ZERO };
    Github::with_limits(&with_token(base), limits).unwrap()
}
