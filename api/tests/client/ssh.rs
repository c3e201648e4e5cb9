//! The refusals of `ocim ssh`, without a machine. On a real machine: `system::machines::people`.

use shared_types::Role;

use super::Shell;
use crate::app::TestApp;

#[tokio::test]
async fn who_cannot_be_logged_in_is_told_why() {
    let app = TestApp::idle().await;
    let operator = Shell::of(&app, Role::Operator).await;
    assert!(operator.run(&["ssh", "7"]).await.refused(4).contains("app server 7"));
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await.to_string();
    let words = operator.run(&["ssh", &id]).await;
    assert!(words.refused(5).contains("is not there yet"), "{words:?}");
    let second = app.running(instance).await.to_string();
    let words = operator.run(&["ssh", &second]).await;
    assert!(words.refused(5).contains("You have no SSH key at"), "{words:?}");
    let words = Shell::of(&app, Role::Viewer).await.run(&["ssh", &second]).await;
    assert!(words.refused(3).contains("Machines let in the role operator; yours is viewer."), "{words:?}");
    app.execute("UPDATE servers SET status = 'terminated' WHERE id = 2").await;
    let words = operator.run(&["ssh", &second]).await;
    assert!(words.refused(5).contains("has no machine any more"), "{words:?}");
    app.end().await;
}
