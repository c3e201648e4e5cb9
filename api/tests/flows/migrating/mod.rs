//! Builds that migrate databases: behind the maintenance page, after a snapshot, which is restored if the build fails.

mod crashing;
mod refusing;
mod rolling_back;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ocim::ansible::fake::FakeEnd;
use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::migration::{begin_restores, begin_snapshots};
use ocim::instances::builds::terminate;
use ocim::instances::migration::PAGE;
use ocim::instances::traffic::{apply_routing, migration_page};
use serde_json::{Value, json};
use shared_types::{AppServerId, Role};

use super::backups::{NEW, OLD, World};
use crate::app::until;

const INSTANCES: &str = "/api/v1/instances";

/// A world with an active app server whose databases hold something, and the settings of the next edition; gives the names of the
/// databases.
async fn upgraded() -> (World, [String; 2]) {
    let world = World::new().await;
    let first = world.instance().await["newest_appserver"]["id"].as_i64().unwrap();
    world.activate(first).await;
    let names = world.names().await;
    names.iter().for_each(|name| world.backups.set_database(name, OLD));
    world.edit("stored 2").await;
    (world, names)
}

impl World {
    async fn instance(&self) -> Value {
        self.app.read_instance(self.instance).await
    }

    /// Changes the edition of the instance.
    async fn edit(&self, edition: &str) {
        let path = format!("{INSTANCES}/{}", self.instance);
        let etag = self.instance().await["etag"].as_str().unwrap().to_owned();
        let request = self.app.operator().await.request(reqwest::Method::PATCH, &path).header("if-match", etag);
        crate::app::Answer::to(request.json(&json!({ "edition": edition }))).await.expect(200);
    }

    /// Launches an app server by the API; gives its id.
    async fn launches(&self, body: Value) -> i64 {
        let path = format!("{INSTANCES}/{}/app-servers", self.instance);
        self.app.operator().await.post(&path, body).await.expect(202)["id"].as_i64().unwrap()
    }

    async fn activate(&self, id: i64) {
        self.app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
        apply_routing::apply_behind(&self.app.manager).await.unwrap();
    }

    /// What workers do every few seconds, once.
    async fn sweeps(&self) {
        let manager = &self.app.manager;
        begin_snapshots(manager).await.unwrap();
        migration_page::sweep(manager).await.unwrap();
        begin_restores(manager).await.unwrap();
        self.work().await;
    }

