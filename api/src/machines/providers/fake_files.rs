//! Machines that are files: for trying out the program without machines, and for tests with real processes. Processes
//! share a directory of them; after a kill, the next process finds there the machines that were created.
//!
//! A machine is `{server id}.json`; it always answers SSH, and one web server serves HTTP for all of them.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared_types::{ProviderKind, ServerId};
use tokio_util::sync::CancellationToken;

use super::fake_web;
use crate::machines::key::KeyPair;
use crate::machines::probe::{Login, Probe, SshError};
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, MadeFrom, Provider, ProviderError,
};

/// File with the address of the machines' web server, written by the process that started the server.
const WEB: &str = "web";
/// Addresses of the machines: the range for documentation (RFC 3849), ending in the machine's id.
const NETWORK: u128 = 0x2001_0db8 << 96;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    server_id: ServerId,
    name: String,
    boots: u64,
}

/// A directory of machines. It also is their probe.
#[derive(Debug, Clone)]
pub struct FileMachines {
    dir: PathBuf,
    web: Option<SocketAddr>,
}

impl FileMachines {
    /// The machines of this directory. They answer HTTP at `web`, or where [`FileMachines::serve`] does.
    ///
    /// # Errors
    /// The I/O error if the directory cannot be created.
    pub fn open(dir: PathBuf, web: Option<SocketAddr>) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, web })
    }

    /// Serves HTTP for the machines until `stop`, unless `web` was given; at the same port as before if it is free.
    ///
    /// # Errors
    /// The I/O error if no port is free or the address cannot be written to its file.
    pub async fn serve(&self, stop: CancellationToken) -> io::Result<()> {
        if self.web.is_some() {
            return Ok(());
        }
        let before = self.web_server().unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = match fake_web::start(before, stop.clone()).await {
            Ok(address) => address,
            Err(_) => fake_web::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), stop).await?,
        };
        self.replace(&self.dir.join(WEB), address.to_string().as_bytes())
    }

    fn web_server(&self) -> io::Result<SocketAddr> {
        match self.web {
            Some(address) => Ok(address),
            None => fs::read_to_string(self.dir.join(WEB))?.trim().parse().map_err(io::Error::other),
        }
    }

    fn path(&self, id: ServerId) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    fn read(&self, id: ServerId) -> io::Result<Option<Record>> {
        match fs::read(self.path(id)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a temporary file beside the others, to be renamed into place.
    fn draft(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("draft-{}-{number}", std::process::id()));
        fs::write(&path, bytes)?;
        Ok(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::rename(self.draft(bytes)?, path)
    }

    /// Two concurrent creates of the same machine result in one.
    fn make(&self, record: &Record) -> io::Result<()> {
        let draft = self.draft(&serde_json::to_vec(record)?)?;
        let made = fs::hard_link(&draft, self.path(record.server_id));
        fs::remove_file(draft)?;
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn seen(&self, id: ServerId) -> io::Result<Machine> {
        let public_ip = IpAddr::V6(Ipv6Addr::from_bits(NETWORK | u128::from(id.0.unsigned_abs())));
        let endpoint = Endpoint { public_ip, ssh: SocketAddr::new(public_ip, 22), http: self.web_server()? };
        let (provider_id, state) = (format!("fake-{id}"), MachineState::Active);
        let made_from = MadeFrom { image: Some("fake-image".to_owned()), flavor: Some("fake-small".to_owned()) };
        Ok(Machine { provider_id, state, endpoint: Some(endpoint), host_key: None, made_from })
    }
}

/// The machine with this address, if it is one of ours.
fn at(address: SocketAddr) -> Option<ServerId> {
    let IpAddr::V6(address) = address.ip() else { return None };
    i64::try_from(address.to_bits().checked_sub(NETWORK)?).ok().map(ServerId)
}

fn failed(error: io::Error) -> ProviderError {
    ProviderError::Transient(format!("the machines' directory: {error}"))
}

#[async_trait]
impl Provider for FileMachines {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Fake
    }

    fn offers(&self) -> MachineOffer {
        MachineOffer::ANY
    }

    fn ssh_user(&self) -> &str {
        "ubuntu"
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let id = machine.server_id;
        self.read(id).and_then(|found| found.map(|_| self.seen(id)).transpose()).map_err(failed)
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        let record = Record { server_id: spec.server_id, name: spec.name.clone(), boots: 1 };
        self.make(&record).and_then(|()| self.seen(spec.server_id)).map_err(failed)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let id = machine.server_id;
        let Some(mut record) = self.read(id).map_err(failed)? else {
            return Err(ProviderError::Permanent(format!("there is no machine {id}")));
        };
        record.boots += 1;
        let written = serde_json::to_vec(&record).map_err(io::Error::from);
        written.and_then(|bytes| self.replace(&self.path(id), &bytes)).map_err(failed)
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        match fs::remove_file(self.path(machine.server_id)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|id| id.parse().ok());
            if let Some(id) = id.map(ServerId) {
                found.push((id, self.seen(id).map_err(failed)?));
            }
        }
        found.sort_by_key(|(id, _)| *id);
        Ok(found)
    }
}

