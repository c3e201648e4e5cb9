use serde_json::json;
use shared_types::Role;

use super::Shell;
use crate::app::TestApp;

#[tokio::test]
async fn an_app_server_is_activated_rolled_back_and_terminated() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    assert_eq!((first, second), (1, 2));
    let shell = Shell::of(&app, Role::Operator).await;
    let run = async |arguments: &[&str]| shell.run(&[&["app-server"], arguments].concat()).await;
    assert_eq!(run(&["activate", "1", "--expected-active", "none"]).await.expect(0), "App server 1 is active.\n");
    let refused = run(&["activate", "2", "--expected-active", "none"]).await;
    assert!(refused.refused(5).starts_with("ocim: Not possible in this state: "), "{refused:?}");
    let answer = run(&["activate", "2", "--expected-active", "1", "-o", "json"]).await.json();
    assert_eq!((&answer["is_applied"], &answer["app_server"]["id"]), (&json!(true), &json!(2)));
    app.until_serving(1, "fallback").await;
    assert_eq!(run(&["rollback", "1", "--reason", "grades"]).await.expect(0), "App server 1 is active.\n");
    assert_eq!(app.read_instance(1).await["hold"]["reason"], "grades");
    app.until_serving(2, "fallback").await;
    run(&["rollback", "demo.localhost", "--to", "2"]).await.expect(0);
    app.until_serving(1, "fallback").await;
    // Unhealthy: refused, unless it is forced with a reason.
    app.sites[0].set_healthy(false);
    run(&["activate", "1"]).await.refused(5);
    run(&["activate", "1", "--force"]).await.refused(2);
    run(&["activate", "1", "--force", "--reason", "checked by hand"]).await.expect(0);
    app.until_serving(2, "fallback").await;
    run(&["terminate", "1"]).await.refused(5);
    assert_eq!(run(&["terminate", "2"]).await.expect(0), "The machine of app server 2 is gone.\n");
    let listed = run(&["list", "--instance", "demo.localhost", "--status", "terminated", "-o", "json"]).await.json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &json!(2)));
    app.end().await;
}

#[tokio::test]
async fn diff_prints_a_table_or_the_json_of_the_api() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    let shell = Shell::of(&app, Role::Operator).await;
    assert_eq!(shell.run(&["app-server", "diff", "1"]).await.expect(0), "Nothing differs.\n");
    shell.run(&["instance", "set", "1", "email=new@example.com"]).await.expect(0);
    app.running(instance).await;
    let table = shell.run(&["app-server", "diff", "1", "--against", "2"]).await;
    let row = ["setting", "email", "contact@example.com", "new@example.com"];
    assert!(table.expect(0).lines().any(|line| line.split_whitespace().eq(row)), "{table:?}");
    let diff = shell.run(&["app-server", "diff", "1", "-o", "json"]).await.json();
    assert_eq!(diff["settings"][0]["after"], "new@example.com");
    shell.run(&["app-server", "diff", "1", "--against", "99"]).await.refused(4);
    app.end().await;
}

#[tokio::test]
async fn an_app_server_is_shown_pinned_and_activated_when_running() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    app.launched(instance).await;
    let shell = Shell::of(&app, Role::Operator).await;
    let run = async |arguments: &[&str]| shell.run(&[&["app-server"], arguments].concat()).await;
    run(&["pin", "1", "--reason", "to look at"]).await.expect(0);
    let shown = run(&["show", "1"]).await;
    assert!(shown.expect(0).contains("running: App server is up and running"), "{shown:?}");
    assert!(shown.stdout.lines().any(|line| line.split_whitespace().eq(["pinned", "yes"])), "{shown:?}");
    run(&["unpin", "1"]).await.expect(0);
    assert_eq!(run(&["show", "1", "-o", "json"]).await.json()["is_pinned"], false);
    let asked = run(&["activate", "2", "--when-running"]).await;
    assert_eq!(asked.expect(0), "App server 2 is activated when its build has ended well.\n");
    assert!(run(&["show", "2"]).await.expect(0).contains("queued: no worker runs, 0 ahead"));
    let table = run(&["list"]).await;
    assert_eq!(table.expect(0).lines().count(), 3, "{table:?}");
    app.end().await;
}
