use serde_json::json;
use shared_types::Role;

use super::Shell;
use crate::app::TestApp;
use crate::flows::resources::{stored, with_mysql};

#[tokio::test]
async fn resources_are_listed_and_an_administrator_sees_the_password() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await.to_string();
    app.built(id.parse().unwrap()).await;
    let (user, password) = server.accounts().pop_first().unwrap();
    let operator = Shell::of(&app, Role::Operator).await;
    let listed = operator.run(&["instance", "resources", "list", &id]).await;
    let lines = listed.expect(0);
    assert!(lines.contains(&user) && lines.contains("present") && !lines.contains(&password), "{lines}");
    assert_eq!(lines.lines().count(), 4, "{lines}");
    operator.run(&["instance", "resources", "credentials", &id, "mysql"]).await.refused(3);
    let administrator = Shell::of(&app, Role::Admin).await;
    let shown = administrator.run(&["instance", "resources", "credentials", &id, "mysql"]).await;
    assert!(shown.expect(0).contains(&password) && shown.stdout.contains("database pages"), "{shown:?}");
    administrator.run(&["instance", "resources", "replace-password", &id, "mysql"]).await.refused(5);
    administrator.run(&["instance", "resources", "replace-password", &id, "mysql", "--cuts-off"]).await.expect(0);
    assert_ne!(server.accounts()[&user], password);
    app.end().await;
}

#[tokio::test]
async fn what_is_missing_is_said_and_can_be_entered() {
    let app = TestApp::idle().await;
    let id = stored(&app, "one").await.to_string();
    let shell = Shell::of(&app, Role::Operator).await;
    let listed = shell.run(&["instance", "resources", "list", &id]).await;
    assert!(listed.expect(0).contains("The next launch would be refused."), "{listed:?}");
    let choose = ["instance", "resources", "choose", &id, "mysql"];
    shell.run(&choose).await.refused(2);
    shell.run(&[&choose[..], &["--server", "nowhere"]].concat()).await.refused(5);
    let given = ["--host", "db.example", "--username", "u", "--database", "pages=a", "--database", "readers=b"];
    shell.run_with_input(&[&choose[..], &given].concat(), "hidden-1\n").await.expect(0);
    let listed = shell.run(&["instance", "resources", "list", &id, "-o", "json"]).await.json();
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| &one["remote_name"]).collect();
    assert_eq!(json!(names), json!(["u", "a", "b"]));
    assert!(!listed.to_string().contains("hidden-1"));
    app.end().await;
}
