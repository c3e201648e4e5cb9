//! Failures of GitHub, invalid settings, and secrets that must not be shown.

use std::time::{Duration, Instant};

use chrono::Utc;
use ocim::config::Settings;
use ocim::pull_requests::github::{Github, GithubError};

use super::{REPOSITORY, TOKEN, changed, hasty, parrot, settings, start, with_token};
use crate::app::github::{FakeGithub, PullSpec};

#[tokio::test]
async fn each_failure_of_github_has_its_error_and_is_not_retried() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    let other = fake.open_pull(REPOSITORY, PullSpec::default());
    let read = async || github.pull_request(REPOSITORY, number).await;
    fake.fail_next(1, 502);
    let error = read().await.unwrap_err();
    assert!(matches!(&error, GithubError::Unavailable(words) if words.contains("502")), "{error}");
    assert_eq!(fake.take_asked().len(), 1);
    fake.break_pull(REPOSITORY, number, true);
    assert!(matches!(read().await, Err(GithubError::Unavailable(_))));
    assert!(github.pull_request(REPOSITORY, other).await.is_ok());
    fake.break_pull(REPOSITORY, number, false);
    fake.garble_next(1);
    assert!(matches!(read().await, Err(GithubError::Invalid(_))));
    for (after, seconds) in [(None, 60), (Some(7), 7), (Some(0), 1), (Some(99_999), 3600)] {
        fake.secondary_limit(Some(after));
        let error = read().await.unwrap_err();
        let GithubError::Paused { until, words } = error else { panic!("{error}") };
        let left = (until - Utc::now()).num_milliseconds();
        assert!((seconds * 1000 - 900..=seconds * 1000).contains(&left) && words.contains("secondary"), "{left}");
    }
    fake.secondary_limit(None);
    assert!(read().await.is_ok());
    fake.set_token(Some("another"));
    let error = read().await.unwrap_err();
    assert!(matches!(&error, GithubError::Refused { status: 401, words } if words.ends_with("Bad credentials")));
    assert!(!format!("{error} {error:?}").contains(TOKEN));
    fake.stop().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = hasty(&silent, 5000).pull_request(REPOSITORY, number).await.unwrap_err();
    assert!(matches!(&error, GithubError::Unavailable(words) if words.contains("refused")), "{error}");
}

#[tokio::test]
async fn a_slow_github_times_out() {
    let (fake, _) = start().await;
    fake.slow(Duration::from_secs(20));
    let began = Instant::now();
    let error = hasty(&fake.base, 200).pull_request(REPOSITORY, 1).await.unwrap_err();
    assert!(matches!(&error, GithubError::Unavailable(words) if words.contains("no answer in 200ms")), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_token_goes_to_no_other_server() {
    let (fake, github) = start().await;
    let other = FakeGithub::start().await;
    let number = other.open_pull(REPOSITORY, PullSpec::default());
    fake.set_team("acme", "owners", &["ada"]);
    fake.send_elsewhere(Some(&other.base));
    let refused = |error: GithubError| {
        assert!(matches!(&error, GithubError::Refused { status: 302, words } if words.contains("another server")));
    };
    refused(github.pull_request(REPOSITORY, number).await.unwrap_err());
    refused(github.open(REPOSITORY).await.unwrap_err());
    refused(github.members("acme", "owners").await.unwrap_err());
    // A redirect to the same URL again and again is an error.
    fake.send_elsewhere(Some(&fake.base));
    let error = github.pull_request(REPOSITORY, number).await.unwrap_err();
    assert!(matches!(&error, GithubError::Invalid(words) if words.contains("from one place")), "{error}");
    assert_eq!(fake.asked().len(), 3 + 4);
    assert_eq!(other.asked(), []);
    fake.stop().await;
    other.stop().await;
}

async fn says(headers: &str, body: &[u8]) -> GithubError {
    let mut answer = format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n").into_bytes();
    answer.extend(body);
    let github = Github::new(&settings(&parrot(answer).await)).unwrap();
    let one = github.pull_request(REPOSITORY, 1).await.unwrap_err();
    assert!(matches!(one, GithubError::Invalid(_)), "{one}");
    github.open(REPOSITORY).await.unwrap_err()
}

#[tokio::test]
async fn invalid_answers_of_github_are_refused() {
    for body in ["", "[", "{}", "null", "[{}]", "[1]", r#"[{"number":0,"updated_at":"2026-01-01T00:00:00Z"}]"#] {
        let error = says("", body.as_bytes()).await;
        assert!(matches!(error, GithubError::Invalid(_)), "{body}: {error}");
    }
    let error = says("", &vec![b' '; (32 << 20) + 1]).await;
    assert!(matches!(&error, GithubError::Invalid(words) if words.contains("more than")), "{error}");
    let error = says("link: <https://evil.example/x>; rel=\"next\"\r\n", b"[]").await;
    assert!(matches!(&error, GithubError::Invalid(words) if words.contains("another server")), "{error}");
    let error = says("link: </?page=2>; rel=\"next\"\r\n", b"[]").await;
    assert!(matches!(&error, GithubError::Invalid(words) if words.contains("pages")), "{error}");
}

#[tokio::test]
async fn invalid_github_settings_are_named() {
    let wrong = |settings: Settings| Github::new(&settings).unwrap_err();
    assert!(wrong(settings("http://github.example/api/v3")).contains("GITHUB_API_URL"));
    assert!(wrong(settings("https://me:pass@github.example")).contains("GITHUB_API_URL"));
    let token =
        changed(settings("https://x.example"), |github| github.github_access_token = Some("a\nb".to_owned().into()));
    let words = wrong(token);
    assert!(words.contains("GITHUB_ACCESS_TOKEN") && !words.contains("a\nb"), "{words}");
    let both = changed(with_token("https://x.example"), |github| github.github_app_id = Some(1));
    assert!(wrong(both).contains("one of them"));
    let half = changed(settings("https://x.example"), |github| github.github_app_id = Some(1));
    assert!(wrong(half).contains("GITHUB_APP_PRIVATE_KEY_FILE"));
    let github = Github::new(&with_token("https://github.example/api/v3/")).unwrap();
    assert!(github.can_write() && !format!("{github:?}").contains(TOKEN), "{github:?}");
    let blank =
        changed(settings("https://x.example"), |github| github.github_access_token = Some(String::new().into()));
    assert!(!Github::new(&blank).unwrap().can_write());
}
