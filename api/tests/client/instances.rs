use serde_json::json;
use shared_types::Role;

use super::Shell;
use crate::app::TestApp;

#[tokio::test]
async fn an_instance_is_created_shown_and_changed() {
    let app = TestApp::idle().await;
    let shell = Shell::of(&app, Role::Operator).await;
    std::fs::write(shell.home().join("extra.yml"), "EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n").unwrap();
    let create =
        ["instance", "create", "--name", "Moon", "--sub-domain", "moon", "--set", "max_builds=2", "--set-file"];
    let extra = "configuration_extra_settings=extra.yml";
    let made = shell.run(&[&create[..], &[extra, "-o", "json"]].concat()).await.json();
    assert_eq!((&made["id"], &made["max_builds"], &made["domain"]), (&json!(1), &json!(2), &json!("moon.localhost")));
    assert_eq!(made["configuration_extra_settings"], "EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n");
    for name in ["1", "Moon", "moon.localhost"] {
        let shown = shell.run(&["instance", "show", name]).await;
        assert!(shown.expect(0).contains("\nsites"), "{shown:?}");
        assert!(shown.stdout.contains("EDXAPP_FEATURES:\n   "), "{shown:?}");
        assert_eq!(shell.run(&["instance", "show", name, "-o", "json"]).await.json()["id"], 1);
    }
    shell.run(&["instance", "set", "moon.localhost", "email=new@example.com", "retention_hours=12"]).await.expect(0);
    let changed = app.read_instance(1).await;
    assert_eq!((&changed["email"], &changed["retention_hours"]), (&json!("new@example.com"), &json!(12)));
    let surprising = [
        "instance",
        "set",
        "1",
        "configuration_extra_settings=A: 1\nMY-VAR: 2\nEDXAPP_FEATURES: {ENABLE_NOTES: true}\n",
    ];
    let words = "\nWarning: configuration_extra_settings, line 2: Ansible ignores the variable `MY-VAR`";
    let set = shell.run(&surprising).await;
    assert!(set.expect(0).contains(words), "{set:?}");
    shell.run(&["instance", "set", "1", "retention_hours=", "use_ephemeral_databases=true"]).await.expect(0);
    assert_eq!(app.read_instance(1).await["retention_hours"], json!(null));
    let render = shell.run(&["instance", "render", "1"]).await;
    assert!(render.expect(0).contains("\n  ENABLE_NOTES: true\n"), "{render:?}");
    assert_eq!(
        shell.run(&["instance", "render", "1", "-o", "json"]).await.json()["origins"]["/EDXAPP_FEATURES_EXTRA/ENABLE_NOTES"],
        "extra settings"
    );
    app.end().await;
}

#[tokio::test]
async fn conflicting_and_invalid_settings_change_nothing() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let shell = Shell::of(&app, Role::Operator).await;
    let read = shell.run(&["instance", "show", "1", "-o", "json"]).await.json();
    let etag = read["etag"].as_str().unwrap();
    shell.run(&["instance", "set", "1", "email=first@example.com", "--if-match", etag]).await.expect(0);
    let late = shell.run(&["instance", "set", "1", "email=second@example.com", "--if-match", etag]).await;
    let words = late.refused(5);
    assert!(words.contains("nothing was changed") && words.contains("ocim: Changed meanwhile: "), "{words}");
    let wrong = shell.run(&["instance", "set", "1", "email=ada", "max_builds=many", "colour=red"]).await;
    let words = wrong.refused(5);
    assert!(words.starts_with("ocim: Some fields are not valid: ") && words.contains("\n  colour: "), "{words}");
    let wrong = shell.run(&["instance", "set", "1", "email=ada", "-o", "json"]).await;
    let problem: serde_json::Value = serde_json::from_str(wrong.refused(5)).unwrap();
    assert_eq!((&problem["status"], &problem["errors"][0]["pointer"]), (&json!(422), &json!("/email")));
    assert_eq!(app.read_instance(1).await["email"], "first@example.com");
    shell.run(&["instance", "set", "1"]).await.refused(2);
    shell.run(&["instance", "set", "1", "email"]).await.refused(2);
    shell.run(&["instance", "set", "1", "email=a@b.c", "email=d@e.f"]).await.refused(2);
    let missing = shell.run(&["instance", "set", "1", "--set-file", "email=nowhere.txt"]).await;
    assert!(missing.refused(1).contains("nowhere.txt"));
    app.end().await;
}

#[tokio::test]
async fn lists_go_over_all_pages_up_to_the_limit() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for number in 0..7 {
        let body = json!({ "name": format!("Name {number}"), "sub_domain": format!("demo{number}") });
        operator.post("/api/v1/instances", body).await.expect(201);
    }
    app.execute(
        "INSERT INTO instances (name, instance_type, domain, settings) SELECT 'Many ' || n, instance_type, \
         'many' || n || '.localhost', settings FROM instances, generate_series(1, 520) AS n WHERE id = 1",
    )
    .await;
    let shell = Shell::of(&app, Role::Viewer).await;
    let count = async |more: &[&str]| {
        let all = [&["instance", "list", "-o", "json"], more].concat();
        shell.run(&all).await.json().as_array().unwrap().len()
    };
    assert_eq!((count(&[]).await, count(&["--limit", "3"]).await), (527, 3));
    assert_eq!((count(&["--q", "name"]).await, count(&["--archived"]).await), (7, 0));
    assert_eq!(count(&["--limit", "510"]).await, 510);
    let table = shell.run(&["instance", "list", "--q", "name"]).await;
    let lines: Vec<_> = table.expect(0).lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["ID", "NAME", "DOMAIN", "HEALTH", "ACTIVE", "NEWEST", "STATUS", "HOLD"]
    );
    assert_eq!((lines.len(), table.stdout.contains('\u{1b}')), (8, false));
    app.end().await;
}

#[tokio::test]
async fn an_instance_is_held_archived_and_restored() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    let shell = Shell::of(&app, Role::Operator).await;
    shell.run(&["instance", "hold", "1", "--reason", "exams"]).await.expect(0);
    assert_eq!(app.read_instance(1).await["hold"]["reason"], "exams");
    shell.run(&["instance", "unhold", "1"]).await.expect(0);
    assert_eq!(app.read_instance(1).await["hold"], json!(null));
    assert!(
        shell.run(&["instance", "archive", "1"]).await.refused(5).starts_with("ocim: Not possible in this state: ")
    );
    shell.run(&["instance", "archive", "1", "--terminate"]).await.expect(0);
    assert_eq!(shell.run(&["instance", "list", "--archived", "-o", "json"]).await.json()[0]["id"], 1);
    // By its name, although it is archived.
    shell.run(&["instance", "restore", "Instance demo"]).await.expect(0);
    assert_eq!(app.read_instance(1).await["archived_at"], json!(null));
    app.end().await;
}
