//! The client of GitHub's API against the fake GitHub, and against GitHub's own description (`contract`).

mod apps;
mod checking;
mod contract;
mod fake;
mod listing;
mod reading;
mod teams;
mod trouble;
mod writing;

use std::time::Duration;

use ocim::config::Settings;
use ocim::config::sections::GitHub;
use ocim::pull_requests::github::{Github, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::app::github::FakeGithub;
use crate::app::install_tls;

const TOKEN: &str = "ghp_theRightOne";
const REPOSITORY: &str = "acme/edx-platform";

fn settings(base: &str) -> Settings {
    install_tls();
    Settings::with(|settings| settings.github.github_api_url = base.into())
}

fn changed(mut settings: Settings, change: impl FnOnce(&mut GitHub)) -> Settings {
    change(&mut settings.github);
    settings
}

fn with_token(base: &str) -> Settings {
    changed(settings(base), |github| github.github_access_token = Some(TOKEN.to_owned().into()))
}

/// A fake GitHub with one repository, and a client with its token.
async fn start() -> (FakeGithub, Github) {
    let fake = FakeGithub::start().await;
    fake.repository(REPOSITORY);
    fake.set_token(Some(TOKEN));
    let github = Github::new(&with_token(&fake.base)).unwrap();
    (fake, github)
}

/// A client with this time limit, which revalidates every cached answer.
fn hasty(base: &str, milliseconds: u64) -> Github {
    let limits = Limits { patience: Duration::from_millis(milliseconds), fresh: Duration::ZERO };
    Github::with_limits(&with_token(base), limits).unwrap()
}

/// A server that answers every request with these bytes; gives its base URL.
async fn parrot(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                // The client may close the connection early.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    base
}
