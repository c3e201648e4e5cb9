//! What is kept of a machine: `machines/{server id}/machine.json`, beside its files.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared_types::ServerId;

use super::error::LocalError;
use super::files::{read_json, write_json};
use super::subnet::Subnet;

const RECORD_FILE: &str = "machine.json";
const LAST_NUMBER_FILE: &str = "last-number.json";

/// What a machine is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Desired {
    /// It runs, and is booted again when the host or the manager starts.
    Up,
    /// Its removal has begun and is to be finished.
    Gone,
}

/// A machine, as far as it must be known to start it again. Whether it runs is in its `boot` file, see [`super::process`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub server_id: ServerId,
    pub name: String,
    pub address: Ipv4Addr,
    pub authorized_key: String,
    /// The public host key, `ssh-ed25519 AAAA…`; none before it was made.
    pub host_key: Option<String>,
    /// The base tree it was made on. It keeps it when there is a newer one.
    pub base_tree: PathBuf,
    pub desired: Desired,
}

/// The directory that holds a data directory's machines.
#[derive(Debug, Clone)]
pub(super) struct Store {
    dir: PathBuf,
}

impl Store {
    pub(super) fn open(dir: PathBuf) -> Result<Self, LocalError> {
        fs::create_dir_all(&dir).map_err(LocalError::io(&dir))?;
        // The machines' files belong to the machines' users, some of them setuid: the host's users stay out.
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).map_err(LocalError::io(&dir))?;
        let dir = dir.canonicalize().map_err(LocalError::io(&dir))?;
        Ok(Self { dir })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A machine's own directory.
    pub(super) fn machine_dir(&self, server_id: ServerId) -> PathBuf {
        self.dir.join(server_id.to_string())
    }

    /// Whoever changes a machine holds it.
    pub(super) fn machine_lock(&self, server_id: ServerId) -> PathBuf {
        self.dir.join(format!("{server_id}.lock"))
    }

    /// Whoever gives out addresses or changes the bridge holds it; taken after a machine's lock, never before.
    pub(super) fn network_lock(&self) -> PathBuf {
        self.dir.join("network.lock")
    }

    pub(super) fn read(&self, server_id: ServerId) -> Result<Option<Record>, LocalError> {
        read_json(&self.machine_dir(server_id).join(RECORD_FILE))
    }

    pub(super) fn write(&self, record: &Record) -> Result<(), LocalError> {
        let dir = self.machine_dir(record.server_id);
        fs::create_dir_all(&dir).map_err(LocalError::io(&dir))?;
        write_json(&dir.join(RECORD_FILE), record)
    }

    /// Every machine, by id.
    pub(super) fn list(&self) -> Result<Vec<Record>, LocalError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(LocalError::io(&self.dir))?.flatten() {
            let server_id = entry.file_name().to_str().and_then(|name| name.parse::<ServerId>().ok());
            let record = server_id.map(|server_id| self.read(server_id)).transpose()?.flatten();
            records.extend(record);
        }
        records.sort_by_key(|record| record.server_id);
        Ok(records)
    }

    /// An address no machine has; the one given out longest ago, so that nobody mistakes a new machine for an old one.
    /// The caller holds the network lock until the address is in a record.
    pub(super) fn free_address(&self, subnet: Subnet) -> Result<Ipv4Addr, LocalError> {
        let taken: BTreeSet<_> = self.list()?.into_iter().map(|record| record.address).collect();
        let last_file = self.dir.join(LAST_NUMBER_FILE);
        let last: u32 = read_json(&last_file)?.unwrap_or_default();
        let free = subnet.numbers_after(last).find_map(|number| {
            subnet.address(number).filter(|address| !taken.contains(address)).map(|address| (number, address))
        });
        let Some((number, address)) = free else {
            return Err(LocalError::Exhausted(format!(
                "all {} addresses of {subnet} are taken: terminate machines, or set a larger subnet",
                taken.len()
            )));
        };
        write_json(&last_file, &number)?;
        Ok(address)
    }
}
