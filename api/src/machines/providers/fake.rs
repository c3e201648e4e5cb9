//! A provider in memory for tests: its machines answer HTTP by the web servers it is given, and it fails on request.
//! It also is the probe of its machines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shared_types::{ProviderKind, ServerId};

use crate::machines::key::KeyPair;
use crate::machines::probe::{Login, Probe, SshError};
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, MadeFrom, Provider, ProviderError,
};

/// Outcome of one create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeCreate {
    /// No machine is created; the caller gets this error.
    Refused(ProviderError),
    /// A machine is created, but the caller gets an error as if the answer was lost.
    AnswerLost,
    /// A machine that is `Building` for this many polls.
    Slow(u32),
    /// A machine that the provider reports as failed, with this message.
    Failed(String),
}

/// Number of calls of each operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FakeMachineCalls {
    /// Calls of [`Provider::create`], successful or not.
    pub create: u32,
    /// Calls of [`Provider::reboot`], successful or not.
    pub reboot: u32,
    /// Calls of [`Provider::terminate`].
    pub terminate: u32,
    /// Calls of [`Probe::replace_key`], successful or not.
    pub replace_key: u32,
    /// Calls of [`Probe::install_people`], successful or not.
    pub install_people: u32,
}

#[derive(Debug)]
struct FakeMachine {
    endpoint: Endpoint,
    /// Polls left until it is active.
    building: u32,
    failure: Option<String>,
    boots: u32,
    /// The public key that it lets in; none: any.
    authorized_key: Option<String>,
    /// The block with the keys of people; blank: it was given none.
    people: String,
}

#[derive(Debug)]
struct State {
    machines: BTreeMap<ServerId, FakeMachine>,
    made: usize,
    /// Machines of another installation, whose ids may equal ours.
    strangers: BTreeSet<ServerId>,
    is_away: bool,
    lists_nothing: bool,
    creates: VecDeque<FakeCreate>,
    calls: FakeMachineCalls,
    answers_ssh: bool,
    restarts: bool,
    /// Calls of terminate that still fail as if the provider did not answer.
    away: u32,
    offer: MachineOffer,
    is_called_local: bool,
    pace: Duration,
    takes_people: bool,
    /// What machines that are gone have left.
    leftovers: Vec<String>,
    /// What the first boot of its machines still does; none: nothing.
    first_boot: Option<&'static str>,
}

/// Machines in memory. The caller runs their web servers.
#[derive(Debug)]
pub struct FakeProvider {
    web_servers: Vec<SocketAddr>,
    state: Mutex<State>,
}

impl FakeProvider {
    /// The first machine gets the first of these addresses for HTTP, the second the second, and then round again.
    pub fn new(web_servers: Vec<SocketAddr>) -> Self {
        let state = State {
            machines: BTreeMap::new(),
            made: 0,
            strangers: BTreeSet::new(),
            is_away: false,
            lists_nothing: false,
            creates: VecDeque::new(),
            calls: FakeMachineCalls::default(),
            answers_ssh: true,
            restarts: true,
            away: 0,
            offer: MachineOffer::ANY,
            is_called_local: false,
            pace: Duration::ZERO,
            takes_people: true,
            leftovers: Vec::new(),
            first_boot: None,
        };
        Self { web_servers, state: Mutex::new(state) }
    }

    /// The same, whose first machine has this number: two providers' machines then have different addresses.
    #[must_use]
    pub fn beginning_at(self, number: usize) -> Self {
        self.state().made = number;
        self
    }

    /// Sets the capacity of its machines.
    pub fn offer(&self, offer: MachineOffer) {
        self.state().offer = offer;
    }

    /// Queues the outcome of a create. Without one, a create succeeds at once.
    pub fn next_create(&self, create: FakeCreate) {
        self.state().creates.push_back(create);
    }

    /// Sets the least time between two questions about a machine.
    pub fn set_pace(&self, pace: Duration) {
        self.state().pace = pace;
    }

    /// Sets whether it says that its machines are local ones.
    pub fn set_called_local(&self, is_called_local: bool) {
        self.state().is_called_local = is_called_local;
    }

    /// Sets whether machines answer SSH.
    pub fn set_answers_ssh(&self, answers: bool) {
        self.state().answers_ssh = answers;
    }

