//! People on real machines: with their own keys, for as long as they may, and through `ocim ssh`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use ocim::ansible::fake::FakeAnsible;
use ocim::instances::Manager;
use ocim::instances::access::{self, Scope};
use ocim::instances::builds::Builder;
use ocim::machines::probe::{Probe, SshProbe};
use ocim::machines::provider::Provider;
use serde_json::{Value, json};
use shared_types::{AppServerId, Role};
use tokio_util::sync::CancellationToken;

use super::INSTALLATION;
use super::beside::beside;
use super::conformance::Example;
use super::yard::{Yard, eventually, is_root, reference};
use crate::app::{Client, TestApp};
use crate::client::Shell;

/// A key pair of a person, in files of the directory. Gives the path of the private one and the public line.
fn key_pair(dir: &Path, name: &str, comment: &str) -> (PathBuf, String) {
    let path = dir.join(name);
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(&path).status();
    assert!(made.unwrap().success());
    (path.clone(), fs::read_to_string(path.with_extension("pub")).unwrap())
}

/// Logs in with this key only, and runs the command.
fn try_ssh(key: &Path, address: SocketAddr, command: &str) -> Output {
    let options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "BatchMode=yes"];
    let options = options.into_iter().flat_map(|option| ["-o", option]);
    let mut ssh = Command::new("ssh");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    ssh.args(["-F", "/dev/null", "-i"]).arg(key).args(options).args(["-l", "ubuntu", "-p", &port, &host, command]);
    ssh.env_remove("SSH_AUTH_SOCK").output().unwrap()
}

