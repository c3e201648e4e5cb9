//! The record of a machine: `machines/{server id}/machine.json`, beside its files.
//!
//! A data directory may outlive its database, and the next database counts from 1 again: a record names its
//! installation, and records of other installations are never changed or removed. Their addresses stay taken.

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

/// Desired state of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Desired {
    /// Should run: it is booted again when the host or the manager starts.
    Up,
    /// Should be removed: the removal has begun.
    Gone,
}

/// All that is needed to start a machine again. Whether it runs is in its `boot` file, see [`super::process`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub server_id: ServerId,
    pub name: String,
    pub address: Ipv4Addr,
    pub authorized_key: String,
    /// The public host key, `ssh-ed25519 AAAA…`; none until it is generated.
    pub host_key: Option<String>,
    /// The base tree it was made on; stays the same when there is a newer one.
    pub base_tree: PathBuf,
    pub desired: Desired,
    /// The size of its own disk in MiB; none if it has none, as those of older versions.
    #[serde(default)]
    pub disk_mb: Option<u64>,
    /// The installation that owns the machine; none in records of older versions.
    #[serde(default)]
    pub installation: Option<String>,
}

/// Characters of the installation's id in a directory's name.
const TAG_LENGTH: usize = 8;

/// The directory that holds a data directory's machines.
#[derive(Debug, Clone)]
pub(super) struct Store {
    dir: PathBuf,
    installation: String,
}

impl Store {
    pub(super) fn open(dir: PathBuf, installation: String) -> Result<Self, LocalError> {
        fs::create_dir_all(&dir).map_err(LocalError::io(&dir))?;
        // The machines' files have the machines' uids, some of them setuid: deny access to the host's users.
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).map_err(LocalError::io(&dir))?;
        let dir = dir.canonicalize().map_err(LocalError::io(&dir))?;
        Ok(Self { dir, installation })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn installation(&self) -> &str {
        &self.installation
    }

    /// The name of a machine's directory and network: its id; if another installation's machine has that name, with the
    /// beginning of our installation's id.
    pub(super) fn name(&self, server_id: ServerId) -> String {
        let plain = server_id.to_string();
        let tag: String = self.installation.chars().filter(char::is_ascii_alphanumeric).take(TAG_LENGTH).collect();
        let tagged = format!("{server_id}-{tag}");
        let is_ours = |record: Option<Record>| record.is_none_or(|record| self.owns(&record));
        if self.dir.join(&tagged).exists() || !self.record_in(&plain).map_or(true, is_ours) { tagged } else { plain }
    }

    pub(super) fn owns(&self, record: &Record) -> bool {
        record.installation.as_deref() == Some(self.installation.as_str())
    }

    pub(super) fn machine_dir(&self, server_id: ServerId) -> PathBuf {
        self.dir.join(self.name(server_id))
    }

    /// Path of the lock for changing a machine.
    pub(super) fn machine_lock(&self, server_id: ServerId) -> PathBuf {
        self.dir.join(format!("{}.lock", self.name(server_id)))
    }

    /// Path of the lock for giving out addresses and changing the bridge; taken after a machine's lock, never before.
    pub(super) fn network_lock(&self) -> PathBuf {
        self.dir.join("network.lock")
    }

    /// The machine with this id, if this installation has one.
    pub(super) fn read(&self, server_id: ServerId) -> Result<Option<Record>, LocalError> {
        Ok(self.record_in(&self.name(server_id))?.filter(|record| self.owns(record)))
    }

    fn record_in(&self, name: &str) -> Result<Option<Record>, LocalError> {
        read_json(&self.dir.join(name).join(RECORD_FILE))
    }

    pub(super) fn write(&self, record: &Record) -> Result<(), LocalError> {
        let dir = self.machine_dir(record.server_id);
        fs::create_dir_all(&dir).map_err(LocalError::io(&dir))?;
        write_json(&dir.join(RECORD_FILE), record)
    }

    /// Assigns a machine of an earlier version, whose record names no installation, to this installation. The caller
    /// has checked that the database lists it.
    pub(super) fn claim(&self, server_id: ServerId, name: &str) -> Result<(), LocalError> {
        let plain = server_id.to_string();
        let nobodys = self.record_in(&plain)?.filter(|record| record.installation.is_none() && record.name == name);
        let Some(mut record) = nobodys else { return Ok(()) };
        record.installation = Some(self.installation.clone());
        write_json(&self.dir.join(plain).join(RECORD_FILE), &record)
    }