    /// Sets whether a reboot really restarts the machine.
    pub fn set_restarts(&self, restarts: bool) {
        self.state().restarts = restarts;
    }

    /// Lets the next `calls` calls of terminate fail as if the provider did not answer.
    pub fn be_away_at_terminate(&self, calls: u32) {
        self.state().away = calls;
    }

    /// Removes a machine behind the manager's back.
    pub fn lose(&self, id: ServerId) {
        self.state().machines.remove(&id);
    }

    /// Adds a machine of our installation without a create, as after a restore of the database.
    ///
    /// # Errors
    /// [`ProviderError::Permanent`] if it was given no web servers.
    pub fn plant(&self, id: ServerId) -> Result<(), ProviderError> {
        let mut state = self.state();
        let endpoint = self.endpoint(state.machines.len())?;
        let machine =
            FakeMachine { endpoint, building: 0, failure: None, boots: 1, authorized_key: None, people: String::new() };
        state.machines.insert(id, machine);
        Ok(())
    }

    /// Adds something that a machine that is gone has left, in words.
    pub fn leave(&self, words: &str) {
        self.state().leftovers.push(words.to_owned());
    }

    /// Sets what the first boot of its machines still does.
    pub fn set_first_boot(&self, first_boot: Option<&'static str>) {
        self.state().first_boot = first_boot;
    }

    pub fn leftovers(&self) -> usize {
        self.state().leftovers.len()
    }

    /// Adds a machine of another installation with this id.
    pub fn plant_stranger(&self, id: ServerId) {
        self.state().strangers.insert(id);
    }

    pub fn strangers(&self) -> Vec<ServerId> {
        self.state().strangers.iter().copied().collect()
    }

    /// Sets whether every call fails as if the provider did not answer.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Sets whether it lists no machine, as with credentials of another project. A lookup by id still finds them.
    pub fn set_lists_nothing(&self, lists_nothing: bool) {
        self.state().lists_nothing = lists_nothing;
    }

    pub fn machines(&self) -> Vec<ServerId> {
        self.state().machines.keys().copied().collect()
    }

    /// The public key that a machine lets in; none if there is no such machine, or it lets in any.
    pub fn authorized_key(&self, id: ServerId) -> Option<String> {
        self.state().machines.get(&id).and_then(|machine| machine.authorized_key.clone())
    }

    /// The block with the keys of people that a machine was last given; blank: none, or there is no such machine.
    pub fn people(&self, id: ServerId) -> String {
        self.state().machines.get(&id).map(|machine| machine.people.clone()).unwrap_or_default()
    }

    /// Sets whether machines take the keys of people.
    pub fn set_takes_people(&self, takes_people: bool) {
        self.state().takes_people = takes_people;
    }

    pub fn calls(&self) -> FakeMachineCalls {
        self.state().calls
    }

    /// A test that panicked while holding the lock leaves the machines consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machines, or an error while the provider is set not to answer.
    fn answering(&self) -> Result<MutexGuard<'_, State>, ProviderError> {
        let state = self.state();
        if state.is_away { Err(ProviderError::Transient("the provider does not answer".to_owned())) } else { Ok(state) }
    }

    /// The machine's endpoint: SSH at an unassigned address (RFC 5737), HTTP at the caller's web server.
    fn endpoint(&self, number: usize) -> Result<Endpoint, ProviderError> {
        let none = || ProviderError::Permanent("there is no web server to play a machine".to_owned());
        let http = self.web_servers.iter().cycle().nth(number).copied().ok_or_else(none)?;
        let host = u8::try_from(number % 250 + 1).unwrap_or(1);
        let public_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
        let port = 22 + u16::try_from(number / 250).unwrap_or(0);
        Ok(Endpoint { public_ip, ssh: SocketAddr::new(public_ip, port), http })
    }
}

impl State {
    /// The machine at this address, if it lets in one of the keys.
    fn let_in(&mut self, login: &Login) -> Result<&mut FakeMachine, String> {
        let found = self.machines.values_mut().find(|machine| machine.endpoint.ssh == login.address);
        let found = found.ok_or_else(|| "no route to host".to_owned())?;
        let is_known = |known: &String| login.keys.iter().any(|key| key.public() == known);
        if found.authorized_key.as_ref().is_none_or(is_known) {
            Ok(found)
        } else {
            Err("Permission denied (publickey).".to_owned())
        }
    }
}

