//! Signing in with GitHub, which does not speak OpenID Connect.

use super::browser::Browser;
use super::provider::Twist;
use super::{audited, start};

#[tokio::test]
async fn github_teams_give_the_role() {
    let (app, provider) = start().await;
    provider.is("583231", "octocat", &["acme/OPS", "other/root"]);
    let mut browser = Browser::new(&app);
    let me = browser.signed_in("github").await;
    assert_eq!((me["username"].as_str(), me["role"].as_str()), (Some("octocat"), Some("operator")));
    let subject = app.text("SELECT provider || ' ' || subject AS text FROM user_identities").await;
    assert_eq!(subject, "github 583231");
    // A team on the second page of the list counts, and a renamed login is the same user.
    let mut teams: Vec<String> = (0..100).map(|number| format!("other/team-{number}")).collect();
    teams.push("acme/root".into());
    provider.is("583231", "renamed", &[]);
    provider.known().teams = teams;
    let me = Browser::new(&app).signed_in("github").await;
    assert_eq!((me["username"].as_str(), me["role"].as_str()), (Some("octocat"), Some("admin")));
    // Another user has taken the old login.
    provider.is("2", "octocat", &["acme/ops"]);
    assert_eq!(Browser::new(&app).signed_in("github").await["username"], "octocat-2");
    provider.is("3", "eve", &["other/root"]);
    assert_eq!(Browser::new(&app).sign_in("github").await.header("location"), "/login?problem=no-role");
    assert_eq!(audited(&app, "action = 'login' AND outcome = 'done' AND detail ->> 'provider' = 'github'").await, 3);
    app.end().await;
}

#[tokio::test]
async fn a_github_code_works_once_and_its_token_is_not_stored() {
    let (app, provider) = start().await;
    provider.is("583231", "octocat", &["acme/ops"]);
    let mut ada = Browser::script(&app);
    let back = ada.leave("github", None).await;
    let cookie = ada.cookies["ocim_sign_in"].clone();
    assert_eq!(ada.get(&back).await.header("location"), "/");
    ada.cookies.insert("ocim_sign_in".into(), cookie);
    let problem = ada.get(&back).await.problem(403);
    assert_eq!(problem["detail"], "The provider did not let anybody sign in: bad_verification_code.");
    let token = provider.known().tokens[0].clone();
    let kept = format!("SELECT count(*) AS n FROM audit_log AS row WHERE row::text LIKE '%{token}%'");
    assert_eq!(app.number(&kept).await, 0);
    provider.twist(Twist::Down);
    Browser::script(&app).sign_in("github").await.problem(503);
    app.end().await;
}

#[tokio::test]
async fn another_team_with_the_name_of_a_former_one_gives_no_role() {
    let (app, provider) = start().await;
    provider.is("583231", "octocat", &["acme/ops"]);
    Browser::new(&app).signed_in("github").await;
    // The organization was deleted, and a stranger has registered its name.
    provider.known().generation = 2;
    provider.is("666", "mallory", &["Acme/Ops"]);
    let problem = Browser::script(&app).sign_in("github").await.problem(403);
    let words = "The group Acme/Ops gives no role here: its name belonged to another group before.";
    assert!(problem["detail"].as_str().unwrap().starts_with(words), "{problem}");
    assert_eq!(audited(&app, "action = 'login' AND outcome = 'refused' AND actor = 'github'").await, 1);
    app.execute("DELETE FROM sign_in_groups WHERE name = 'acme/ops'").await;
    assert_eq!(Browser::new(&app).signed_in("github").await["role"], "operator");
    app.end().await;
}
