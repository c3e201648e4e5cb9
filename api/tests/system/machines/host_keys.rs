//! Host keys of machines whose provider tells none: the key of the first login is recorded, and no other one is accepted.

use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use ocim::ansible::fake::FakeAnsible;
use ocim::instances::Manager;
use ocim::instances::access::{self, Scope};
use ocim::instances::builds::Builder;
use ocim::machines::advance::{MachineError, Progress};
use ocim::machines::host_key::named;
use ocim::machines::key::KeyPair;
use ocim::machines::probe::{Login, Probe, SshError, SshProbe};
use ocim::machines::provider::{Machine, MachineOffer, MachineRef, MachineSpec, Provider, ProviderError};
use ocim::machines::providers::local::LocalProvider;
use ocim::machines::store::Owner;
use serde_json::json;
use shared_types::{AppServerId, InstanceId, ProviderKind, Role, ServerId};
use tokio_util::sync::CancellationToken;

use super::beside::beside;
use super::yard::{Yard, is_root, reference};
use crate::app::{TestApp, until};
use crate::system::ansible::support::Sshd;

/// Local machines whose host keys the provider does not tell.
#[derive(Debug)]
struct Silent(LocalProvider);

fn silent(machine: Machine) -> Machine {
    Machine { host_key: None, ..machine }
}

#[async_trait]
impl Provider for Silent {
    fn kind(&self) -> ProviderKind {
        self.0.kind()
    }

    fn offers(&self) -> MachineOffer {
        self.0.offers()
    }

    fn ssh_user(&self) -> &str {
        self.0.ssh_user()
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        Ok(self.0.find(machine).await?.map(silent))
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        self.0.create(spec).await.map(silent)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.0.reboot(machine).await
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.0.terminate(machine).await
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        Ok(self.0.list().await?.into_iter().map(|(id, machine)| (id, silent(machine))).collect())
    }
}

/// The program with such machines and this Ansible.
async fn silently(app: &TestApp, yard: &Yard, ansible: FakeAnsible) -> (Arc<Manager>, Arc<Silent>) {
    let provider = Arc::new(Silent(yard.open().await));
    (beside(app.db.url(), yard.dir.path(), provider.clone(), ansible), provider)
}

/// A public key of a host that is not there.
fn foreign() -> String {
    KeyPair::generate().unwrap().public().split(' ').take(2).collect::<Vec<_>>().join(" ")
}

async fn recorded(app: &TestApp) -> String {
    app.text("SELECT host_key AS text FROM servers").await
}

async fn record(app: &TestApp, key: &str) {
    app.execute(&format!("UPDATE servers SET host_key = '{key}'")).await;
}

