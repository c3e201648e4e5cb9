//! The OpenStack provider against a real control plane whose hypervisor starts no guest: `make test-openstack`, which sets
//! `OS_…` and `OPENSTACK_TESTBED`. One test at a time: some halt services.

mod builds;
mod cable;
mod failing;
mod launch;
mod life;
mod outages;
mod reached;
mod strangers;
mod timing;
mod user;

use std::time::{Duration, Instant};

use ocim::machines::provider::{Machine, MachineRef, MachineSpec, MachineState, Provider};
use ocim::machines::providers::openstack::{
    AddressKind, AddressSelector, CloudSettings, FlavorSelector, ImageSelector, NetworkSelector, OpenStack,
    OpenStackConfig,
};
use shared_types::ServerId;
use tokio::process::Command;

use crate::app::install_tls;

const INSTALLATION: &str = "11111111-aaaa";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-openstack`"))
}

fn settings() -> CloudSettings {
    CloudSettings {
        auth_url: Some(variable("OS_AUTH_URL")),
        username: Some(variable("OS_USERNAME")),
        password: Some(variable("OS_PASSWORD").into()),
        project_name: Some(variable("OS_PROJECT_NAME")),
        user_domain_name: Some(variable("OS_USER_DOMAIN_NAME")),
        project_domain_name: Some(variable("OS_PROJECT_DOMAIN_NAME")),
        region: Some(variable("OS_REGION_NAME")),
        ..CloudSettings::default()
    }
}

fn config(settings: CloudSettings) -> OpenStackConfig {
    install_tls();
    OpenStackConfig {
        credentials: settings.credentials().unwrap(),
        flavor: FlavorSelector::Smallest { memory_mb: 512, vcpus: 1, disk_gb: 1 },
        image: ImageSelector::Named("debian-12".into()),
        network: NetworkSelector::Only,
        security_groups: Vec::new(),
        floating_network: None,
        address: AddressSelector { kind: AddressKind::Any, prefers_ipv6: false },
        python: None,
        ssh_user: "debian".into(),
        availability_zone: None,
        installation: INSTALLATION.into(),
    }
}

fn provider() -> OpenStack {
    provider_with(|_| {})
}

fn provider_with(change: impl FnOnce(&mut OpenStackConfig)) -> OpenStack {
    let mut config = config(settings());
    change(&mut config);
    OpenStack::open(config).unwrap()
}

fn spec(id: i64) -> MachineSpec {
    let authorized_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUZnF0Ug2C0fbJ2Yw9mV0y4Xz9i5eZbU2o1k6c8hQxE ocim".into();
    MachineSpec { server_id: ServerId(id), name: format!("demo-{id}"), authorized_key }
}

fn reference(id: i64) -> MachineRef {
    MachineRef { server_id: ServerId(id), provider_id: None }
}

/// Polls a machine like the builds do, until its state is another than `Building`.
async fn settled(provider: &OpenStack, id: i64) -> Machine {
    let machine = settled_if_there(provider, id).await;
    machine.unwrap_or_else(|| panic!("machine {id} is not there"))
}

async fn settled_if_there(provider: &OpenStack, id: i64) -> Option<Machine> {
    let begun = Instant::now();
    loop {
        let machine = provider.find(&reference(id)).await.unwrap()?;
        if machine.state != MachineState::Building {
            return Some(machine);
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{machine:?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn failure(machine: &Machine) -> &str {
    match &machine.state {
        MachineState::Failed(words) => words,
        state @ (MachineState::Building | MachineState::Active) => panic!("not failed: {state:?}"),
    }
}

/// Terminates every machine of this installation, also those of a test that failed.
async fn clean(provider: &OpenStack) {
    for (id, _) in provider.list().await.unwrap() {
        provider.terminate(&reference(id.0)).await.unwrap();
    }
}

/// Halts services of the test bed, or starts what is halted.
async fn testbed(arguments: &[&str]) {
    let output = Command::new(variable("OPENSTACK_TESTBED")).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
