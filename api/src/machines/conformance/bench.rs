//! The operations as the checks use them: each with its time limit, an error as a sentence, and every machine recorded,
//! so that it is removed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared_types::ServerId;
use tokio::time::{sleep, timeout};

use super::Subject;
use crate::machines::key::KeyPair;
use crate::machines::probe::{Login, Probe};
use crate::machines::provider::{Endpoint, Machine, MachineRef, MachineSpec, MachineState, Provider, ProviderError};

/// How often the removal of a machine is tried.
const REMOVALS: u32 = 3;

/// A provider on which one check is made.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub subject: &'a Subject<'a>,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    next_id: i64,
    ids: BTreeSet<ServerId>,
    strangers: BTreeSet<ServerId>,
}

/// A machine that may be created, and the key that it is to let in.
#[derive(Debug)]
pub(super) struct Plan {
    pub spec: MachineSpec,
    pub key: KeyPair,
}

impl Plan {
    pub(super) fn id(&self) -> ServerId {
        self.spec.server_id
    }
}

/// A server without its provider's id.
pub(super) fn reference(server_id: ServerId) -> MachineRef {
    MachineRef { server_id, provider_id: None }
}

impl<'a> Bench<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, next_id: i64) -> Self {
        let (ids, strangers) = (BTreeSet::new(), BTreeSet::new());
        Self { subject, made: Mutex::new(Made { next_id, ids, strangers }) }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first id that no machine has had.
    pub(super) fn next_id(&self) -> i64 {
        self.made().next_id
    }

    /// An id that no machine has had, with a key of its own.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        let key = KeyPair::generate().map_err(|error| format!("No key could be made: {error}."))?;
        let mut made = self.made();
        let server_id = ServerId(made.next_id);
        made.next_id += 1;
        let (name, authorized_key) = (format!("ocim-check-{server_id}"), key.public().to_owned());
        Ok(Plan { spec: MachineSpec { server_id, name, authorized_key }, key })
    }

    /// Creates the machine, which is removed at the end of the check.
    pub(super) async fn create(&self, plan: &Plan) -> Result<Machine, String> {
        self.made().ids.insert(plan.id());
        let created = self.subject.provider.create(&plan.spec);
        let machine = within(self.subject.limits.change, &format!("create of server {}", plan.id()), created).await?;
        check_id(&machine.provider_id)?;
        Ok(machine)
    }

    /// Begins to create the machine, and drops the operation after this time, unless it has ended by then. Zero: as
    /// soon as it waits for something.
    pub(super) async fn create_and_drop(&self, plan: &Plan, after: Duration) {
        self.made().ids.insert(plan.id());
        let mut create = self.subject.provider.create(&plan.spec);
        if futures::poll!(create.as_mut()).is_pending() && !after.is_zero() {
            let _ = timeout(after, create).await;
        }
    }

    /// Creates a machine of the other installation, which is removed at the end of the check.
    pub(super) async fn create_stranger(&self, stranger: &dyn Provider, plan: &Plan) -> Result<Machine, String> {
        self.made().strangers.insert(plan.id());
        let what = format!("create of the other installation's server {}", plan.id());
        within(self.subject.limits.change, &what, stranger.create(&plan.spec)).await
    }

    pub(super) async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, String> {
        find(self.subject.provider, machine, self.subject.limits.read).await
    }

    /// The machine, which must exist.
    pub(super) async fn find_made(&self, id: ServerId) -> Result<Machine, String> {
        let found = self.find(&reference(id)).await?;
        found.ok_or_else(|| format!("find does not find server {id}, which was created."))
    }

    pub(super) async fn list(&self) -> Result<Vec<(ServerId, Machine)>, String> {
        within(self.subject.limits.read, "list", self.subject.provider.list()).await
    }

    pub(super) async fn reboot(&self, machine: &MachineRef) -> Result<(), String> {
        let what = format!("reboot of server {}", machine.server_id);
        within(self.subject.limits.change, &what, self.subject.provider.reboot(machine)).await
    }

    pub(super) async fn terminate(&self, machine: &MachineRef) -> Result<(), String> {
        terminate(self.subject.provider, machine, self.subject.limits.change).await
    }

    /// Waits until the machine is active and has its addresses.
    pub(super) async fn wait_until_active(&self, id: ServerId) -> Result<(Machine, Endpoint), String> {
        let begun = Instant::now();
        loop {
            let machine = self.find_made(id).await?;
            match (&machine.state, machine.endpoint) {
                (MachineState::Active, Some(endpoint)) => return Ok((machine, endpoint)),
                (MachineState::Failed(words), _) => return Err(format!("Server {id} has failed: {words}.")),
                (MachineState::Active | MachineState::Building, _) => {}
            }
            self.wait(begun, || format!("Server {id} is not active with an address")).await?;
        }
    }

    /// Waits until the machine lets the key in and says which boot it runs; another one than `before`.
    pub(super) async fn wait_for_boot(
        &self,
        probe: &dyn Probe,
        login: &Login,
        before: Option<&str>,
    ) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            let marker = probe.boot_marker(login).await;
            let last = match marker {
                Ok(marker) if before != Some(marker.as_str()) => return Ok(marker),
                Ok(_) => "it runs the same boot as before the reboot".to_owned(),
                Err(error) => error.to_string(),
            };
            self.wait(begun, || format!("{} at {} is not ready: {last}; this state", login.user, login.address))
                .await?;
        }
    }

    /// How to log in to a machine with this key.
    pub(super) fn login(&self, machine: &Machine, endpoint: Endpoint, key: &KeyPair) -> Login {
        let (user, host_key) = (self.subject.provider.ssh_user().to_owned(), machine.host_key.clone());
        let name = machine.provider_id.clone();
        Login { name, address: endpoint.ssh, user, host_key, keys: vec![key.clone()] }
    }

    async fn wait(&self, begun: Instant, state: impl FnOnce() -> String) -> Result<(), String> {
        let limit = self.subject.limits.ready;
        if begun.elapsed() > limit {
            return Err(format!("{} lasts longer than {}.", state(), seconds(limit)));
        }
        sleep(self.subject.limits.poll).await;
        Ok(())
    }

    /// Removes every machine that the check has made.
    ///
    /// # Errors
    /// Which machines are left, and why.
    pub(super) async fn clear(&self) -> Result<(), String> {
        let (ids, strangers) = {
            let made = self.made();
            (made.ids.clone(), made.strangers.clone())
        };
        let mut left = Vec::new();
        for id in ids {
            left.extend(remove(self.subject.provider, id, self.subject).await.err());
        }
        for id in strangers {
            if let Some(stranger) = self.subject.stranger {
                left.extend(remove(stranger, id, self.subject).await.err());
            }
        }
        if left.is_empty() { Ok(()) } else { Err(left.join(" ")) }
    }
}

