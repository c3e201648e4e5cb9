//! Code of a package that pip builds, as every requirement without a wheel has it.

use ocim::ansible::port::{Ansible as _, AnsibleError};
use ocim::platform::sandbox::RunLimits;
use tokio_util::sync::CancellationToken;

use super::attempts::has_succeeded;
use super::playing::spec;
use super::world::inside;
use crate::system::ansible::support::{Repository, Taken, load, local_play};

/// Without a requirement of its own, so that no package index is needed; pip imports it to build the package.
const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n";

/// Tries, tells what it got, and makes a set-uid program in the virtualenv before it fails.
const SETUP: &str = "import os, shutil, subprocess, sys
shutil.copy('/usr/bin/id', sys.prefix + '/bin/evil'); os.chmod(sys.prefix + '/bin/evil', 0o4755)
print(subprocess.run(['sh', 'try'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode(), flush=True)
raise SystemExit('the package was built')
";

const TRIES: &str = r#"
cat "$DATA/keys/secrets"; cat "/proc/$PPID/environ"; cat /proc/[0-9]*/environ | tr '\0' '\n' | grep OCIM_SECRET_KEYS
tcp 127.0.0.1 5000; tcp 127.0.0.1 5432; tcp 169.254.169.254 80; tcp 10.213.0.7 22; local_socket "$AGENT"
echo evil >"$CACHE/wheels/evil-1.0-py3-none-any.whl" && worked
echo evil >"$CACHE/venv/other/bin/ansible-playbook" && worked
"#;

#[test]
fn the_code_of_a_package_gets_nothing_while_pip_builds_it() {
    inside("installing::the_code_of_a_package_gets_nothing_while_pip_builds_it", async |mut world| {
        for is_off in [true, false] {
            let before = world.state();
            let dir = world.run_dir(if is_off { "control" } else { "10" });
            let repository = Repository::with_playbook(&local_play("    - meta: noop\n"));
            repository.commit("requirements.txt", "./package\n");
            repository.commit("package/pyproject.toml", PROJECT);
            repository.commit("package/setup.py", SETUP);
            repository.commit("package/try", &world.script(TRIES, &dir));
            let (ansible, mut taken) = (world.ansible(is_off, RunLimits::default()), Taken::default());
            let spec = spec(&repository, &dir);
            let end = ansible.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await;
            let Err(AnsibleError::Permanent(words)) = end else { panic!("{end:?}: {taken:#?}") };
            assert!(words.contains("the package was built"), "{words}");
            let said = taken.texts().join("\n") + &std::fs::read_to_string(dir.join("pip.log")).unwrap_or_default();
            assert_eq!(has_succeeded(&said), is_off, "without a wall: {is_off}: {said}");
            if is_off {
                world.restore();
            } else {
                world.assert_is_still(&before);
            }
        }
    });
}

#[test]
fn a_module_of_the_checkout_does_not_run_instead_of_pip() {
    inside("installing::a_module_of_the_checkout_does_not_run_instead_of_pip", async |world| {
        let repository = Repository::with_playbook(&local_play("    - meta: noop\n"));
        for module in ["pip/__main__.py", "venv/__main__.py", "pip/__init__.py", "venv/__init__.py"] {
            repository.commit(module, "raise SystemExit('a module of the checkout runs')\n");
        }
        let dir = world.run_dir("18");
        let spec = spec(&repository, &dir);
        let mut taken = Taken::default();
        let prepared = world.ansible(false, RunLimits::default());
        prepared.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await.unwrap();
        assert!(!taken.texts().join("\n").contains("a module of the checkout"), "{taken:#?}");
        // The control: an interpreter that is not isolated takes them.
        let mut python = std::process::Command::new("python3");
        let output = python.args(["-m", "pip", "--version"]).current_dir(dir.join("checkout")).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("a module of the checkout runs"), "{output:?}");
    });
}
