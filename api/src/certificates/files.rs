//! Certificates from a directory of files. Each process that has the directory reads it; what it holds is stored, so that all
//! gateways serve the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::pem::{self, Facts};
use super::store::files as store;
use crate::platform::db::{Db, DbError};
use crate::platform::vault::Keyring;

/// The size limit of a file, in bytes.
const MAX_BYTES: u64 = 256 << 10;
/// The most files that are read.
const MAX_FILES: usize = 2000;
/// Permissions of others than the owner and the group.
const OTHERS: u32 = 0o007;

/// A certificate that was read from a file, with its key.
#[derive(Debug, Clone)]
pub struct FromFile {
    /// The file of the chain.
    pub file: PathBuf,
    pub chain: String,
    pub key: SecretString,
    pub facts: Facts,
}

/// What a directory holds.
#[derive(Debug, Default)]
pub struct Found {
    /// One for each set of names: the one that expires last.
    pub certificates: Vec<FromFile>,
    /// Why files are not used; each message names its file.
    pub refused: Vec<String>,
}

/// Reads the certificates of a directory; directories within it are left out.
///
/// # Errors
/// A message that names the directory.
pub fn read(directory: &Path, now: DateTime<Utc>) -> Result<Found, String> {
    let bad = |error: io::Error| format!("OCIM_CERTIFICATE_DIR {} cannot be read: {error}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if ending(&path).is_some_and(|ending| ["pem", "crt", "key"].contains(&ending)) {
            files.push(path);
        }
    }
    if files.len() > MAX_FILES {
        return Err(format!("OCIM_CERTIFICATE_DIR {} has more than {MAX_FILES} files", directory.display()));
    }
    files.sort();
    let (mut found, mut best) = (Found::default(), BTreeMap::<Vec<String>, FromFile>::new());
    for file in files {
        let one = match ending(&file) {
            Some("key") if file.with_extension("crt").exists() => continue,
            Some("key") => {
                Err("there is no certificate beside the key: it must be in a file with the ending .crt".to_owned())
            }
            Some("crt") => read_one(&file, &file.with_extension("key"), now),
            Some(_) | None => read_one(&file, &file, now),
        };
        match one {
            Ok(one) => {
                let is_better =
                    best.get(&one.facts.names).is_none_or(|best| best.facts.not_after < one.facts.not_after);
                if is_better {
                    best.insert(one.facts.names.clone(), one);
                }
            }
            Err(words) => found.refused.push(format!("{}: {words}", file.display())),
        }
    }
    found.certificates = best.into_values().collect();
    Ok(found)
}

fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}

fn read_one(file: &Path, key_file: &Path, now: DateTime<Utc>) -> Result<FromFile, String> {
    let text = contents(file)?;
    let facts = pem::read(&text)?;
    let key = match fs::metadata(key_file) {
        Ok(about) if about.permissions().mode() & OTHERS != 0 => {
            return Err(format!("others may read the key: run chmod o= {}", key_file.display()));
        }
        Ok(_) => contents(key_file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("the certificate is without its key, which must be in {}", key_file.display()));
        }
        Err(error) => return Err(format!("its key cannot be read: {error}")),
    };
    if !key.contains("PRIVATE KEY-----") {
        return Err(format!("the certificate is without its key, which must be in {}", key_file.display()));
    }
    let key = pem::only_key(&key)?;
    let chain = pem::only_certificates(&text)?;
    pem::check_key(&chain, &key)?;
    if facts.not_after <= now {
        return Err(format!("it expired at {}", facts.not_after.format("%Y-%m-%d %H:%M UTC")));
    }
    Ok(FromFile { file: file.to_owned(), chain, key, facts })
}

fn contents(file: &Path) -> Result<String, String> {
    let about = fs::metadata(file).map_err(|error| format!("it cannot be read: {error}"))?;
    if about.len() > MAX_BYTES {
        return Err(format!("it is larger than {} KB", MAX_BYTES >> 10));
    }
    fs::read_to_string(file).map_err(|error| format!("it cannot be read: {error}"))
}

/// Stores what a directory holds.
#[derive(Debug)]
pub struct Files {
    db: Db,
    keyring: Keyring,
    directory: PathBuf,
    /// What was refused last time, so that it is logged once.
    refused: Mutex<Vec<String>>,
}

impl Files {
    pub fn new(db: Db, keyring: Keyring, directory: PathBuf) -> Self {
        Self { db, keyring, directory, refused: Mutex::default() }
    }

    /// Reads the directory, stores what has changed, and deletes what is not there any more. Files that are refused are logged. If
    /// the directory cannot be read, nothing is changed.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails.
    pub async fn sweep(&self) -> Result<(), DbError> {
        let directory = self.directory.clone();
        let read = tokio::task::spawn_blocking(move || read(&directory, Utc::now())).await;
        let found = match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(found) => found,
            Err(words) => {
                self.note(vec![words]);
                return Ok(());
            }
        };
        self.note(found.refused);
        store::replace(&mut *self.db.conn().await?, &self.keyring, &found.certificates).await
    }

    /// What is not used, and why.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, words: Vec<String>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        for new in words.iter().filter(|words| !refused.contains(words)) {
            tracing::warn!("a file of certificates is not used: {new}");
        }
        *refused = words;
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
