//! A provider in memory, for tests of what uses one: it makes as many machines as there are web servers to play them, and
//! fails as it is told. It also answers for its machines what a probe asks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared_types::ServerId;

use crate::machines::probe::{Login, Probe};
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, Provider, ProviderError,
};

/// What becomes of one create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeCreate {
    /// No machine, and this error.
    Refused(ProviderError),
    /// A machine, but the caller is told that nobody answered.
    AnswerLost,
    /// A machine that is building for so many looks at it.
    Slow(u32),
    /// A machine that the provider gives up on, in these words.
    Failed(String),
}

/// How often each operation was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FakeMachineCalls {
    /// [`Provider::create`], whatever came of it.
    pub create: u32,
    /// [`Provider::reboot`].
    pub reboot: u32,
    /// [`Provider::terminate`].
    pub terminate: u32,
}

#[derive(Debug)]
struct FakeMachine {
    endpoint: Endpoint,
    /// Looks at it until it is active.
    building: u32,
    failure: Option<String>,
    boots: u32,
}

#[derive(Debug)]
struct State {
    machines: BTreeMap<ServerId, FakeMachine>,
    made: usize,
    /// Of another installation, under ids that we may have too.
    strangers: BTreeSet<ServerId>,
    is_away: bool,
    lists_nothing: bool,
    creates: VecDeque<FakeCreate>,
    calls: FakeMachineCalls,
    answers_ssh: bool,
    restarts: bool,
    /// Calls that still find nobody there.
    away: u32,
    offer: MachineOffer,
}

/// Machines in memory. Their web servers are the caller's.
#[derive(Debug)]
pub struct FakeProvider {
    web_servers: Vec<SocketAddr>,
    state: Mutex<State>,
}

impl FakeProvider {
    /// The first machine answers HTTP at the first of these addresses, the second at the second, and then round again.
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
        };
        Self { web_servers, state: Mutex::new(state) }
    }

    /// What its machines have from now on.
    pub fn offer(&self, offer: MachineOffer) {
        self.state().offer = offer;
    }

    /// What becomes of the next create that is not told yet. By default all goes well at once.
    pub fn next_create(&self, create: FakeCreate) {
        self.state().creates.push_back(create);
    }

    /// Whether machines answer SSH.
    pub fn set_answers_ssh(&self, answers: bool) {
        self.state().answers_ssh = answers;
    }

    /// Whether a machine that is rebooted does restart.
    pub fn set_restarts(&self, restarts: bool) {
        self.state().restarts = restarts;
    }

    /// The next calls that would take a machine away find nobody there, so many of them.
    pub fn be_away_at_terminate(&self, calls: u32) {
        self.state().away = calls;
    }

    /// A machine vanishes without anybody having asked for it.
    pub fn lose(&self, id: ServerId) {
        self.state().machines.remove(&id);
    }

    /// A machine with our id and installation turns up without any create, as after a database was put back.
    ///
    /// # Errors
    /// When there is no web server to play it.
    pub fn plant(&self, id: ServerId) -> Result<(), ProviderError> {
        let mut state = self.state();
        let endpoint = self.endpoint(state.machines.len())?;
        state.machines.insert(id, FakeMachine { endpoint, building: 0, failure: None, boots: 1 });
        Ok(())
    }

    /// Another installation has a machine with this id.
    pub fn plant_stranger(&self, id: ServerId) {
        self.state().strangers.insert(id);
    }

    /// The machines of another installation.
    pub fn strangers(&self) -> Vec<ServerId> {
        self.state().strangers.iter().copied().collect()
    }

    /// Whether nothing that is asked is answered.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Whether it lists no machine at all, as with credentials of another project. One that is asked for is found still.
    pub fn set_lists_nothing(&self, lists_nothing: bool) {
        self.state().lists_nothing = lists_nothing;
    }

    /// The machines there are.
    pub fn machines(&self) -> Vec<ServerId> {
        self.state().machines.keys().copied().collect()
    }

    /// How often each operation was called.
    pub fn calls(&self) -> FakeMachineCalls {
        self.state().calls
    }

    /// A test that panicked elsewhere leaves the machines as whole as they were.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machines, where anybody answers.
    fn answering(&self) -> Result<MutexGuard<'_, State>, ProviderError> {
        let state = self.state();
        if state.is_away { Err(ProviderError::Transient("the provider does not answer".to_owned())) } else { Ok(state) }
    }

    /// Where the machine answers: SSH at an address that nobody has (RFC 5737), HTTP where the caller says.
    fn endpoint(&self, number: usize) -> Result<Endpoint, ProviderError> {
        let none = || ProviderError::Permanent("there is no web server to play a machine".to_owned());
        let http = self.web_servers.iter().cycle().nth(number).copied().ok_or_else(none)?;
        let host = u8::try_from(number % 250 + 1).unwrap_or(1);
        let public_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
        let port = 22 + u16::try_from(number / 250).unwrap_or(0);
        Ok(Endpoint { public_ip, ssh: SocketAddr::new(public_ip, port), http })
    }
}

fn seen(id: ServerId, machine: &FakeMachine) -> Machine {
    let state = match &machine.failure {
        Some(words) => MachineState::Failed(words.clone()),
        None if machine.building > 0 => MachineState::Building,
        None => MachineState::Active,
    };
    Machine { provider_id: format!("fake-{id}"), state, endpoint: Some(machine.endpoint), host_key: None }
}

#[async_trait]
impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn offers(&self) -> MachineOffer {
        self.state().offer
    }

    fn ssh_user(&self) -> &str {
        "ubuntu"
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
        // No two machines share an address, whatever has become of the earlier one.
        let endpoint = self.endpoint(state.made)?;
        state.made += 1;
        let made =
            state.machines.entry(spec.server_id).or_insert(FakeMachine { endpoint, building, failure, boots: 1 });
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
}

#[async_trait]
impl Probe for FakeProvider {
    async fn answers_ssh(&self, _: SocketAddr) -> bool {
        self.state().answers_ssh
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, String> {
        let state = self.state();
        let asked = state.machines.values().find(|machine| machine.endpoint.ssh == login.address);
        asked.map(|machine| format!("boot {}", machine.boots)).ok_or_else(|| "no route to host".to_owned())
    }
}
