//! A place of backups that cannot be used, or is not the one that backups were written to.

use ocim::backups::fake::FakeOperation;
use serde_json::json;

use super::World;

#[tokio::test]
async fn nothing_is_written_to_an_empty_place_while_complete_backups_are_recorded() {
    let world = World::new().await;
    let first = world.complete().await;
    let second = world.complete().await;
    let disk = world.backups.unmount();
    let third = world.requested().await;
    world.work().await;
    let waiting = world.newest().await;
    assert_eq!((waiting["id"].as_i64(), &waiting["state"]), (Some(third), &json!("writing")));
    let words = waiting["trouble"].as_str().unwrap();
    assert!(
        words.contains("has no file of the 2 complete backups") && words.contains("is its disk mounted"),
        "{words}"
    );
    assert_eq!((world.places().await, world.backups.count(FakeOperation::Dump)), (0, 4), "two each");
    world.backups.mount(disk);
    world.hurry().await;
    world.work().await;
    assert_eq!((&world.newest().await["state"], world.places().await), (&json!("complete"), 3));

    // The files of the newest ones may be lost.
    for id in [second, third] {
        world.backups.lose(&format!("{}/{id}", world.instance));
    }
    let fourth = world.complete().await;
    world.backups.lose(&format!("{}/{first}", world.instance));
    world.backups.lose(&format!("{}/{fourth}", world.instance));
    world.requested().await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "writing");
    for id in [first, second, third, fourth] {
        let path = format!("{}/{id}", world.path());
        world.app.person(shared_types::Role::Admin).await.delete(&path).await.expect(202);
    }
    world.work().await;
    world.hurry().await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "complete", "lost ones can be deleted");
    world.app.end().await;
}

#[tokio::test]
async fn a_place_with_an_old_backup_only_is_recognized() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(world.complete().await);
    }
    for id in &ids[1..] {
        world.backups.lose(&format!("{}/{id}", world.instance));
    }
    world.complete().await;
    world.app.end().await;
}

#[tokio::test]
async fn a_place_that_cannot_be_used_is_shown_and_requests_are_refused_with_its_words() {
    let world = World::new().await;
    let away = "The bucket of backups, files/ocim: no answer within 20 s.";
    world.backups.set_trouble(Some(away));
    assert_eq!(world.shown().await["why_none"], away);
    let problem = world.app.operator().await.post(&world.path(), json!({})).await.problem(409);
    assert_eq!(problem["detail"], away);
    world.backups.set_trouble(None);
    world.complete().await;
    world.app.end().await;
}