    /// Does some work while workers sweep.
    async fn sweeping<T>(&self, work: impl Future<Output = T>) -> T {
        let is_done = AtomicBool::new(false);
        let sweeping = async {
            while !is_done.load(Ordering::SeqCst) {
                self.sweeps().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let working = async {
            let done = work.await;
            is_done.store(true, Ordering::SeqCst);
            done
        };
        tokio::join!(working, sweeping).0
    }

    /// Takes a build to its end while workers sweep.
    async fn build(&self, id: i64) -> Value {
        let builder = self.app.builder();
        self.sweeping(async move { builder.advance(AppServerId(id)).await.unwrap() }).await;
        self.app.read_app_server(id).await
    }

    /// Begins a build whose playbook goes on until it is stopped, and waits for it.
    async fn blocked(&self, id: i64) -> tokio::task::JoinHandle<()> {
        self.app.ansible.next_run(FakeEnd::Blocks);
        let (builder, runs) = (self.app.builder(), self.app.ansible.calls().run);
        let building = tokio::spawn(async move { builder.advance(AppServerId(id)).await.unwrap() });
        self.sweeping(until("the playbook runs", async || self.app.ansible.calls().run > runs)).await;
        building
    }

    /// Deletes the machine of a failed build, and restores its snapshot.
    async fn restores(&self, id: i64) {
        assert!(terminate::remove(&self.app.manager, AppServerId(id)).await.unwrap());
        self.sweeps().await;
    }

    /// The newest migration of the instance.
    async fn migration(&self) -> Value {
        self.instance().await["migrations"][0].clone()
    }

    fn playbooks(&self) -> u32 {
        self.app.ansible.calls().run
    }
}

#[tokio::test]
async fn a_failed_migration_is_restored_while_no_visitor_could_write() {
    let (world, names) = upgraded().await;
    let next = world.instance().await["next_migration"].clone();
    assert_eq!((&next["from"], &next["to"]), (&json!("stored"), &json!("stored 2")));
    assert_eq!(next["contents"], json!(["MySQL database pages", "MySQL database readers"]));
    assert_eq!(next["why_no_snapshot"], Value::Null);
    let id = world.launches(json!({})).await;
    assert_eq!(world.migration().await["state"], "planned");
    assert_eq!(world.notice(), None, "visitors go on while the machine is made");
    world.backups.hold(FakeOperation::Dump);
    let runs = world.playbooks();
    world.app.ansible.next_run_fails("migrate", "no such column");
    let meanwhile = async {
        until("the snapshot is written", async || world.backups.count(FakeOperation::Dump) > 0).await;
        assert_eq!(world.notice().as_deref(), Some(PAGE), "the page is up before the snapshot");
        assert_eq!(world.playbooks(), runs, "no playbook runs before the snapshot is complete");
        assert_eq!(world.migration().await["state"], "snapshot");
        world.backups.release(FakeOperation::Dump);
    };
    let (failed, ()) = tokio::join!(world.build(id), meanwhile);
    assert_eq!(failed["status"], "failed", "{failed:#}");
    let kinds: Vec<_> = failed["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["pin", "checkout", "resources", "server", "snapshot", "playbooks", "reboot", "checks"]);
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.sweeps().await;
    let restoring = world.migration().await;
    assert_eq!((&restoring["state"], &restoring["is_page_up"]), (&json!("restoring"), &json!(true)));
    assert!(world.hold(&names, NEW), "the machine may still write, so nothing is restored yet");
    assert_eq!(world.notice().as_deref(), Some(PAGE));
    world
        .app
        .operator()
        .await
        .post(&format!("{INSTANCES}/{}/app-servers", world.instance), json!({}))
        .await
        .problem(409);
    world.restores(id).await;
    assert!(world.hold(&names, OLD));
    let restored = world.migration().await;
    assert_eq!((&restored["state"], &restored["is_page_up"]), (&json!("restored"), &json!(false)));
    let instance = world.instance().await;
    assert_eq!((world.notice(), &instance["maintenance"]), (None, &Value::Null), "the old app server serves again");
    assert_ne!(instance["active_appserver"]["id"], id);
    assert_eq!(instance["next_migration"]["from"], "stored", "the failed build has not migrated anything");
    world.app.end().await;
}

#[tokio::test]
async fn the_page_of_a_success_stays_until_the_new_app_server_is_active() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({})).await;
    assert_eq!(world.build(id).await["status"], "running");
    world.sweeps().await;
    let done = world.migration().await;
    assert_eq!((&done["state"], &done["is_page_up"]), (&json!("done"), &json!(true)));
    assert_eq!(world.notice().as_deref(), Some(PAGE), "the old app server does not fit the databases");
    assert_eq!(world.instance().await["next_migration"], Value::Null);
    let first = world.instance().await["active_appserver"]["id"].as_i64().unwrap();
    world.activate(id).await;
    assert_eq!(world.notice(), None);
    world.sweeps().await;
    assert!(world.hold(&names, OLD), "a success restores nothing");
    // A rollback does not undo the migration; what it would need is in the view.
    let path = format!("{INSTANCES}/{}/rollback", world.instance);
    world.app.operator().await.post(&path, json!({})).await.expect(202);
    let after = world.instance().await;
    assert_eq!(after["active_appserver"]["id"], first);
    assert_eq!(after["migrations"][0]["state"], "done");
    let backup = after["migrations"][0]["backup_id"].as_i64().unwrap();
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.asks(backup, "restore").await;
    world.work().await;
    assert!(world.hold(&names, OLD));
    assert_eq!(world.migration().await["state"], "restored");
    assert_eq!(world.instance().await["next_migration"]["from"], "stored", "the newer one's migration is undone");
    world.app.end().await;
}

#[tokio::test]
async fn a_build_that_fails_before_its_playbooks_restores_nothing() {
    let (world, names) = upgraded().await;
    world.backups.next_fails(FakeOperation::Dump, BackupError::Permanent("no privilege".to_owned()));
    let runs = world.playbooks();
    let id = world.launches(json!({ "num_attempts": 2 })).await;
    let failed = world.build(id).await;
    assert_eq!((&failed["status"], world.playbooks()), (&json!("failed"), runs), "{failed:#}");
    assert!(failed["failure"].as_str().unwrap().contains("no privilege"), "{failed:#}");
    world.sweeps().await;
    assert_eq!(world.notice(), None);
    let state = format!("SELECT state AS text FROM migrating_builds WHERE app_server_id = {id}");
    assert_eq!(world.app.text(&state).await, "abandoned");
    assert_eq!(world.backups.count(FakeOperation::Load), 0);
    let second = world.instance().await["newest_appserver"]["id"].as_i64().unwrap();
    assert_eq!(world.migration().await["app_server_id"], second, "the second attempt migrates, too");
    assert_eq!(world.build(second).await["status"], "running");
    assert!(world.hold(&names, OLD));
    assert_eq!(world.migration().await["state"], "done");
    world.app.end().await;
}

#[tokio::test]
async fn the_next_attempt_begins_after_the_restore() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({ "num_attempts": 2, "activate_when_running": true })).await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    assert_eq!(world.build(id).await["status"], "failed");
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    assert_eq!(world.instance().await["newest_appserver"]["id"], id, "not before the databases are restored");
    world.restores(id).await;
    assert!(world.hold(&names, OLD));
    let second = world.instance().await["newest_appserver"].clone();
    assert_eq!((&second["attempt"], &second["retry_of"]), (&json!(2), &json!(id)));
    assert!(world.app.log_says(id, "Attempt 2 of 2").await);
    let second = second["id"].as_i64().unwrap();
    assert_eq!(world.build(second).await["status"], "running");
    assert_eq!(world.notice().as_deref(), Some(PAGE));
    ocim::instances::traffic::when_running::when_running(&world.app.manager, AppServerId(second)).await.unwrap();
    apply_routing::apply_behind(&world.app.manager).await.unwrap();
    assert_eq!(world.instance().await["active_appserver"]["id"], second);
    assert_eq!(world.notice(), None, "the activation has taken the page down");
    world.app.end().await;
}

