//! The certificates that HAProxy serves: files in a directory of their own, named in the list that HAProxy reads when it
//! starts, and changed through its runtime socket. A file is never changed: a renewed certificate is another file, which is
//! served before the old one is withdrawn.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use secrecy::{ExposeSecret, SecretString};
use shared_types::CertificateId;

use super::config::CERTIFIED;
use super::map_file::{self, Entries};
use super::runtime::Runtime;
use crate::platform::files;
use crate::routing::traffic::{
    CERTIFICATES_AT_ONCE, Certificate, CertificateSource, Revisions, TrafficError, check_host,
};

/// The list, and the ending of the certificates' files. What a file is for stands in the list's own comment lines.
const LIST: &str = "list";
const ENDING: &str = ".pem";
/// The largest certificate with its intermediates and key, in bytes: HAProxy takes it in one buffer.
const LARGEST: usize = 30_000;

/// The directory of certificates of a HAProxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateFiles {
    directory: PathBuf,
}

/// What HAProxy serves of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    revision: i64,
    names: Vec<String>,
}

/// The certificates of the list.
type List = BTreeMap<CertificateId, Entry>;

impl CertificateFiles {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The list's path, as HAProxy's configuration names it.
    pub(super) fn list(&self) -> PathBuf {
        self.directory.join(LIST)
    }

    /// Makes the directory and the list if they are missing, and takes from the list what has lost its file, so that HAProxy
    /// starts. `gateway`: HAProxy's directory.
    pub(super) fn prepare(&self, gateway: &Path) -> io::Result<()> {
        files::private_dir(&self.directory)?;
        let mut list = self.read()?;
        list.retain(|id, entry| self.file(*id, entry.revision).is_file());
        self.write(&list, gateway)
    }

    /// Has HAProxy serve exactly these. Those that it cannot serve are left out, and named in the error. The caller holds the
    /// lock of HAProxy's directory.
    pub(super) async fn become_these(
        &self,
        all: &Revisions,
        source: &dyn CertificateSource,
        runtime: &Runtime,
        gateway: &Path,
    ) -> Result<(), TrafficError> {
        let mut list = self.read().map_err(|error| self.failed(&error))?;
        let is_served = |list: &List, id: CertificateId, revision: i64| {
            list.get(&id).is_some_and(|entry| entry.revision == revision)
        };
        let missing: Vec<_> =
            all.iter().filter(|(id, revision)| !is_served(&list, **id, **revision)).map(|(id, _)| *id).collect();
        let mut troubles = Vec::new();
        if !missing.is_empty() {
            runtime.end_transaction().await?;
        }
        for ids in missing.chunks(CERTIFICATES_AT_ONCE) {
            for certificate in source.certificates(ids).await? {
                if is_served(&list, certificate.id, certificate.revision) {
                    continue;
                }
                let names = certificate.names.join(", ");
                match self.add(certificate, &mut list, runtime, gateway).await {
                    Ok(()) => {}
                    Err(error) => troubles.push(format!("the certificate of {names}: {error}")),
                }
            }
        }
        let unwanted: Vec<_> = list.keys().filter(|id| !all.contains_key(id)).copied().collect();
        for id in unwanted {
            if let Some(old) = list.remove(&id) {
                self.write(&list, gateway).map_err(|error| self.failed(&error))?;
                self.withdraw(id, old.revision, runtime).await?;
            }
        }
        self.delete_strangers(&list).map_err(|error| self.failed(&error))?;
        self.tell_names(&list, runtime).await?;
        if troubles.is_empty() { Ok(()) } else { Err(TrafficError(troubles.join("; "))) }
    }

    /// The running list and map become what the files say, after HAProxy was changed by others or started with less.
    pub(super) async fn load(&self, runtime: &Runtime) -> Result<(), TrafficError> {
        let list = self.read().map_err(|error| self.failed(&error))?;
        let present = runtime.listed(&self.list()).await?;
        for (id, entry) in &list {
            let file = self.file(*id, entry.revision);
            if !present.contains(&file.display().to_string()) {
                let pem = fs::read_to_string(&file).map_err(|error| self.failed(&error))?;
                runtime.serve(&self.list(), &file, &SecretString::from(pem)).await?;
            }
        }
        self.tell_names(&list, runtime).await
    }

    async fn add(
        &self,
        certificate: Certificate,
        list: &mut List,
        runtime: &Runtime,
        gateway: &Path,
    ) -> Result<(), TrafficError> {
        let Certificate { id, revision, names, chain, key } = certificate;
        let pem = pem(&chain, &key)?;
        check_names(&names)?;
        let file = self.file(id, revision);
        files::write_plain(&file, pem.expose_secret().as_bytes()).map_err(|error| self.failed(&error))?;
        // The list has it only once HAProxy has accepted it: with one that it refuses, HAProxy would not start.
        runtime.serve(&self.list(), &file, &pem).await?;
        let old = list.insert(id, Entry { revision, names });
        self.write(list, gateway).map_err(|error| self.failed(&error))?;
        match old.filter(|old| old.revision != revision) {
            Some(old) => self.withdraw(id, old.revision, runtime).await,
            None => Ok(()),
        }
    }