#[async_trait]
impl Probe for FileMachines {
    async fn answers_ssh(&self, address: SocketAddr) -> bool {
        at(address).is_some_and(|id| self.path(id).exists())
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        let found = at(login.address).map_or(Ok(None), |id| self.read(id)).map_err(|error| error.to_string())?;
        found.map(|record| format!("boot {}", record.boots)).ok_or_else(|| "no route to host".to_owned().into())
    }

    /// No process logs in to these machines, so none has to be kept out.
    async fn replace_key(&self, login: &Login, _: &KeyPair) -> Result<(), SshError> {
        if self.answers_ssh(login.address).await { Ok(()) } else { Err("no route to host".to_owned().into()) }
    }

    /// These machines have no `authorized_keys`.
    async fn install_people(&self, login: &Login, _: &str) -> Result<(), SshError> {
        if self.answers_ssh(login.address).await { Ok(()) } else { Err("no route to host".to_owned().into()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn another_process_finds_the_same_machines() {
        let dir = tempfile::tempdir().unwrap();
        let open = || FileMachines::open(dir.path().join("machines"), None).unwrap();
        let (one, stop) = (open(), CancellationToken::new());
        one.serve(stop.clone()).await.unwrap();
        let spec = MachineSpec { server_id: ServerId(7), name: "seven".into(), authorized_key: String::new() };
        let made = one.create(&spec).await.unwrap();
        let (two, seven) = (open(), MachineRef { server_id: ServerId(7), provider_id: None });
        assert_eq!(two.find(&seven).await.unwrap(), Some(made.clone()));
        assert_eq!(two.create(&spec).await.unwrap(), made);
        assert_eq!(two.list().await.unwrap(), [(ServerId(7), made.clone())]);
        let endpoint = made.endpoint.unwrap();
        let login = Login {
            name: "seven".into(),
            address: endpoint.ssh,
            user: "ubuntu".into(),
            host_key: None,
            keys: Vec::new(),
        };
        assert_eq!(two.boot_marker(&login).await.unwrap(), "boot 1");
        two.reboot(&seven).await.unwrap();
        assert!(one.answers_ssh(endpoint.ssh).await);
        assert_eq!(one.create(&spec).await.map(|_| ()), Ok(()), "it is there already");
        assert_eq!(one.boot_marker(&login).await.unwrap(), "boot 2");
        two.terminate(&seven).await.unwrap();
        two.terminate(&seven).await.unwrap();
        assert_eq!((one.find(&seven).await.unwrap(), one.answers_ssh(endpoint.ssh).await), (None, false));
        assert!(one.boot_marker(&login).await.is_err());
        assert_eq!(one.list().await.unwrap(), []);
        stop.cancel();
    }
}
