//! Workers that end in the middle of a migration, or do it at once.

use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::migration::begin_restores;
use ocim::instances::builds::{Builder, terminate};
use ocim::instances::migration::PAGE;
use serde_json::json;
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use super::upgraded;
use crate::app::crash::End;
use crate::app::until;
use crate::flows::backups::{NEW, OLD};
#[tokio::test]
async fn a_build_that_migrates_survives_a_crash_at_every_point() {
    let (world, names) = upgraded().await;
    let mut died = Vec::new();
    for point in 1.. {
        world.edit(&format!("stored {}", point + 2)).await;
        names.iter().for_each(|name| world.backups.set_database(name, OLD));
        let id = world.launches(json!({})).await;
        let ended = world.sweeping(world.app.advance_elsewhere(id, point)).await;
        world.app.outlive_leases().await;
        let built = world.build(id).await;
        assert_eq!(built["status"], "running", "{ended:?}: {built:#}");
        assert_eq!(world.notice().as_deref(), Some(PAGE), "{ended:?}");
        let migration = world.migration().await;
        assert_eq!((&migration["state"], &migration["app_server_id"]), (&json!("done"), &json!(id)), "{ended:?}");
        assert_eq!(world.places().await, point, "one snapshot for each build, killed {ended:?}");
        world.activate(id).await;
        let End::Died(at) = ended else { break };
        died.push(at);
    }
    for effect in ["after find", "before run", "after run", "before reboot"] {
        assert!(died.iter().any(|at| at == effect), "no crash {effect}: {died:?}");
    }
    world.app.end().await;
}

#[tokio::test]
async fn another_worker_waits_for_the_same_snapshot() {
    let (world, _) = upgraded().await;
    let id = world.launches(json!({})).await;
    world.backups.hold(FakeOperation::Dump);
    let stop = CancellationToken::new();
    let builder = Builder::new(world.app.manager.clone(), 1, stop.clone());
    let building = tokio::spawn(async move { builder.advance(AppServerId(id)).await.unwrap() });
    let interrupting = async {
        until("the snapshot is written", async || world.backups.count(FakeOperation::Dump) > 0).await;
        stop.cancel();
        building.await.unwrap();
        assert_eq!(world.migration().await["state"], "snapshot");
        world.backups.release(FakeOperation::Dump);
    };
    world.sweeping(interrupting).await;
    assert_eq!(world.build(id).await["status"], "running");
    assert_eq!((world.places().await, world.playbooks()), (1, 2));
    world.app.end().await;
}

#[tokio::test]
async fn a_failed_migration_survives_a_crash_at_every_point() {
    let (world, names) = upgraded().await;
    for point in 1.. {
        names.iter().for_each(|name| world.backups.set_database(name, OLD));
        let id = world.launches(json!({})).await;
        world.app.ansible.next_run_fails("migrate", "no such column");
        let ended = world.sweeping(world.app.advance_elsewhere(id, point)).await;
        world.app.outlive_leases().await;
        if world.app.read_app_server(id).await["status"] != "failed" {
            // The failure that the dead process has seen, and not stored, is seen again.
            if matches!(&ended, End::Died(at) if at == "after run") {
                world.app.ansible.next_run_fails("migrate", "no such column");
            }
            assert_eq!(world.build(id).await["status"], "failed", "{ended:?}");
        }
        names.iter().for_each(|name| world.backups.set_database(name, NEW));
        assert!(terminate::remove(&world.app.manager, AppServerId(id)).await.unwrap());
        let manager = world.app.manager.clone();
        begin_restores(&manager).await.unwrap();
        // A worker that begins the restores a second time changes nothing.
        begin_restores(&manager).await.unwrap();
        world.sweeps().await;
        assert!(world.hold(&names, OLD), "{ended:?}");
        assert_eq!((&world.migration().await["state"], world.notice()), (&json!("restored"), None), "{ended:?}");
        if matches!(ended, End::Done(_)) {
            break;
        }
    }
    world.app.end().await;
}