    /// Every machine of this installation, sorted by id.
    pub(super) fn list(&self) -> Result<Vec<Record>, LocalError> {
        let mut records = self.list_all()?;
        records.retain(|record| self.owns(record));
        records.sort_by_key(|record| record.server_id);
        Ok(records)
    }

    /// Every machine in the directory, of all installations.
    fn list_all(&self) -> Result<Vec<Record>, LocalError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(LocalError::io(&self.dir))?.flatten() {
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            let is_machine = name.split('-').next().is_some_and(|id| id.parse::<ServerId>().is_ok());
            if is_machine && entry.path().is_dir() {
                records.extend(self.record_in(name)?);
            }
        }
        Ok(records)
    }

    /// The free address that was given out longest ago, so that a client does not take a new machine for an old one.
    /// The caller holds the network lock until the address is in a record.
    pub(super) fn free_address(&self, subnet: Subnet) -> Result<Ipv4Addr, LocalError> {
        let taken: BTreeSet<_> = self.list_all()?.into_iter().map(|record| record.address).collect();
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

/// The base trees of all machines in a directory of machines, of whichever installation.
pub(super) fn base_trees_in(machines_dir: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let store = Store { dir: machines_dir.to_owned(), installation: String::new() };
    Ok(store.list_all()?.into_iter().map(|record| record.base_tree).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn record(store: &Store, id: i64) -> Record {
        Record {
            server_id: ServerId(id),
            name: format!("edxapp-demo-{id}"),
            address: store.free_address("10.1.2.0/24".parse().unwrap()).unwrap(),
            authorized_key: "ssh-ed25519 AAAA".into(),
            host_key: None,
            base_tree: PathBuf::from("/base"),
            desired: Desired::Up,
            disk_mb: None,
            installation: Some(store.installation.clone()),
        }
    }

    #[test]
    fn two_installations_in_one_directory_never_meet() {
        let dir = tempfile::tempdir().unwrap();
        let open = |installation: &str| Store::open(dir.path().to_owned(), installation.to_owned()).unwrap();
        let (old, new) = (open("aaaaaaaa-1111"), open("bbbbbbbb-2222"));
        let first = record(&old, 1);
        old.write(&first).unwrap();
        assert_eq!(new.read(ServerId(1)).unwrap(), None);
        assert!(new.list().unwrap().is_empty());
        let second = record(&new, 1);
        assert_ne!(second.address, first.address, "the old one's address stays taken");
        new.write(&second).unwrap();
        assert_eq!((old.read(ServerId(1)).unwrap(), new.read(ServerId(1)).unwrap()), (Some(first), Some(second)));
        assert_eq!((old.list().unwrap().len(), new.list().unwrap().len()), (1, 1));
        assert_ne!(old.machine_dir(ServerId(1)), new.machine_dir(ServerId(1)));
        assert_ne!(old.machine_lock(ServerId(1)), new.machine_lock(ServerId(1)));
    }

    #[test]
    fn a_record_of_an_earlier_version_is_readable_and_belongs_to_whose_database_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().to_owned(), "aaaaaaaa-1111".to_owned()).unwrap();
        fs::create_dir(dir.path().join("7")).unwrap();
        let early = r#"{"server_id": 7, "name": "edxapp-demo-7", "address": "10.1.2.3", "authorized_key": "ssh-ed25519 AAAA",
            "host_key": null, "base_tree": "/base", "desired": "up"}"#;
        fs::write(dir.path().join("7/machine.json"), early).unwrap();
        assert_eq!(store.read(ServerId(7)).unwrap(), None, "without an installation");
        store.claim(ServerId(7), "edxapp-other-7").unwrap();
        assert_eq!(store.read(ServerId(7)).unwrap(), None, "another machine with this id");
        store.claim(ServerId(7), "edxapp-demo-7").unwrap();
        assert_eq!(store.read(ServerId(7)).unwrap().unwrap().name, "edxapp-demo-7");
        assert_eq!(store.machine_dir(ServerId(7)), store.dir().join("7"));
    }
}