/// The sentence names the machine, both keys and what to do.
fn says_all(words: &str, present: &str, expected: &str) {
    for part in ["VM edxapp-demo-1 at ", &named(present), &named(expected), "launch another app server"] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[tokio::test]
async fn ssh_gives_the_host_key_of_a_login_and_refuses_any_other_key_in_words() {
    let sshd = Sshd::start().await;
    let key = KeyPair::of_file(&sshd.dir.path().join("client")).await.unwrap();
    let host = sshd.public_key("host.pub").split(' ').take(2).collect::<Vec<_>>().join(" ");
    let (name, user) = ("edxapp-demo-1".to_owned(), "root".to_owned());
    let login = Login { name, address: sshd.address, user, host_key: None, keys: vec![key] };
    assert_eq!(SshProbe.host_key(&login).await.unwrap().as_ref(), Some(&host));
    let with = |key: &str| Login { host_key: Some(key.to_owned()), ..login.clone() };
    SshProbe.boot_marker(&with(&host)).await.unwrap();
    SshProbe.boot_marker(&with(&format!("{host} a comment"))).await.unwrap();

    let rsa = sshd.dir.path().join("rsa");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(&rsa).status();
    assert!(made.unwrap().success());
    for other in [foreign(), sshd.public_key("rsa.pub")] {
        let refused = SshProbe.boot_marker(&with(&other)).await.unwrap_err();
        let SshError::OtherHostKey(words) = refused else { panic!("{refused:?}") };
        says_all(&words, &host, &other);
    }
    // Without a login, there is no key to record.
    let stranger = Login { keys: vec![KeyPair::generate().unwrap()], ..login };
    let refused = SshProbe.host_key(&stranger).await.unwrap_err();
    assert!(matches!(&refused, SshError::Failed(words) if words.contains("Permission denied")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_provider_tells_no_host_key_keeps_that_of_its_first_login() {
    if !is_root() {
        return;
    }
    let (yard, app) = (Yard::new(), TestApp::idle().await);
    let ansible = FakeAnsible::with_tasks(1);
    ansible.next_run_fails("a task", "it fails");
    let (manager, provider) = silently(&app, &yard, ansible).await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    Builder::new(manager.clone(), 1, CancellationToken::new()).advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "failed");
    // The provider underneath knows it.
    let host = provider.0.find(&reference(1)).await.unwrap().unwrap().host_key.unwrap();
    let host = host.split(' ').take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(recorded(&app).await, host);
    assert!(app.log_says(id, &format!("VM edxapp-demo-1 has the host key {}", named(&host))).await);

    // People's keys, and the reboot, are refused while the machine has another key than the recorded one.
    let other = foreign();
    record(&app, &other).await;
    let ada = app.session(Role::Operator).await;
    let public_key = KeyPair::generate().unwrap().public().to_owned();
    ada.post("/api/v1/auth/ssh-keys", json!({ "public_key": public_key })).await.expect(201);
    access::sweep(&manager, Scope::All).await.unwrap();
    let log = app.log(id).await;
    let refused = log.iter().find(|line| line.starts_with("The SSH keys of people could not be installed"));
    says_all(refused.unwrap(), &host, &other);
    let owner = Owner { instance: InstanceId(instance), app_server: AppServerId(id) };
    let refused = manager.machines().reboot(owner, ServerId(1)).await.unwrap_err();
    let MachineError::OtherHostKey(words) = refused else { panic!("{refused:?}") };
    says_all(&words, &host, &other);

    // The control: with the recorded key, both succeed.
    record(&app, &host).await;
    app.execute("UPDATE server_access SET next_try = now()").await;
    access::sweep(&manager, Scope::All).await.unwrap();
    assert!(app.log(id).await.iter().any(|line| line.starts_with("SSH access: ")));
    manager.machines().reboot(owner, ServerId(1)).await.unwrap();
    record(&app, &other).await;
    let advance = async || manager.machines().advance(owner, ServerId(1)).await.unwrap();
    until("another key is noticed after the reboot", async || match advance().await {
        Progress::OtherHostKey(words) => {
            says_all(&words, &host, &other);
            true
        }
        progress @ (Progress::Ready | Progress::NotYet | Progress::FirstBoot(_)) => {
            assert_eq!(progress, Progress::NotYet);
            false
        }
    })
    .await;
    record(&app, &host).await;
    until("it is ready again", async || advance().await == Progress::Ready).await;
    assert_eq!(recorded(&app).await, host, "a machine that was restarted keeps its key");
    provider.terminate(&reference(1)).await.unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_that_ssh_refused_for_the_host_key_ends_with_both_keys() {
    if !is_root() {
        return;
    }
    // As Ansible says it: `system::ansible::playing::ssh_accepts_only_the_given_host_key`.
    let message = "Failed to connect to the host via ssh: Host key verification failed.";
    for is_other in [true, false] {
        let (yard, app) = (Yard::new(), TestApp::idle().await);
        let ansible = FakeAnsible::with_tasks(1);
        ansible.next_run_fails("a task", message);
        let (manager, provider) = silently(&app, &yard, ansible).await;
        let other = foreign();
        if is_other {
            app.execute(&format!(
                "CREATE FUNCTION exchanged() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN NEW.host_key := '{other}'; RETURN NEW; END $$"
            ))
            .await;
            app.execute(
                "CREATE TRIGGER exchanged BEFORE UPDATE ON servers FOR EACH ROW WHEN (NEW.status = 'ready') \
                 EXECUTE FUNCTION exchanged()",
            )
            .await;
        }
        let instance = app.instance("demo").await;
        let id = app.launched(instance).await;
        Builder::new(manager.clone(), 1, CancellationToken::new()).advance(AppServerId(id)).await.unwrap();
        let built = app.read_app_server(id).await;
        let (status, failure) = (built["status"].as_str().unwrap(), built["failure"].as_str().unwrap());
        let host = provider.0.find(&reference(1)).await.unwrap().unwrap().host_key.unwrap();
        assert_eq!(status, "failed");
        if is_other {
            says_all(failure, &host, &other);
        } else {
            assert_eq!(failure, format!("a task: {message}"));
        }
        provider.terminate(&reference(1)).await.unwrap();
        app.end().await;
    }
}