/// Removes what an earlier run has left, of both installations.
pub(super) async fn remove_leftovers(subject: &Subject<'_>) -> Result<(), String> {
    for provider in [Some(subject.provider), subject.stranger].into_iter().flatten() {
        let listed = within(subject.limits.read, "list", provider.list()).await?;
        for (id, _) in listed {
            remove(provider, id, subject).await?;
        }
    }
    Ok(())
}

/// Removes a machine, and looks whether it is gone.
async fn remove(provider: &dyn Provider, id: ServerId, subject: &Subject<'_>) -> Result<(), String> {
    let mut why = String::new();
    for trial in 0..REMOVALS {
        sleep(subject.limits.poll * trial).await;
        let terminated = terminate(provider, &reference(id), subject.limits.change).await;
        match find(provider, &reference(id), subject.limits.read).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => why = terminated.err().unwrap_or_else(|| "It is still found after terminate.".to_owned()),
            Err(words) => why = words,
        }
    }
    Err(format!("The machine of server {id} may be left; remove it by hand. {why}"))
}

async fn find(provider: &dyn Provider, machine: &MachineRef, limit: Duration) -> Result<Option<Machine>, String> {
    within(limit, &format!("find of server {}", machine.server_id), provider.find(machine)).await
}

async fn terminate(provider: &dyn Provider, machine: &MachineRef, limit: Duration) -> Result<(), String> {
    within(limit, &format!("terminate of server {}", machine.server_id), provider.terminate(machine)).await
}

/// The result of an operation, as long as it ends in time.
async fn within<T>(
    limit: Duration,
    what: &str,
    operation: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, String> {
    match timeout(limit, operation).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{what} failed: {}.", error.to_string().trim_end_matches('.'))),
        Err(_elapsed) => Err(format!("{what} did not end within {}.", seconds(limit))),
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

fn check_id(id: &str) -> Result<(), String> {
    if id.trim().is_empty() { Err("create gives a machine without a provider's id.".to_owned()) } else { Ok(()) }
}
