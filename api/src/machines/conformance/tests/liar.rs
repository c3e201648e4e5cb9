//! A provider that breaks the contract in one way, on top of one that keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use shared_types::{ProviderKind, ServerId};

use crate::machines::key::KeyPair;
use crate::machines::probe::{Login, Probe, SshError};
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, MadeFrom, Provider, ProviderError,
};
use crate::machines::providers::fake::FakeProvider;

/// One way to break the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    OffersNothing,
    HasNoUser,
    CreateGivesNoId,
    FindsNothing,
    FindGivesAnotherId,
    NeverActive,
    FailsLater,
    SecondCreateMakesAnother,
    CreateOfActiveIsRefused,
    FindsTheUnknown,
    BelievesTheProviderId,
    NeedsTheProviderId,
    ListIsPartial,
    ListHasOneTwice,
    ListHasStrangers,
    ListGivesOtherIds,
    FindsStrangers,
    RebootsStrangers,
    TerminatesStrangers,
    AdoptsStrangers,
    LetsInNoKey,
    LetsInAnyKey,
    HasNoSudo,
    RebootDoesNothing,
    RebootLosesTheMachine,
    RebootMovesTheMachine,
    RebootOfMissingSucceeds,
    TerminateReturnsEarly,
    TerminatedIsListed,
    TerminateIsIgnored,
    SecondTerminateFails,
    LostCreateMakesAnother,
    LostCreateNeverEnds,
    LostCreateBlocks,
    OverlappingCreatesMakeTwo,
    MachinesShareAnAddress,
    MachinesShareAnId,
    CreatesFailAtOnce,
    FindHangs,
    ListHangs,
    ReadsWaitForCreates,
    CreateHangs,
    TerminateHangs,
}

#[derive(Debug, Default)]
struct Memory {
    created: BTreeSet<ServerId>,
    terminated: BTreeMap<ServerId, u32>,
    rebooted: BTreeSet<ServerId>,
    /// Creates that have begun and not ended.
    begun: BTreeSet<ServerId>,
    running: u32,
    doubled: BTreeSet<ServerId>,
}

/// The provider that breaks the contract.
#[derive(Debug)]
pub struct Liar {
    pub honest: FakeProvider,
    pub lie: Lie,
    memory: Mutex<Memory>,
    /// Held during a create.
    pause: tokio::sync::RwLock<()>,
}

/// Longer than every limit of these tests.
const FOREVER: Duration = Duration::from_secs(3600);
/// A create's time, where it takes any.
const PAUSE: Duration = Duration::from_millis(20);