fn says(key: &Path, address: SocketAddr, command: &str) -> String {
    let output = try_ssh(key, address, command);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_refused(key: &Path, address: SocketAddr) -> bool {
    let output = try_ssh(key, address, "true");
    !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("Permission denied (publickey)")
}

/// The program with these machines and a playbook that fails.
fn failing(app: &TestApp, dir: &Path, provider: Arc<dyn Provider>) -> Arc<Manager> {
    let ansible = FakeAnsible::with_tasks(1);
    ansible.next_run_fails("a task", "it fails");
    beside(app.db.url(), dir, provider, ansible)
}

/// Builds an app server whose playbook fails; gives its id and where sshd of its machine listens.
async fn failed_build(app: &TestApp, manager: &Arc<Manager>) -> (i64, SocketAddr) {
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    Builder::new(manager.clone(), 1, CancellationToken::new()).advance(AppServerId(id)).await.unwrap();
    let built = app.read_app_server(id).await;
    assert_eq!(built["status"], "failed", "{built:#}");
    (id, app.text("SELECT ssh_address AS text FROM servers").await.parse().unwrap())
}

/// A person logs in to a machine of this provider, also after it was rebooted, until their key is deleted.
pub(super) async fn a_key_lets_in_until_it_is_deleted(dir: &Path, provider: Arc<dyn Provider>) {
    let app = TestApp::idle().await;
    let manager = failing(&app, dir, provider.clone());
    let ada = app.session(Role::Operator).await;
    let (key, public) = key_pair(dir, "ada", "ada@laptop");
    let (stranger, _) = key_pair(dir, "stranger", "eve");
    let id = adds(&ada, &public).await["id"].clone();
    let (_, sshd) = failed_build(&app, &manager).await;
    assert_eq!(says(&key, sshd, "id -un; sudo id -un"), "ubuntu\nroot");
    assert!(is_refused(&stranger, sshd));
    let boot = says(&key, sshd, "cut -d' ' -f22 /proc/1/stat");
    provider.reboot(&reference(1)).await.unwrap();
    eventually("the login after the reboot", || try_ssh(&key, sshd, "true").status.success()).await;
    assert_ne!(says(&key, sshd, "cut -d' ' -f22 /proc/1/stat"), boot);

    ada.delete(&format!("/api/v1/auth/ssh-keys/{id}")).await.expect(204);
    assert!(!is_refused(&key, sshd), "the control: nothing was swept yet");
    access::sweep(&manager, Scope::Changed).await.unwrap();
    assert!(is_refused(&key, sshd), "the key is deleted");
    provider.terminate(&reference(1)).await.unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_key_lets_in_to_a_machine_of_the_example_program_until_it_is_deleted() {
    if !is_root() {
        return;
    }
    let (example, yard) = (Example::new().await, Yard::new());
    let provider = example.open(INSTALLATION).await.unwrap();
    a_key_lets_in_until_it_is_deleted(yard.dir.path(), Arc::new(provider)).await;
    assert_eq!(example.traces(), Vec::<String>::new());
}

async fn adds(browser: &Client, public_key: &str) -> Value {
    browser.post("/api/v1/auth/ssh-keys", json!({ "public_key": public_key })).await.expect(201)
}

/// A shell of the owner of the session, whose `ssh` uses this key and nothing of the test's user.
async fn shell(browser: &Client, dir: &Path, key: &Path) -> Shell {
    let token = browser.post("/api/v1/auth/tokens", json!({ "name": "cli", "role": "operator" })).await.expect(201);
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let ssh = bin.join("ssh");
    let script = format!(
        "#!/bin/sh\nexec /usr/bin/ssh -F /dev/null -i '{}' -o IdentitiesOnly=yes -o BatchMode=yes \"$@\"\n",
        key.display()
    );
    fs::write(&ssh, script).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    Shell::new()
        .with("OCIM_SERVER", browser.base())
        .with("OCIM_TOKEN", token["secret"].as_str().unwrap())
        .with("PATH", &path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_to_the_machine_of_a_failed_build_for_as_long_as_they_may() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let app = TestApp::idle().await;
    let provider = Arc::new(yard.open().await);
    let manager = failing(&app, yard.dir.path(), provider.clone());
    let ada = app.session(Role::Operator).await;
    let hostile = "x\" command=\"touch /tmp/injected\" $(touch /tmp/injected) # END ocim people";
    let (key, public) = key_pair(yard.dir.path(), "ada", hostile);
    let id = adds(&ada, &public).await["id"].clone();
    let (stranger, _) = key_pair(yard.dir.path(), "stranger", "eve");
    let (app_server, sshd) = failed_build(&app, &manager).await;

    assert_eq!(says(&key, sshd, "id -un; sudo id -un"), "ubuntu\nroot");
    assert!(is_refused(&stranger, sshd));
    assert_eq!(says(&key, sshd, "ls /tmp"), "", "the comment of the key is no command");
    let lines = says(&key, sshd, "cat .ssh/authorized_keys; stat -c '%U %a' .ssh/authorized_keys");
    let words: Vec<_> = public.split(' ').take(2).collect();
    assert!(lines.contains(&format!("\n{} ocim:operator-", words.join(" "))), "{lines}");
    assert!(lines.ends_with("\nubuntu 600") && !lines.contains("touch"), "{lines}");

    // Lines of others stay, and the machine's own key does.
    says(&key, sshd, "echo '# mine' >>.ssh/authorized_keys");
    let other = app.session(Role::Operator).await;
    let (other_key, other_public) = key_pair(yard.dir.path(), "other", "bob");
    adds(&other, &other_public).await;
    access::sweep(&manager, Scope::Changed).await.unwrap();
    assert!(!is_refused(&other_key, sshd));

    // Through the client, with the pinned host key.
    let shell = shell(&ada, yard.dir.path(), &key).await;
    let ran = shell.run(&["ssh", &app_server.to_string(), "--", "echo", "$SSH_CONNECTION;", "exit", "7"]).await;
    assert!(ran.expect(7).contains(&sshd.ip().to_string()), "{ran:?}");
    let elsewhere = format!("UPDATE servers SET host_key = '{}'", other_public.trim());
    let host_key = app.text("SELECT host_key AS text FROM servers").await;
    app.execute(&elsewhere).await;
    let ran = shell.run(&["ssh", &app_server.to_string(), "--", "true"]).await;
    assert!(ran.refused(255).contains("Host key verification failed"), "{ran:?}");
    app.execute(&format!("UPDATE servers SET host_key = '{host_key}'")).await;

    ada.delete(&format!("/api/v1/auth/ssh-keys/{id}")).await.expect(204);
    assert!(!is_refused(&key, sshd), "the control: nothing was swept yet");
    access::sweep(&manager, Scope::Changed).await.unwrap();
    assert!(is_refused(&key, sshd), "the key is deleted");
    let left = says(&other_key, sshd, "cat .ssh/authorized_keys");
    assert!(left.contains("\n# mine\n"), "{left}");
    let ran = shell.run(&["ssh", &app_server.to_string()]).await;
    assert!(ran.refused(5).contains("You have no SSH key at"), "{ran:?}");

    app.execute("UPDATE users SET disabled_at = now()").await;
    access::sweep(&manager, Scope::Changed).await.unwrap();
    assert!(is_refused(&other_key, sshd), "the user is disabled");
    let login = {
        let row =
            ocim::machines::store::find(&mut *app.conn().await, shared_types::ServerId(1)).await.unwrap().unwrap();
        manager.machines().login(&row).await.unwrap()
    };
    SshProbe.boot_marker(&login).await.unwrap();
    provider.terminate(&reference(1)).await.unwrap();
    app.end().await;
}
