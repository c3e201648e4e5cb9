//! So many builds at once and no more.

use crate::app::{GatedAnsible, Setup, TestApp, until};

#[tokio::test]
async fn of_five_launches_two_are_built_at_once_and_all_end() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { slots: 2, ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        let instance = app.instance(name).await;
        ids.push(app.launched(instance).await);
    }
    until("two playbooks run", async || ansible.running() == 2).await;
    let mut ahead: Vec<i64> = Vec::new();
    for id in &ids {
        ahead.extend(app.read_app_server(*id).await["progress"]["queued"]["ahead"].as_i64());
    }
    assert_eq!(ahead, [0, 1, 2]);
    ansible.let_go(5);
    for id in ids {
        assert_eq!(app.until_built(id).await["status"], "running");
    }
    assert_eq!(ansible.most(), 2);
    assert_eq!(app.provider.machines().len(), 5);
    app.end().await;
}
