//! Code that Ansible runs on the manager's own host, not on the machine: plugins and settings of the repository.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ocim::ansible::port::Ansible as _;
use ocim::platform::sandbox::RunLimits;
use tokio_util::sync::CancellationToken;

use super::attempts::{LOOT, assert_none, has_succeeded, last};
use super::playing::spec;
use super::world::{World, inside};
use crate::system::ansible::support::{Repository, Taken, load};

/// What each of them tries.
const TRIES: &str = r#"
cat "$DATA/keys/secrets"; cat "$DATA/runs/7/variables.json"; cat /proc/[0-9]*/environ | tr '\0' '\n' | grep OCIM_SECRET_KEYS
tcp 127.0.0.1 5000; local_socket "$DATA/postgres/.s.PGSQL.5432"; tcp 169.254.169.254 80
"#;

/// Name, path and content. `TRY` (in Python) and `SHELL` make the attempts, and keep what they print under the name.
const FILES: &[(&str, &str, &str)] = &[
    (
        "filter plugin",
        "playbooks/filter_plugins/evil.py",
        "TRY\nclass FilterModule:\n    def filters(self): return {'evil': str}\n",
    ),
    (
        "test plugin",
        "playbooks/test_plugins/evil.py",
        "TRY\nclass TestModule:\n    def tests(self): return {'evil': bool}\n",
    ),
    (
        "lookup plugin",
        "playbooks/lookup_plugins/evil.py",
        "TRY\nfrom ansible.plugins.lookup import LookupBase\nclass LookupModule(LookupBase):\n    def run(self, terms, variables=None, **kwargs): return ['x']\n",
    ),
    (
        "callback plugin",
        "playbooks/callback_plugins/evil.py",
        "TRY\nfrom ansible.plugins.callback import CallbackBase\nclass CallbackModule(CallbackBase):\n    CALLBACK_NAME = 'evil'\n    CALLBACK_TYPE = 'aggregate'\n",
    ),
    (
        "action plugin",
        "playbooks/action_plugins/evil_action.py",
        "TRY\nfrom ansible.plugins.action import ActionBase\nclass ActionModule(ActionBase):\n    def run(self, tmp=None, task_vars=None): return {'changed': False}\n",
    ),
    (
        "vars plugin",
        "playbooks/vars_plugins/evil.py",
        "TRY\nfrom ansible.plugins.vars import BaseVarsPlugin\nclass VarsModule(BaseVarsPlugin):\n    REQUIRES_ENABLED = False\n    def get_vars(self, loader, path, entities): return {}\n",
    ),
    ("module", "playbooks/library/evil_module.py", "#!/usr/bin/python3\nTRY\nprint('{\"changed\": false}')\n"),
    ("program of ansible.cfg for the vault", "password", "#!/bin/sh\nSHELL\necho x\n"),
    ("template", "template.sh", "SHELL\necho x\n"),
    ("task on the manager", "task.sh", "SHELL\n"),
];

const PLAYBOOK: &str = "- hosts: app\n  connection: local\n  gather_facts: false\n  tasks:\n    \
    - debug: {msg: \"{{ 'x' | evil }} {{ lookup('evil') }} {{ 1 is evil }}\"}\n    \
    - evil_module:\n    \
    - evil_action:\n    \
    - debug: {msg: \"{{ lookup('pipe', 'sh TOP/template.sh') }}\"}\n    \
    - {local_action: {module: ansible.builtin.command, cmd: 'sh TOP/task.sh'}}\n    \
    - {name: gives up, fail: {msg: nothing was to be had}}\n";

/// `log_path` names a file of the manager.
const CONFIGURATION: &str = "[defaults]\nvault_password_file = TOP/password\nlog_path = DATA/runs/7/events\n\
    vars_plugins = TOP/playbooks/vars_plugins\nlibrary = TOP/playbooks/library\ncallbacks_enabled = evil\n";

fn repository(world: &World, dir: &Path) -> Repository {
    let top = dir.join("checkout").display().to_string();
    let tried = |name: &str| format!("{top}/tried-{}", name.replace(' ', "-"));
    let shell = |name: &str| format!("sh {top}/try >>{} 2>&1; echo ended >>{}", tried(name), tried(name));
    let python = |name: &str| format!("import subprocess\nsubprocess.call(['sh', '-c', '{}'])", shell(name));
    let repository = Repository::with_playbook(&PLAYBOOK.replace("TOP", &top));
    let write = |path: &str, text: String| {
        let path = repository.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    };
    for (name, path, text) in FILES {
        write(path, text.replace("TRY", &python(name)).replace("SHELL", &shell(name)));
    }
    write("ansible.cfg", CONFIGURATION.replace("TOP", &top).replace("DATA", &world.data().display().to_string()));
    repository.commit("try", &world.script(TRIES, dir));
    repository
}

#[test]
fn no_plugin_or_setting_of_a_repository_reaches_the_manager() {
    inside("plugins::no_plugin_or_setting_of_a_repository_reaches_the_manager", async |mut world| {
        let mut wrong = Vec::new();
        for is_off in [true, false] {
            let before = world.state();
            let dir = world.run_dir(if is_off { "control" } else { "9" });
            let repository = repository(&world, &dir);
            let spec = spec(&repository, &dir);
            let (ansible, cancel) = (world.ansible(is_off, RunLimits::default()), CancellationToken::new());
            let mut taken = Taken::default();
            ansible.prepare(&load(&spec), &mut taken, &cancel).await.unwrap();
            let outcome = ansible.run(&spec, &mut taken, &cancel).await.unwrap();
            println!("without a wall: {is_off}: {outcome:?}");
            for (name, ..) in FILES {
                let tried = dir.join("checkout").join(format!("tried-{}", name.replace(' ', "-")));
                let said = fs::read_to_string(tried).unwrap_or_default();
                if !said.contains("ended") {
                    wrong.push(format!("{name} (without a wall: {is_off}) was not made: {}", taken.texts().join("\n")));
                } else if has_succeeded(&said) != is_off {
                    wrong.push(format!("{name} (without a wall: {is_off}): {}", last(&said)));
                }
            }
            let events = fs::read_to_string(world.data().join("runs/7/events")).unwrap();
            if (events.len() > LOOT.len()) != is_off {
                wrong.push(format!("log_path (without a wall: {is_off}): {events}"));
            }
            if is_off {
                world.restore();
            } else {
                world.assert_is_still(&before);
            }
        }
        assert_none("plugins", &wrong);
    });
}