impl Liar {
    pub fn new(lie: Lie) -> Self {
        let honest = super::fake();
        Self { honest, lie, memory: Mutex::default(), pause: tokio::sync::RwLock::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn is(&self, lie: Lie) -> bool {
        self.lie == lie
    }

    /// The machine as the lie has it.
    fn twisted(&self, id: ServerId, mut machine: Machine) -> Machine {
        let memory = self.memory();
        match self.lie {
            Lie::CreateGivesNoId => machine.provider_id = " ".to_owned(),
            Lie::NeverActive => machine.state = MachineState::Building,
            Lie::FailsLater => machine.state = MachineState::Failed("no host".to_owned()),
            Lie::MachinesShareAnId => machine.provider_id = "the one".to_owned(),
            Lie::RebootMovesTheMachine if memory.rebooted.contains(&id) => {
                let http = SocketAddr::from(([192, 0, 2, 250], 80));
                machine.endpoint = machine.endpoint.map(|endpoint| Endpoint { http, ..endpoint });
            }
            Lie::MachinesShareAnAddress => {
                let ssh = SocketAddr::from(([192, 0, 2, 1], 22));
                machine.endpoint = machine.endpoint.map(|endpoint| Endpoint { ssh, ..endpoint });
            }
            _ => {}
        }
        machine
    }

    fn is_stranger(&self, id: ServerId) -> bool {
        self.honest.strangers().contains(&id)
    }
}

/// A machine of the other installation.
fn strange(id: ServerId) -> Machine {
    Machine {
        provider_id: format!("strange-{id}"),
        state: MachineState::Active,
        endpoint: None,
        host_key: None,
        made_from: MadeFrom::default(),
    }
}

fn no_machine() -> ProviderError {
    ProviderError::Permanent("there is no such machine".to_owned())
}

#[async_trait]
impl Provider for Liar {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Fake
    }

    fn offers(&self) -> MachineOffer {
        let memory_mb = self.is(Lie::OffersNothing).then_some(0);
        MachineOffer { memory_mb, ..self.honest.offers() }
    }

    fn ssh_user(&self) -> &str {
        if self.is(Lie::HasNoUser) { "-oProxyCommand=id" } else { self.honest.ssh_user() }
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let id = machine.server_id;
        let found = self.honest.find(machine).await?.map(|found| self.twisted(id, found));
        Ok(match self.lie {
            Lie::FindHangs => {
                tokio::time::sleep(FOREVER).await;
                None
            }
            Lie::ReadsWaitForCreates => {
                let _paused = self.pause.read().await;
                found
            }
            Lie::FindsNothing => None,
            Lie::FindGivesAnotherId => found.map(|found| Machine { provider_id: "another".to_owned(), ..found }),
            Lie::FindsTheUnknown if !self.memory().terminated.contains_key(&id) => Some(strange(id)),
            Lie::BelievesTheProviderId => match &machine.provider_id {
                Some(known) => {
                    let listed = self.honest.list().await?;
                    listed.into_iter().map(|(_, machine)| machine).find(|machine| machine.provider_id == *known)
                }
                None => found,
            },
            Lie::NeedsTheProviderId => {
                found.filter(|found| machine.provider_id.as_ref().is_none_or(|known| *known == found.provider_id))
            }
            Lie::FindsStrangers if self.is_stranger(id) => Some(strange(id)),
            Lie::RebootLosesTheMachine if self.memory().rebooted.contains(&id) => None,
            Lie::TerminateReturnsEarly => match self.memory().terminated.get_mut(&id) {
                Some(looks) if *looks > 0 => {
                    *looks -= 1;
                    Some(strange(id))
                }
                _ => found,
            },
            _ => found,
        })
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        let id = spec.server_id;
        let is_first = self.memory().created.insert(id);
        let was_cut_off = !self.memory().begun.insert(id);
        match self.lie {
            Lie::CreateHangs => tokio::time::sleep(FOREVER).await,
            Lie::CreateOfActiveIsRefused if !is_first => {
                return Err(ProviderError::Permanent("there is a machine of this name".to_owned()));
            }
            Lie::AdoptsStrangers if self.is_stranger(id) => return Ok(strange(id)),
            Lie::LostCreateMakesAnother | Lie::OverlappingCreatesMakeTwo if was_cut_off => {
                self.memory().doubled.insert(id);
            }
            Lie::LostCreateBlocks if was_cut_off => {
                return Err(ProviderError::Transient("the machine is locked".to_owned()));
            }
            Lie::CreatesFailAtOnce => {
                self.memory().running += 1;
                tokio::time::sleep(PAUSE).await;
                let mut memory = self.memory();
                memory.running -= 1;
                if memory.running > 0 {
                    return Err(ProviderError::Transient("429 Too Many Requests".to_owned()));
                }
            }
            _ => {}
        }
        let spec = match self.lie {
            Lie::LetsInNoKey => &MachineSpec { authorized_key: "ssh-ed25519 AAAA".to_owned(), ..spec.clone() },
            _ => spec,
        };
        if self.is(Lie::LetsInAnyKey) {
            self.honest.plant(id)?;
        }
        let made = match self.lie {
            // Made only at the end, so that a create that was cut off has nothing.
            Lie::LostCreateNeverEnds if was_cut_off => strange(id),
            Lie::ReadsWaitForCreates => {
                let _paused = self.pause.write().await;
                tokio::time::sleep(PAUSE * 25).await;
                self.honest.create(spec).await?
            }
            Lie::LostCreateMakesAnother
            | Lie::LostCreateBlocks
            | Lie::LostCreateNeverEnds
            | Lie::OverlappingCreatesMakeTwo => {
                tokio::time::sleep(PAUSE).await;
                self.honest.create(spec).await?
            }
            _ => self.honest.create(spec).await?,
        };
        self.memory().begun.remove(&id);
        let made = self.twisted(id, made);
        let is_another = match self.lie {
            Lie::SecondCreateMakesAnother => !is_first,
            Lie::OverlappingCreatesMakeTwo => was_cut_off,
            _ => false,
        };
        Ok(if is_another { strange(id) } else { made })
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let id = machine.server_id;
        match self.lie {
            Lie::RebootDoesNothing => return self.honest.find(machine).await?.map(drop).ok_or_else(no_machine),
            Lie::RebootOfMissingSucceeds if self.honest.find(machine).await?.is_none() => return Ok(()),
            Lie::RebootsStrangers if self.is_stranger(id) => return Ok(()),
            _ => {}
        }
        self.memory().rebooted.insert(id);
        self.honest.reboot(machine).await
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let id = machine.server_id;
        let is_first = !self.memory().terminated.contains_key(&id);
        self.memory().terminated.entry(id).or_insert(2);
        match self.lie {
            Lie::TerminateHangs => tokio::time::sleep(FOREVER).await,
            Lie::TerminateIsIgnored => return Ok(()),
            Lie::SecondTerminateFails if !is_first => return Err(no_machine()),
            Lie::TerminatesStrangers if self.is_stranger(id) => self.honest.plant_stranger(ServerId(i64::MAX)),
            _ => {}
        }
        self.memory().doubled.remove(&id);
        self.honest.terminate(machine).await
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let mut list = self.honest.list().await?;
        for (id, machine) in &mut list {
            *machine = self.twisted(*id, machine.clone());
        }
        match self.lie {
            Lie::ListHangs => tokio::time::sleep(FOREVER).await,
            Lie::ListIsPartial => list.truncate(2),
            Lie::ListHasOneTwice => list.extend(list.first().cloned()),
            Lie::ListHasStrangers => list.extend(self.honest.strangers().into_iter().map(|id| (id, strange(id)))),
            Lie::ListGivesOtherIds => list.iter_mut().for_each(|(_, machine)| machine.provider_id.push('x')),
            Lie::TerminatedIsListed => {
                let memory = self.memory();
                list.extend(memory.terminated.keys().map(|id| (*id, strange(*id))));
            }
            Lie::LostCreateMakesAnother | Lie::OverlappingCreatesMakeTwo => {
                let doubled: Vec<_> = self.memory().doubled.iter().map(|id| (*id, strange(*id))).collect();
                list.extend(doubled);
            }
            _ => {}
        }
        Ok(list)
    }
}

#[async_trait]
impl Probe for Liar {
    async fn answers_ssh(&self, address: SocketAddr) -> bool {
        self.honest.answers_ssh(address).await
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        self.honest.boot_marker(login).await
    }

    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError> {
        if self.is(Lie::HasNoSudo) {
            return Err("sudo: a password is required".to_owned().into());
        }
        self.honest.replace_key(login, next).await
    }

    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError> {
        self.honest.install_people(login, block).await
    }
}

/// The other installation of a provider in memory, whose machines are only ids.
#[derive(Debug)]
pub struct Stranger<'a>(pub &'a FakeProvider);

#[async_trait]
impl Provider for Stranger<'_> {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Fake
    }

    fn offers(&self) -> MachineOffer {
        self.0.offers()
    }

    fn ssh_user(&self) -> &str {
        self.0.ssh_user()
    }

    /// Not found once the provider has marked that it has removed one.
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let strangers = self.0.strangers();
        let is_there = strangers.contains(&machine.server_id) && !strangers.contains(&ServerId(i64::MAX));
        Ok(is_there.then(|| strange(machine.server_id)))
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        self.0.plant_stranger(spec.server_id);
        Ok(strange(spec.server_id))
    }

    async fn reboot(&self, _: &MachineRef) -> Result<(), ProviderError> {
        Err(no_machine())
    }

    async fn terminate(&self, _: &MachineRef) -> Result<(), ProviderError> {
        self.0.plant_stranger(ServerId(i64::MAX));
        Ok(())
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        Ok(Vec::new())
    }
}
