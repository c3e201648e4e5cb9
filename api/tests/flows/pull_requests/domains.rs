//! Each pull request has a domain of its own.

use super::{FORK, Story};
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::until;

async fn domains(story: &Story) -> String {
    story.app.text("SELECT string_agg(domain, ' ' ORDER BY domain) AS text FROM instances").await
}

#[tokio::test]
async fn pull_requests_of_several_repositories_have_domains_of_their_own() {
    let github = FakeGithub::start().await;
    let others = ["acme/other", "acme/a-b", "acme-a/b", "acme/a.b"];
    for name in others {
        github.repository(name);
    }
    let story = Story::beside(github, move |settings| {
        settings.watch.watch_fork.extend(others.map(|name| format!("{name}=rebuild")));
    })
    .await;
    story.open();
    for name in others {
        assert_eq!(story.github.open_pull(name, PullSpec::default()), 1, "the same number");
    }
    story.sweep_whole().await;
    until("all have instances", async || story.app.number("SELECT count(*) AS n FROM instances").await == 5).await;
    let domains = domains(&story).await;
    for domain in ["pr1.sandbox.localhost", "pr1.acme-other.sandbox.localhost"] {
        assert!(domains.split(' ').any(|one| one == domain), "{domains}");
    }
    assert_eq!(domains.matches("pr1.acme-a-b-").count(), 3, "{domains}");
    story.end().await;
}

/// As if WATCH_FORK named another repository first, whose pull request has the short domain.
#[tokio::test]
async fn the_short_domain_stays_with_the_pull_request_that_has_it() {
    let story = Story::start().await;
    let first = story.app.instance("pr1.sandbox").await;
    story
        .app
        .execute("INSERT INTO watched_repositories (configured, name) VALUES ('acme/before', 'acme/before')")
        .await;
    let pull = format!(
        "INSERT INTO pull_requests (repository_id, number, state, title, author, is_draft, is_trusted, branch_name, head_commit, \
            extra_settings, wanted, github_updated, instance_id) \
         SELECT id, 1, 'open', 't', 'ada', false, true, 'b', repeat('0', 40), '', '{{}}', now(), {first} \
         FROM watched_repositories WHERE configured = 'acme/before'"
    );
    story.app.execute(&pull).await;
    assert_eq!(story.github.open_pull(FORK, PullSpec::default()), 1);
    story.sweep().await;
    until("both have instances", async || story.app.number("SELECT count(*) AS n FROM instances").await == 2).await;
    let domains = domains(&story).await;
    assert!(domains.contains("pr1.sandbox.localhost") && domains.contains("pr1.acme-edx-platform-"), "{domains}");
    story.end().await;
}
