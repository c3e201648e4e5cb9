//! The SSH keys of machines: one each, sealed, replaced at a take-over, and deleted with the machine.

use std::path::Path;
use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use ocim::ansible::port::RunSpec;
use ocim::instances::builds::{Builder, terminate};
use ocim::machines::advance::Machines;
use ocim::machines::key::KeyPair;
use ocim::machines::store;
use ocim::platform::origin::Actor;
use ocim::platform::vault::{self, Keyring};
use ocim::worker::housekeeping;
use secrecy::ExposeSecret;
use shared_types::{AppServerId, ServerId};
use tokio_util::sync::CancellationToken;

use crate::app::{TestApp, crash::End, until};

const SECRETS: &str = "SELECT count(*) AS n FROM secrets";

/// The public key that belongs to the private one Ansible was given.
fn public(spec: &RunSpec) -> String {
    let key = ssh_key::PrivateKey::from_openssh(spec.target.private_key.expose_secret()).unwrap();
    key.public_key().to_openssh().unwrap()
}

/// The public key that the machine lets in.
fn let_in(app: &TestApp, server: i64) -> String {
    app.provider.authorized_key(ServerId(server)).unwrap()
}

/// Terminates an app server, and waits until its machine is gone. The worker may be faster than an answer over HTTP.
async fn terminated(app: &TestApp, id: i64) {
    let (mut conn, actor) = (app.conn().await, Actor::User("test".to_owned()));
    terminate::terminate(&mut conn, &actor, AppServerId(id), terminate::Request::default()).await.unwrap();
    drop(conn);
    until("it is gone", async || app.read_app_server(id).await["server"]["status"] == "terminated").await;
}

#[tokio::test]
async fn each_machine_has_a_key_of_its_own_that_is_sealed_and_ends_with_it() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let before = app.number(SECRETS).await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    assert_eq!(app.number(SECRETS).await, before + 2);
    let specs = app.ansible.specs();
    assert_ne!(let_in(&app, 1), let_in(&app, 2));
    assert_eq!([public(&specs[0]), public(&specs[1])], [let_in(&app, 1), let_in(&app, 2)]);

    // The last line but one holds the seed; the first ones are equal in all keys.
    let pem = specs[0].target.private_key.expose_secret();
    let private = pem.lines().rev().nth(2).unwrap();
    let mut seen = vec![
        app.text("SELECT string_agg(s::text, ' ') AS text FROM servers AS s").await,
        app.text("SELECT string_agg(encode(sealed, 'escape'), ' ') AS text FROM secrets").await,
        app.text("SELECT string_agg(l::text, ' ') AS text FROM log_entries AS l").await,
        app.text("SELECT string_agg(a::text, ' ') AS text FROM audit_log AS a").await,
    ];
    assert!(seen[0].contains(&let_in(&app, 1)), "the public key is no secret");
    let admin = app.person(shared_types::Role::Admin).await;
    for path in [format!("/api/v1/app-servers/{first}"), "/api/v1/servers/1".to_owned(), "/api/v1/servers".to_owned()] {
        seen.push(admin.get(&path).await.expect(200).to_string());
    }
    assert!(seen.iter().all(|text| !text.contains(private) && !text.contains("PRIVATE KEY")), "{seen:#?}");

    terminated(&app, first).await;
    assert_eq!(app.number(SECRETS).await, before + 1);
    terminated(&app, second).await;
    assert_eq!(app.number(SECRETS).await, before);
    assert_eq!(app.number("SELECT count(*) AS n FROM servers WHERE ssh_key IS NOT NULL").await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_rotation_of_keys_covers_those_of_machines() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    let new = format!("new:{}", "11".repeat(32));
    let old = format!("test:{}", "00".repeat(32));
    let count = app.number(SECRETS).await;
    let rotated = vault::rotate(&app.db, &Keyring::of([new.as_str(), old.as_str()]).unwrap()).await.unwrap();
    assert_eq!((rotated.count, rotated.spare), (usize::try_from(count).unwrap(), vec!["test".to_owned()]));
    let row = store::find(&mut *app.conn().await, ServerId(1)).await.unwrap().unwrap();
    let only_new = Keyring::of([new.as_str()]).unwrap();
    let machines = Machines { keyring: &only_new, ..app.manager.machines() };
    let keys = machines.login(&row).await.unwrap().keys;
    assert_eq!(keys.iter().map(KeyPair::public).collect::<Vec<_>>(), [let_in(&app, 1)]);
    app.end().await;
}