fn seen(id: ServerId, machine: &FakeMachine) -> Machine {
    let state = match &machine.failure {
        Some(words) => MachineState::Failed(words.clone()),
        None if machine.building > 0 => MachineState::Building,
        None => MachineState::Active,
    };
    let made_from = MadeFrom { image: Some("fake-image".to_owned()), flavor: Some("fake-small".to_owned()) };
    Machine { provider_id: format!("fake-{id}"), state, endpoint: Some(machine.endpoint), host_key: None, made_from }
}

#[async_trait]
impl Provider for FakeProvider {
    fn kind(&self) -> ProviderKind {
        if self.state().is_called_local { ProviderKind::Local } else { ProviderKind::Fake }
    }

    fn pace(&self) -> Duration {
        self.state().pace
    }

    fn offers(&self) -> MachineOffer {
        self.state().offer
    }

    fn ssh_user(&self) -> &str {
        "ubuntu"
    }

    fn has_first_boot(&self) -> bool {
        self.state().first_boot.is_some()
    }

    fn python(&self) -> Option<&str> {
        Some("/usr/bin/python3")
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let mut state = self.answering()?;
        let Some(found) = state.machines.get_mut(&machine.server_id) else {
            return Ok(None);
        };
        found.building = found.building.saturating_sub(1);
        Ok(Some(seen(machine.server_id, found)))
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        let mut state = self.state();
        state.calls.create += 1;
        let (building, failure, is_lost) = match state.creates.pop_front() {
            Some(FakeCreate::Refused(error)) => return Err(error),
            Some(FakeCreate::AnswerLost) => (0, None, true),
            Some(FakeCreate::Slow(looks)) => (looks, None, false),
            Some(FakeCreate::Failed(words)) => (0, Some(words), false),
            None => (0, None, false),
        };
        // No two machines share an address, even if the earlier one is gone.
        let endpoint = self.endpoint(state.made)?;
        state.made += 1;
        let authorized_key = Some(spec.authorized_key.clone());
        let made = FakeMachine { endpoint, building, failure, boots: 1, authorized_key, people: String::new() };
        let made = state.machines.entry(spec.server_id).or_insert(made);
        if is_lost {
            return Err(ProviderError::Transient("the answer was lost".to_owned()));
        }
        Ok(seen(spec.server_id, made))
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let mut state = self.state();
        state.calls.reboot += 1;
        let restarts = u32::from(state.restarts);
        let gone = || ProviderError::Permanent(format!("there is no machine {}", machine.server_id));
        state.machines.get_mut(&machine.server_id).ok_or_else(gone)?.boots += restarts;
        Ok(())
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let mut state = self.answering()?;
        state.calls.terminate += 1;
        if let Some(left) = state.away.checked_sub(1) {
            state.away = left;
            return Err(ProviderError::Transient("503 Service Unavailable".to_owned()));
        }
        state.machines.remove(&machine.server_id);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let state = self.answering()?;
        if state.lists_nothing {
            return Ok(Vec::new());
        }
        Ok(state.machines.iter().map(|(id, machine)| (*id, seen(*id, machine))).collect())
    }

    async fn release_leftovers(&self) -> Result<Vec<String>, ProviderError> {
        Ok(std::mem::take(&mut self.answering()?.leftovers))
    }
}

#[async_trait]
impl Probe for FakeProvider {
    async fn answers_ssh(&self, _: SocketAddr) -> bool {
        self.state().answers_ssh
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        let mut state = self.state();
        Ok(format!("boot {}", state.let_in(login)?.boots))
    }

    async fn first_boot(&self, login: &Login) -> Result<Option<&'static str>, SshError> {
        let mut state = self.state();
        state.let_in(login)?;
        Ok(state.first_boot)
    }

    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError> {
        let mut state = self.state();
        state.calls.replace_key += 1;
        state.let_in(login)?.authorized_key = Some(next.public().to_owned());
        Ok(())
    }

    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError> {
        let mut state = self.state();
        state.calls.install_people += 1;
        if !state.takes_people {
            return Err("no answer over SSH within 20 s".to_owned().into());
        }
        block.clone_into(&mut state.let_in(login)?.people);
        Ok(())
    }
}