    /// Has HAProxy serve a file no more, and deletes it. Open connections go on.
    async fn withdraw(&self, id: CertificateId, revision: i64, runtime: &Runtime) -> Result<(), TrafficError> {
        let file = self.file(id, revision);
        runtime.withdraw(&self.list(), &file).await?;
        fs::remove_file(&file).or_else(unless_missing).map_err(|error| self.failed(&error))
    }

    /// Deletes the files that the list does not name: a process ended before it had listed them.
    fn delete_strangers(&self, list: &List) -> io::Result<()> {
        let known: BTreeSet<_> = list.iter().map(|(id, entry)| self.file(*id, entry.revision)).collect();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let is_certificate = path.to_string_lossy().ends_with(ENDING);
            if is_certificate && !known.contains(&path) {
                fs::remove_file(&path).or_else(unless_missing)?;
            }
        }
        Ok(())
    }

    async fn tell_names(&self, list: &List, runtime: &Runtime) -> Result<(), TrafficError> {
        runtime.become_table(CERTIFIED, &certified(list)).await
    }

    fn file(&self, id: CertificateId, revision: i64) -> PathBuf {
        self.directory.join(format!("{}.{revision}{ENDING}", id.0))
    }

    fn read(&self) -> io::Result<List> {
        match fs::read_to_string(self.list()) {
            Ok(text) => Ok(text.lines().filter_map(entry).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(List::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes the list, and the map of the names that have a certificate.
    fn write(&self, list: &List, gateway: &Path) -> io::Result<()> {
        let mut text = String::new();
        for (id, entry) in list {
            text.push_str(&format!("# {} {} {}\n", id.0, entry.revision, entry.names.join(" ")));
            text.push_str(&format!("{}\n", self.file(*id, entry.revision).display()));
        }
        let aside = self.directory.join(format!("{LIST}.new"));
        files::write_plain(&aside, text.as_bytes())?;
        fs::rename(aside, self.list())?;
        map_file::keep(gateway, CERTIFIED, &certified(list))
    }

    fn failed(&self, error: &io::Error) -> TrafficError {
        TrafficError(format!("the certificates in {} cannot be kept: {error}", self.directory.display()))
    }
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Reads a comment line of the list: id, revision, names.
fn entry(line: &str) -> Option<(CertificateId, Entry)> {
    let mut words = line.strip_prefix("# ")?.split(' ');
    let id = CertificateId(words.next()?.parse().ok()?);
    let revision = words.next()?.parse().ok()?;
    Some((id, Entry { revision, names: words.map(str::to_owned).collect() }))
}

/// The map of names that have a certificate.
fn certified(list: &List) -> Entries {
    list.values().flat_map(|entry| entry.names.iter().map(|name| (name.clone(), "yes".to_owned()))).collect()
}

/// Certificate, intermediates and key as HAProxy reads them, without empty lines, which end its input.
fn pem(chain: &str, key: &SecretString) -> Result<SecretString, TrafficError> {
    let lines = chain.lines().chain(key.expose_secret().lines()).map(str::trim_end).filter(|line| !line.is_empty());
    let pem: String = lines.flat_map(|line| [line, "\n"]).collect();
    match pem.len() {
        length if length > LARGEST => {
            Err(TrafficError(format!("it has {length} bytes with its intermediates and key; {LARGEST} is the limit")))
        }
        _ => Ok(pem.into()),
    }
}

fn check_names(names: &[String]) -> Result<(), TrafficError> {
    names.iter().try_for_each(|name| check_host(name.strip_prefix("*.").unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let files = CertificateFiles::new(directory.path().join("certificates"));
        files.prepare(directory.path()).unwrap();
        assert_eq!(fs::read_to_string(files.list()).unwrap(), "", "HAProxy does not start without the file");
        let entry =
            |revision, names: &[&str]| Entry { revision, names: names.iter().map(|&name| name.into()).collect() };
        let list: List =
            [(CertificateId(3), entry(7, &["a.example", "b.example"])), (CertificateId(4), entry(1, &["*.c.example"]))]
                .into();
        for (id, entry) in &list {
            fs::write(files.file(*id, entry.revision), "").unwrap();
        }
        files.write(&list, directory.path()).unwrap();
        assert_eq!(files.read().unwrap(), list);
        let map = fs::read_to_string(directory.path().join(CERTIFIED)).unwrap();
        assert_eq!(map, "*.c.example yes\na.example yes\nb.example yes\n");

        fs::remove_file(files.file(CertificateId(3), 7)).unwrap();
        fs::write(files.file(CertificateId(9), 9), "").unwrap();
        files.prepare(directory.path()).unwrap();
        assert_eq!(files.read().unwrap().into_keys().map(|id| id.0).collect::<Vec<_>>(), [4]);
        files.delete_strangers(&files.read().unwrap()).unwrap();
        assert!(!files.file(CertificateId(9), 9).exists() && files.file(CertificateId(4), 1).exists());
    }

    #[test]
    fn what_haproxy_reads_has_no_empty_line_and_a_limit() {
        let text = pem("A\r\n\nB\n", &SecretString::from("K\n\n")).unwrap();
        assert_eq!(text.expose_secret(), "A\nB\nK\n");
        let words = pem(&"A\n".repeat(LARGEST), &SecretString::from("K")).unwrap_err().0;
        assert!(words.contains("30000 is the limit"), "{words}");
    }
}