#[tokio::test]
async fn a_take_over_leaves_the_earlier_worker_without_a_key() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let secrets = app.number(SECRETS).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let stop = CancellationToken::new();
    let first = Builder::new(Arc::clone(&app.manager), 1, stop.clone());
    let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    let earlier = let_in(&app, 1);
    stop.cancel();
    work.await.unwrap().unwrap();
    assert_eq!(let_in(&app, 1), earlier, "it has not been taken over yet");
    app.builder().advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "running");
    let specs = app.ansible.specs();
    assert_ne!(let_in(&app, 1), earlier);
    assert_eq!([public(&specs[0]), public(&specs[1])], [earlier, let_in(&app, 1)]);
    assert_eq!(app.number(SECRETS).await, secrets, "the earlier key is deleted");
    assert!(app.log_says(id, "VM edxapp-demo-1 has a new SSH key, and all sessions of the old one were ended").await);
    app.end().await;
}

#[tokio::test]
async fn a_take_over_survives_a_crash_at_every_point_of_the_replacement() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let End::Done(points) = app.advance_elsewhere(id, 0).await else { panic!("it died") };
    let runs = points.iter().position(|point| point == "after run").unwrap() + 1;
    let mut died = Vec::new();
    for point in 1.. {
        let id = app.launched(instance).await;
        app.advance_elsewhere(id, runs).await;
        app.outlive_leases().await;
        let End::Died(at) = app.advance_elsewhere(id, point).await else { break };
        app.outlive_leases().await;
        app.builder().advance(AppServerId(id)).await.unwrap();
        assert_eq!(app.read_app_server(id).await["status"], "running", "killed {at}");
        let server = app.number(&format!("SELECT server_id AS n FROM app_servers WHERE id = {id}")).await;
        let row = store::find(&mut *app.conn().await, ServerId(server)).await.unwrap().unwrap();
        let keys = app.manager.machines().login(&row).await.unwrap().keys;
        assert_eq!(keys.iter().map(KeyPair::public).collect::<Vec<_>>(), [let_in(&app, server)], "killed {at}");
        assert_eq!(public(app.ansible.specs().last().unwrap()), let_in(&app, server), "killed {at}");
        died.push(at);
    }
    for at in ["before replace key", "after replace key"] {
        assert!(died.iter().any(|point| point == at), "no crash {at}: {died:?}");
    }
    let machines = app.number("SELECT count(*) AS n FROM servers").await;
    assert_eq!(app.number(SECRETS).await, machines, "no key is left over");
    app.end().await;
}

/// Writes a shared key as an earlier version did.
fn write_shared(path: &Path) -> KeyPair {
    let shared = KeyPair::generate().unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, shared.private().expose_secret()).unwrap();
    std::fs::write(path.with_extension("pub"), format!("{}\n", shared.public())).unwrap();
    shared
}

#[tokio::test]
async fn a_machine_of_an_earlier_version_keeps_the_shared_key_until_it_ends() {
    let app = TestApp::start().await;
    let path = app.manager.options.shared_key.clone();
    housekeeping::sweep(&app.manager).await.unwrap();
    assert!(!path.exists(), "a new installation makes none");
    let shared = write_shared(&path);
    let instance = app.instance("demo").await;
    app.execute("INSERT INTO queue_pause (paused_by) VALUES ('test')").await;
    let id = app.launched(instance).await;
    app.execute("UPDATE servers SET ssh_key = NULL").await;
    app.execute("DELETE FROM secrets").await;
    app.execute("DELETE FROM queue_pause").await;
    assert_eq!(app.until_built(id).await["status"], "running");
    assert_eq!(let_in(&app, 1), shared.public());
    assert_eq!(public(&app.ansible.specs()[0]), shared.public());
    let later = app.running(instance).await;
    assert_ne!(let_in(&app, 2), shared.public());
    for (id, is_kept) in [(later, true), (id, false)] {
        housekeeping::sweep(&app.manager).await.unwrap();
        assert!(path.exists(), "a machine needs it");
        terminated(&app, id).await;
        housekeeping::sweep(&app.manager).await.unwrap();
        assert_eq!((path.exists(), path.with_extension("pub").exists()), (is_kept, is_kept));
    }
    app.end().await;
}

#[tokio::test]
async fn a_take_over_gives_a_machine_of_an_earlier_version_its_own_key() {
    let app = TestApp::idle().await;
    let shared = write_shared(&app.manager.options.shared_key);
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.execute("UPDATE servers SET ssh_key = NULL").await;
    app.execute("DELETE FROM secrets").await;
    app.ansible.next_run(FakeEnd::Blocks);
    let stop = CancellationToken::new();
    let first = Builder::new(Arc::clone(&app.manager), 1, stop.clone());
    let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    stop.cancel();
    work.await.unwrap().unwrap();
    assert_eq!(let_in(&app, 1), shared.public());
    app.builder().advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "running");
    assert_ne!(let_in(&app, 1), shared.public());
    assert_eq!(app.number(SECRETS).await, 1);
    app.end().await;
}