#[tokio::test]
async fn without_the_page_a_person_decides() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({ "migrate_without_page": true, "num_attempts": 2 })).await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    assert_eq!(world.build(id).await["status"], "failed");
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.sweeps().await;
    assert_eq!(world.notice(), None);
    let needs = world.migration().await;
    assert_eq!((&needs["state"], &needs["has_page"]), (&json!("needs_person"), &json!(false)));
    assert!(needs["trouble"].as_str().unwrap().contains("no maintenance page"), "{needs:#}");
    assert!(needs["snapshot_at"].is_string());
    assert!(world.hold(&names, NEW), "nothing is restored without a request");
    assert!(world.app.provider.machines().len() == 2, "the machine of the failed build stays");
    assert_eq!(world.instance().await["newest_appserver"]["id"], id, "no other attempt");
    let backup = needs["backup_id"].as_i64().unwrap();
    let admin = world.app.person(Role::Admin).await;
    let path = format!("{}/{backup}", world.path());
    let problem = admin.delete(&path).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("may still have to be restored"), "{problem}");
    world.asks(backup, "restore").await;
    world.work().await;
    assert!(world.hold(&names, OLD));
    assert_eq!(world.migration().await["state"], "restored");
    let dismiss = format!("{INSTANCES}/{}/migrations/{id}/dismiss", world.instance);
    let operator = world.app.operator().await;
    for _ in 0..2 {
        assert_eq!(operator.post(&dismiss, json!({})).await.expect(200)["migrations"], json!([]));
    }
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'dismiss_migration'";
    assert_eq!(world.app.number(audited).await, 1);
    world.app.end().await;
}

