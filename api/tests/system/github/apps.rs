//! GitHub Apps: requests are signed with the key, tokens are kept while they are valid.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ocim::config::Settings;
use ocim::pull_requests::github::{Github, GithubError};

use super::{REPOSITORY, changed, hasty, settings};
use crate::app::github::{FakeGithub, PullSpec};

const APP: u64 = 4711;

fn ssh_keygen(arguments: &[&str], path: &Path) -> String {
    let done = Command::new("ssh-keygen").args(arguments).arg("-f").arg(path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Writes a new key in this format; gives the public key (PKCS #1, DER).
pub fn key(path: &Path, kind: &[&str]) -> Vec<u8> {
    ssh_keygen(&[&["-q", "-N", "", "-t"], kind].concat(), path);
    let pem = ssh_keygen(&["-e", "-m", "PEM"], &path.with_extension("pub"));
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn with_app(base: &str, key: &Path) -> Settings {
    changed(settings(base), |github| {
        github.github_app_id = Some(APP);
        github.github_app_private_key_file = Some(key.into());
    })
}

fn count(fake: &FakeGithub, path: &str) -> usize {
    fake.asked().iter().filter(|asked| asked.path.contains(path)).count()
}

#[tokio::test]
async fn an_app_gets_a_token_for_each_owner_and_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    for (name, form) in [("pkcs1", "PEM"), ("pkcs8", "PKCS8")] {
        let path = dir.path().join(name);
        let public = key(&path, &["rsa", "-b", "2048", "-m", form]);
        let fake = FakeGithub::start().await;
        fake.set_app(APP, public, &["acme", "elsewhere"]);
        fake.set_team("acme", "owners", &["ada"]);
        let number = fake.open_pull(REPOSITORY, PullSpec::default());
        fake.open_pull("elsewhere/edx", PullSpec::default());
        let github = Github::new(&with_app(&fake.base, &path)).unwrap();
        assert!(github.can_write());
        assert!(!format!("{github:?}").contains("PRIVATE"));
        let (one, other) = tokio::join!(github.open(REPOSITORY), github.members("Acme", "owners"));
        assert_eq!((one.unwrap().len(), other.unwrap().len()), (1, 1));
        github.create_comment(REPOSITORY, number, "Hello").await.unwrap();
        assert_eq!((count(&fake, "access_tokens"), count(&fake, "installation")), (1, 2), "{name}");
        assert_eq!(github.open("elsewhere/edx").await.unwrap().len(), 1);
        assert_eq!(count(&fake, "access_tokens"), 2);
        // A revoked token is not used again.
        fake.revoke_tokens();
        let error = github.open(REPOSITORY).await.unwrap_err();
        assert!(matches!(error, GithubError::Refused { status: 401, .. }), "{error}");
        assert!(github.open(REPOSITORY).await.is_ok());
        assert_eq!(count(&fake, "access_tokens"), 3);
        fake.stop().await;
    }
}

#[tokio::test]
async fn a_token_that_ends_soon_is_not_kept_and_a_foreign_key_gets_none() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("key"), dir.path().join("other"));
    let public = key(&path, &["rsa", "-b", "2048", "-m", "PEM"]);
    key(&other, &["rsa", "-b", "2048", "-m", "PEM"]);
    let fake = FakeGithub::start().await;
    fake.set_app(APP, public, &["acme"]);
    fake.open_pull(REPOSITORY, PullSpec::default());
    fake.repository("stranger/edx");
    let github = Github::new(&with_app(&fake.base, &path)).unwrap();
    fake.set_token_life(TimeDelta::seconds(290));
    for asked in 1..=2 {
        assert!(github.open(REPOSITORY).await.is_ok());
        assert_eq!(count(&fake, "access_tokens"), asked);
    }
    fake.set_token_life(TimeDelta::seconds(330));
    for _ in 0..2 {
        assert!(github.open(REPOSITORY).await.is_ok());
        assert_eq!(count(&fake, "access_tokens"), 3);
    }
    // “Not installed” differs from “not found”: it must not archive anything.
    let error = github.open("stranger/edx").await.unwrap_err();
    assert!(matches!(&error, GithubError::Refused { status: 404, words } if words.contains("stranger")), "{error}");
    let foreign = Github::new(&with_app(&fake.base, &other)).unwrap();
    let error = foreign.open(REPOSITORY).await.unwrap_err();
    assert!(matches!(error, GithubError::Refused { status: 401, .. }), "{error}");
    // A personal token is refused where only the App has access.
    assert!(hasty(&fake.base, 5000).open(REPOSITORY).await.is_err());
    fake.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_key_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |path: &Path, words: &str| {
        let error = Github::new(&with_app("https://x.example", path)).unwrap_err();
        assert!(error.contains("GITHUB_APP_PRIVATE_KEY_FILE") && error.contains(words), "{error}");
    };
    wrong(&dir.path().join("nothing"), "No such file");
    let path = dir.path().join("text");
    std::fs::write(&path, "my key").unwrap();
    wrong(&path, "no private key");
    std::fs::write(&path, vec![b'x'; 70_000]).unwrap();
    wrong(&path, "too large");
    let path = dir.path().join("ecdsa");
    ssh_keygen(&["-q", "-N", "", "-t", "ecdsa", "-m", "PKCS8"], &path);
    wrong(&path, "none of RSA's");
}
