//! Limits of memory, processes, files and disk, tried in bounded form on both sides.

use std::time::Duration;

use ocim::platform::command::CommandError;
use ocim::platform::sandbox::{self, RunLimits, Wall};
use tokio_util::sync::CancellationToken;

use super::attempts::{EXHAUSTS, Exhaust, assert_none, has_succeeded, last};
use super::world::{World, inside};

#[test]
fn a_program_gets_no_more_than_its_limits() {
    inside("exhausting::a_program_gets_no_more_than_its_limits", async |mut world| {
        let before = world.state();
        let (mut wrong, dir) = (Vec::new(), world.run_dir("limits"));
        for row in EXHAUSTS {
            std::fs::create_dir_all(&dir).unwrap();
            let mut limits = RunLimits::default();
            (row.limit)(&mut limits);
            let got = exhaust(&world, row, limits).await;
            let is_told = row.words.is_none_or(|words| got.contains(words));
            if has_succeeded(&got) || !is_told {
                wrong.push(format!("{}: behind the wall it says: {got}", row.name));
            }
            let ample = exhaust(&world, row, RunLimits::default()).await;
            if !has_succeeded(&ample) {
                wrong.push(format!("{}: within ample limits it fails, too: {ample}", row.name));
            }
            std::fs::remove_dir_all(&dir).unwrap();
        }
        assert_none("limits", &wrong);
        world.assert_is_still(&before);
    });
}

/// Runs the script behind a wall with these limits; gives its output, or the words of its end.
async fn exhaust(world: &World, row: &Exhaust, limits: RunLimits) -> String {
    let dir = world.run_dir("limits");
    let sandbox = world.sandbox(false, limits);
    let account = sandbox.account().await.unwrap();
    let mut cell = sandbox.cell(&account, "sh", &Wall::new(&dir).write(&dir)).await.unwrap();
    cell.command.arg("-c").arg(world.script(row.shell, &dir));
    match sandbox::capture(cell, Duration::from_secs(30), &CancellationToken::new()).await {
        Ok(output) => format!("{}{}", output.stdout, last(&output.stderr)),
        Err(CommandError::Limit(words)) => words,
        Err(error) => panic!("{}: {error}", row.name),
    }
}