#[tokio::test]
async fn the_page_of_a_person_stays() {
    let (world, names) = upgraded().await;
    let path = format!("{INSTANCES}/{}/maintenance", world.instance);
    world.app.operator().await.put(&path, json!({ "text": "Back at 5." })).await.expect(200);
    let id = world.launches(json!({})).await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    assert_eq!(world.build(id).await["status"], "failed");
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.restores(id).await;
    assert!(world.hold(&names, OLD), "visitors could not write behind that page, either");
    assert_eq!(world.migration().await["state"], "restored");
    world.sweeps().await;
    assert_eq!(world.notice().as_deref(), Some("Back at 5."));
    world.app.end().await;
}

#[tokio::test]
async fn a_page_that_a_person_takes_down_leaves_the_decision_to_people() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({})).await;
    let building = world.blocked(id).await;
    let operator = world.app.operator().await;
    operator.delete(&format!("{INSTANCES}/{}/maintenance", world.instance)).await.expect(200);
    operator.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
    world.sweeping(async { building.await.unwrap() }).await;
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.sweeps().await;
    let needs = world.migration().await;
    assert_eq!(needs["state"], "needs_person");
    assert!(needs["trouble"].as_str().unwrap().contains("was taken down"), "{needs:#}");
    assert!(world.hold(&names, NEW));
    world.app.end().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_is_restored() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({})).await;
    let building = world.blocked(id).await;
    assert_eq!(world.migration().await["state"], "migrating");
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.app.operator().await.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
    world.sweeping(async { building.await.unwrap() }).await;
    assert_eq!(world.app.read_app_server(id).await["status"], "stopped");
    world.sweeps().await;
    assert!(world.hold(&names, OLD));
    assert_eq!((&world.migration().await["state"], world.notice()), (&json!("restored"), None));
    world.app.end().await;
}

#[tokio::test]
async fn a_stop_before_the_snapshot_is_complete_restores_nothing() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({})).await;
    world.backups.hold(FakeOperation::Dump);
    let builder = world.app.builder();
    let building = tokio::spawn(async move { builder.advance(AppServerId(id)).await.unwrap() });
    let stopping = async {
        until("the snapshot is written", async || world.backups.count(FakeOperation::Dump) > 0).await;
        world.app.operator().await.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
        building.await.unwrap();
        world.backups.release(FakeOperation::Dump);
    };
    world.sweeping(stopping).await;
    world.sweeps().await;
    assert_eq!((world.notice(), world.instance().await["migrations"].clone()), (None, json!([])));
    assert!(world.hold(&names, OLD));
    assert_eq!(world.backups.count(FakeOperation::Load), 0);
    world.app.end().await;
}

#[tokio::test]
async fn a_gateway_that_is_away_delays_the_snapshot() {
    let (world, _) = upgraded().await;
    let id = world.launches(json!({})).await;
    world.app.traffic.set_away(true);
    let meanwhile = async {
        until("the page is decided", async || world.instance().await["maintenance"]["text"] == PAGE).await;
        // Several rounds of the sweeps.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(world.backups.count(FakeOperation::Dump), 0, "visitors could still write");
        world.app.traffic.set_away(false);
    };
    let (built, ()) = tokio::join!(world.build(id), meanwhile);
    assert_eq!(built["status"], "running", "{built:#}");
    world.app.end().await;
}

#[tokio::test]
async fn workers_do_all_of_it_by_themselves() {
    let world = World::working().await;
    let names = world.names().await;
    let first = world.instance().await["newest_appserver"]["id"].as_i64().unwrap();
    world.app.activate(first).await.expect(200);
    names.iter().for_each(|name| world.backups.set_database(name, OLD));
    world.edit("stored 2").await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    let id = world.launches(json!({ "num_attempts": 2, "activate_when_running": true })).await;
    assert_eq!(world.app.until_built(id).await["status"], "failed");
    until("the second attempt is launched", async || world.instance().await["newest_appserver"]["id"] != id).await;
    let second = world.instance().await["newest_appserver"]["id"].as_i64().unwrap();
    assert_eq!(world.app.until_built(second).await["status"], "running");
    until("it is active", async || world.instance().await["active_appserver"]["id"] == second).await;
    until("visitors get it", async || world.notice().is_none()).await;
    world.app.end().await;
}
