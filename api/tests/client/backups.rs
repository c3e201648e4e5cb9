use shared_types::Role;

use super::Shell;
use crate::flows::backups::World;

#[tokio::test]
async fn backups_are_made_verified_restored_and_deleted_on_the_command_line() {
    let world = World::new().await;
    let instance = world.instance.to_string();
    let (operator, administrator) =
        (Shell::of(&world.app, Role::Operator).await, Shell::of(&world.app, Role::Admin).await);
    let command = |verb| ["instance", "backups", verb, instance.as_str()];
    let made = operator.run(&command("make")).await;
    assert!(made.expect(0).contains("is being written"), "{made:?}");
    operator.run(&command("make")).await.refused(5);
    world.work().await;
    let listed = operator.run(&command("list")).await;
    let lines = listed.expect(0);
    assert!(lines.contains("complete") && lines.contains("requested"), "{lines}");
    assert!(lines.contains("The next one contains: MySQL database pages, MySQL database readers."), "{lines}");
    assert!(lines.contains("There is no schedule."), "{lines}");
    let id = world.newest().await["id"].to_string();
    let about = |verb| [&command(verb)[..], &[id.as_str()]].concat();
    operator.run(&about("verify")).await.expect(0);
    world.work().await;
    operator.run(&[&about("restore")[..], &["--confirm", "one"]].concat()).await.refused(3);
    administrator.run(&[&about("restore")[..], &["--confirm", "two"]].concat()).await.refused(5);
    administrator.run(&[&about("restore")[..], &["--confirm", "one"]].concat()).await.expect(0);
    world.work().await;
    let shown = operator.run(&[&command("list")[..], &["-o", "json"]].concat()).await.json();
    let first = &shown["items"][0];
    assert!(first["verified"].is_string() && first["restored"].is_string(), "{shown:#}");
    operator.run(&about("delete")).await.refused(3);
    administrator.run(&about("delete")).await.expect(0);
    world.work().await;
    assert_eq!(world.shown().await["items"], serde_json::json!([]));
    world.app.end().await;
}
