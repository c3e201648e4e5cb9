//! Machines of any cloud, through a program of the operator's: each operation runs it once, with a JSON request on
//! stdin and a JSON answer on stdout. docs/provider-contract.md is the contract, version 1.
//!
//! The program is trusted with credentials, but an answer of it is believed only if it is exact: an answer about
//! another machine, another installation, or in another form is an error, and nothing of it is used.

mod answer;
mod fault;
mod machine;
mod program;
mod request;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use shared_types::{ProviderKind, ServerId};
use tokio::sync::Semaphore;

use self::answer::Body;
use self::fault::Fault;
use self::program::Program;
use self::request::{Operation, Request};
use crate::machines::provider::{Machine, MachineOffer, MachineRef, MachineSpec, Provider, ProviderError};

/// Configuration of the provider.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// The program's absolute path.
    pub program: PathBuf,
    /// Arguments of the program, the same for every operation. Visible in the host's process list.
    pub arguments: Vec<String>,
    /// Names of the variables that the program gets from this process, besides `HOME`, `LANG` and `PATH`. Their values
    /// are masked in error messages.
    pub environment: Vec<String>,
    /// The user that Ansible logs in as; may use sudo without a password.
    pub ssh_user: String,
    /// The installation whose machines are served; the program stores it in the metadata of each.
    pub installation: String,
    /// How long `find`, `list` and `offers` may take.
    pub read_limit: Duration,
    /// How long `create`, `reboot` and `terminate` may take.
    pub change_limit: Duration,
    /// How many programs run at the same time; further operations wait.
    pub at_once: usize,
}

/// A program that creates and deletes machines.
#[derive(Debug)]
pub struct CommandProvider {
    program: Program,
    ssh_user: String,
    installation: String,
    read_limit: Duration,
    change_limit: Duration,
    running: Semaphore,
    /// Unset until the program has answered.
    offer: OnceLock<MachineOffer>,
}

impl CommandProvider {
    /// Checks that the program is there and asks it for its offers. If its cloud does not answer, it is asked again
    /// before the first create: active app servers are served all the same.
    ///
    /// # Errors
    /// [`ProviderError::Permanent`] if the program is missing, refuses, or gives an answer that cannot be used; or if a
    /// setting is wrong.
    pub async fn open(config: CommandConfig) -> Result<Self, ProviderError> {
        // `ssh` would take it for an option.
        if config.ssh_user.is_empty() || config.ssh_user.starts_with('-') {
            let what = "OCIM_COMMAND_PROVIDER_SSH_USER is no name of a user: name the one that lets Ansible log in";
            return Err(ProviderError::Permanent(what.to_owned()));
        }
        let CommandConfig { program, arguments, environment, .. } = config;
        let provider = Self {
            program: Program::new(program, arguments, environment).map_err(ProviderError::Permanent)?,
            ssh_user: config.ssh_user,
            installation: config.installation,
            read_limit: config.read_limit,
            change_limit: config.change_limit,
            running: Semaphore::new(config.at_once.max(1)),
            offer: OnceLock::new(),
        };
        match provider.ask_for_offers().await {
            Ok(_) => {}
            Err(fault) if fault.may_be_an_outage() => {
                let error = provider.explain(Operation::Offers, None, &fault);
                tracing::warn!(%error, "the provider's offers are unknown; the first create asks again");
            }
            Err(fault) => {
                return Err(ProviderError::Permanent(provider.explain(Operation::Offers, None, &fault)));
            }
        }
        Ok(provider)
    }

    async fn ask_for_offers(&self) -> Result<MachineOffer, Fault> {
        let body: answer::Offered = self.ask(&Request::plain(Operation::Offers, &self.installation)).await?;
        let offer = body.offers.check().map_err(Fault::Answer)?;
        Ok(*self.offer.get_or_init(|| offer))
    }

