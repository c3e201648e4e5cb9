//! A playbook that makes every attempt, on the whole path of a build: checked out, loaded, and run.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ocim::ansible::port::{Ansible as _, RunOutcome, RunSpec, Target};
use ocim::platform::sandbox::RunLimits;
use tokio_util::sync::CancellationToken;

use super::attempts::{Attempt, Kind, all, assert_none, has_succeeded, last};
use super::servers::MACHINE;
use super::world::{World, inside};
use crate::system::ansible::support::{Repository, Taken, load, local_play};

/// Makes each attempt, and says how it ended.
const EACH: &str = "
cd \"$(dirname \"$0\")\"
mkdir -p ../made/work; here=$PWD; cd ../made/work
for script in \"$here\"/*.sh; do
    name=$(basename \"$script\" .sh)
    timeout 10 sh \"$script\" >\"../$name\" 2>&1 </dev/null
    echo \"ended with $?\" >>\"../$name\"
done
";

/// The playbook: its last words are those of the build.
const TASKS: &str = "    - {name: tries everything, command: sh ../attempts/each}\n    \
    - {name: gives up, fail: {msg: nothing was to be had}}\n";

/// A run of a repository on the only machine that it may reach.
pub(super) fn spec(repository: &Repository, dir: &Path) -> RunSpec {
    let target = Target {
        ssh: MACHINE.parse().unwrap(),
        user: "root".to_owned(),
        private_key: "/nonexistent".into(),
        host_key: None,
        python: None,
    };
    RunSpec { target, line_timeout: Duration::from_secs(120), ..repository.spec(dir) }
}

fn repository(world: &World, dir: &Path, attempts: &[Attempt]) -> Repository {
    let repository = Repository::with_playbook(&local_play(TASKS));
    let folder = repository.0.path().join("attempts");
    fs::create_dir_all(&folder).unwrap();
    for attempt in attempts {
        fs::write(folder.join(attempt.file() + ".sh"), world.script(attempt.shell, dir)).unwrap();
    }
    repository.commit("attempts/each", EACH);
    repository
}

#[test]
fn no_attempt_of_a_playbook_succeeds_and_without_the_wall_each_does() {
    inside("playing::no_attempt_of_a_playbook_succeeds_and_without_the_wall_each_does", async |mut world| {
        let machine =
            Attempt { name: "port of its own machine", kind: Kind::Reaches, shell: "tcp 10.213.0.7 22", ..all()[0] };
        let attempts = all();
        let mut wrong = Vec::new();
        for attempt in &attempts {
            let said = world.without_wall(attempt);
            if let Some(said) = said.filter(|said| !has_succeeded(said)) {
                wrong.push(format!("{} fails without a wall, too: {}", attempt.name, last(&said)));
            }
        }
        let before = world.state();
        let dir = world.run_dir("8");
        let repository = repository(&world, &dir, &[attempts.as_slice(), &[machine]].concat());
        let spec = spec(&repository, &dir);
        let (ansible, cancel, mut taken) =
            (world.ansible(false, RunLimits::default()), CancellationToken::new(), Taken::default());
        ansible.prepare(&load(&spec), &mut taken, &cancel).await.unwrap();
        let outcome = ansible.run(&spec, &mut taken, &cancel).await.unwrap();
        let RunOutcome::Failed { failed_task: Some((task, words)), .. } = &outcome else {
            panic!("{outcome:?}\n{taken:#?}")
        };
        assert_eq!((task.as_str(), words.as_str()), ("gives up", "nothing was to be had"));
        let made =
            |attempt: &Attempt| fs::read_to_string(dir.join("checkout/made").join(attempt.file())).unwrap_or_default();
        for attempt in &attempts {
            let said = made(attempt);
            if !said.contains("ended with ") {
                wrong.push(format!("{} was not made: {said}", attempt.name));
            } else if has_succeeded(&said) {
                wrong.push(format!("{} ({:?}) SUCCEEDS behind the wall: {said}", attempt.name, attempt.kind));
            }
        }
        let said = made(&machine);
        if !has_succeeded(&said) {
            wrong.push(format!("its own machine cannot be reached, so the wall is closed to all: {said}"));
        }
        println!("{} attempts", attempts.len());
        assert_none("attempts", &wrong);
        world.assert_is_still(&before);
    });
}