    /// Runs the program once, when fewer than the limit run.
    async fn ask<B: Body>(&self, request: &Request<'_>) -> Result<B, Fault> {
        let _running = self.running.acquire().await.map_err(|closed| Fault::System(closed.to_string()))?;
        let (limit, setting) = if request.operation.is_read() {
            (self.read_limit, "OCIM_COMMAND_PROVIDER_READ_SECONDS")
        } else {
            (self.change_limit, "OCIM_COMMAND_PROVIDER_CHANGE_SECONDS")
        };
        let line = request.line().map_err(|error| Fault::System(error.to_string()))?;
        let printed = self.program.run(&line, limit, setting).await?;
        answer::read(&printed)
    }

    async fn ask_about<B: Body>(&self, request: &Request<'_>) -> Result<B, ProviderError> {
        self.ask(request).await.map_err(|fault| self.error(request.operation, request.server_id, fault))
    }

    fn error(&self, operation: Operation, server_id: Option<ServerId>, fault: Fault) -> ProviderError {
        let words = self.explain(operation, server_id, &fault);
        if fault.is_quota() {
            ProviderError::Quota(words)
        } else if fault.is_permanent() {
            ProviderError::Permanent(words)
        } else {
            ProviderError::Transient(words)
        }
    }

    /// A text of the program, or with parts of it, for logs and people.
    fn shown(&self, text: &str) -> String {
        program::words(&self.program.masked(text))
    }

    /// What failed, where, and what to do.
    fn explain(&self, operation: Operation, server_id: Option<ServerId>, fault: &Fault) -> String {
        let (path, operation) = (self.program.path().display(), operation.as_str());
        let about = server_id.map(|id| format!(" of server {id}")).unwrap_or_default();
        let fault = fault.clone().with_words(|text| self.shown(text));
        format!("The provider program {path} {fault} ({operation}{about}).")
    }

    /// The machine in the answer to a request about one server.
    fn believe(&self, request: &Request<'_>, described: answer::Described) -> Result<Machine, ProviderError> {
        let checked = described.check(&self.installation, &|text| self.shown(text)).and_then(|(server_id, machine)| {
            if Some(server_id) == request.server_id {
                Ok(machine)
            } else {
                Err(format!("machine.server_id is {server_id}, which is not the server that was asked about"))
            }
        });
        checked.map_err(|what| self.error(request.operation, request.server_id, Fault::Answer(what)))
    }
}

#[async_trait]
impl Provider for CommandProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Command
    }

    /// Without limits until the program has told them.
    fn offers(&self) -> MachineOffer {
        self.offer.get().copied().unwrap_or(MachineOffer::ANY)
    }

    /// Each question starts the program.
    fn pace(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Most clouds' images have cloud-init; a machine without it costs one more login.
    fn has_first_boot(&self) -> bool {
        true
    }

    fn ssh_user(&self) -> &str {
        &self.ssh_user
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let request = Request::about(Operation::Find, &self.installation, machine);
        let body: answer::Found = self.ask_about(&request).await?;
        body.machine.map(|described| self.believe(&request, described)).transpose()
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        if self.offer.get().is_none() {
            self.ask_for_offers().await.map_err(|fault| self.error(Operation::Offers, None, fault))?;
        }
        let request = Request::create(&self.installation, spec);
        let body: answer::Made = self.ask_about(&request).await?;
        self.believe(&request, body.machine)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let request = Request::about(Operation::Reboot, &self.installation, machine);
        self.ask_about::<answer::Done>(&request).await.map(drop)
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let request = Request::about(Operation::Terminate, &self.installation, machine);
        self.ask_about::<answer::Done>(&request).await.map(drop)
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let request = Request::plain(Operation::List, &self.installation);
        let body: answer::Listed = self.ask_about(&request).await?;
        let checked = machine::check_list(body.machines, &self.installation, &|text| self.shown(text));
        checked.map_err(|what| self.error(Operation::List, None, Fault::Answer(what)))
    }
}
