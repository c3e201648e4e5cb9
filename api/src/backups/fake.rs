//! Backups and databases in memory for tests, which fail and wait on request.
//!
//! A database is its content, by its name at the server, with a line for each table. One that was never set is empty. Deleting it at a
//! server does not change it here, so a test that expects that sets it anew. Buckets are not here: tests use the real files for them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use shared_types::ResourceKind;
use tokio::sync::watch;

use super::port::{BackupError, Backups, Bucket, Piece, Progress, Source};

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FakeOperation {
    /// [`Backups::dump`].
    Dump,
    /// [`Backups::check`].
    Check,
    /// [`Backups::load`].
    Load,
    /// [`Backups::tables`].
    Tables,
    /// [`Backups::delete`].
    Delete,
    /// [`Backups::has`].
    Has,
    /// [`Backups::list`].
    List,
}

/// One call, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeCall {
    /// What was asked for.
    pub operation: FakeOperation,
    /// The backup; none for [`FakeOperation::Tables`] and [`FakeOperation::List`].
    pub at: Option<String>,
    /// The name at the server of the database that was dumped, loaded or counted.
    pub database: Option<String>,
}

/// What names a file: the backup, and the database in it.
type Key = (String, ResourceKind, String);

/// All files of the place.
#[derive(Debug)]
pub struct Disk(BTreeMap<Key, Vec<u8>>);

#[derive(Debug, Default)]
struct State {
    databases: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<Key, Vec<u8>>,
    errors: BTreeMap<FakeOperation, VecDeque<BackupError>>,
    calls: Vec<FakeCall>,
    why_no_restore: Option<String>,
    trouble: Option<String>,
}

/// Backups in memory.
#[derive(Debug, Default)]
pub struct FakeBackups {
    state: Mutex<State>,
    /// The operations whose calls wait.
    held: watch::Sender<BTreeSet<FakeOperation>>,
}

impl FakeBackups {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the content of a database.
    pub fn set_database(&self, database: &str, content: &str) {
        self.state().databases.insert(database.to_owned(), content.as_bytes().to_vec());
    }

    /// The content of a database; empty if it was never set.
    pub fn database(&self, database: &str) -> String {
        let content = self.state().databases.get(database).cloned().unwrap_or_default();
        String::from_utf8_lossy(&content).into_owned()
    }

    /// The files of a backup: the kind, the name and the content of each database.
    pub fn files(&self, at: &str) -> Vec<(ResourceKind, String, String)> {
        let state = self.state();
        let own = state.files.iter().filter(|((backup, ..), _)| backup == at);
        own.map(|((_, kind, name), bytes)| (*kind, name.clone(), String::from_utf8_lossy(bytes).into_owned())).collect()
    }

    /// Adds a line to each file of a backup, as a disk might.
    pub fn damage(&self, at: &str) {
        for (_, bytes) in self.state().files.iter_mut().filter(|((backup, ..), _)| backup == at) {
            bytes.extend(b"\ndamage");
        }
    }

    /// Sets why the place cannot be used.
    pub fn set_trouble(&self, why: Option<&str>) {
        self.state().trouble = why.map(str::to_owned);
    }

    /// Takes all files away, as a disk does that is not mounted; gives what [`Self::mount`] brings back.
    pub fn unmount(&self) -> Disk {
        Disk(std::mem::take(&mut self.state().files))
    }

    /// Brings files back, in place of those that were written meanwhile.
    pub fn mount(&self, Disk(files): Disk) {
        self.state().files = files;
    }

    /// Removes the files of a backup, as a person might.
    pub fn lose(&self, at: &str) {
        self.state().files.retain(|(backup, ..), _| backup != at);
    }

    /// Puts a file into a backup that no call has asked for.
    pub fn add_stranger(&self, at: &str) {
        self.state().files.insert((at.to_owned(), ResourceKind::Mysql, "stranger".to_owned()), Vec::new());
    }

    /// Queues an error for a call of this operation. Without one, it succeeds.
    pub fn next_fails(&self, operation: FakeOperation, error: BackupError) {
        self.state().errors.entry(operation).or_default().push_back(error);
    }

    /// Lets calls of this operation wait until [`Self::release`], or until they are cancelled. They are in [`Self::calls`] already.
    pub fn hold(&self, operation: FakeOperation) {
        self.held.send_if_modified(|held| held.insert(operation));
    }

    /// Lets the calls of this operation go on.
    pub fn release(&self, operation: FakeOperation) {
        self.held.send_if_modified(|held| held.remove(&operation));
    }

    /// Sets why nothing can be restored.
    pub fn set_no_restore(&self, why: Option<&str>) {
        self.state().why_no_restore = why.map(str::to_owned);
    }

    /// All calls, the first one first.
    pub fn calls(&self) -> Vec<FakeCall> {
        self.state().calls.clone()
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: FakeOperation) -> usize {
        self.state().calls.iter().filter(|call| call.operation == operation).count()
    }

    /// Notes a call, waits while it is held, and gives the queued error.
    async fn call(
        &self,
        operation: FakeOperation,
        at: Option<&str>,
        database: Option<&Source>,
        progress: &Progress,
    ) -> Result<(), BackupError> {
        let (at, database) = (at.map(str::to_owned), database.map(|one| one.database.clone()));
        self.state().calls.push(FakeCall { operation, at, database });
        let mut held = self.held.subscribe();
        tokio::select! {
            biased;
            () = progress.cancel.cancelled() => return Err(BackupError::Cancelled),
            // The sender lives as long as this.
            _ = held.wait_for(|held| !held.contains(&operation)) => {}
        }
        self.state().errors.get_mut(&operation).and_then(VecDeque::pop_front).map_or(Ok(()), Err)
    }

    /// The content of a file that is as it was written.
    fn intact(&self, at: &str, piece: &Piece) -> Result<Vec<u8>, BackupError> {
        let key = (at.to_owned(), piece.kind, piece.name.clone());
        let bytes = self.state().files.get(&key).cloned();
        let damaged = |what: &str| BackupError::Damaged(format!("the file of {} in {at} {what}", piece.name));
        let bytes = bytes.ok_or_else(|| damaged("is missing"))?;
        if sha256(&bytes) == piece.sha256 { Ok(bytes) } else { Err(damaged("is not what was written")) }
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A table for each line.
fn tables(content: &[u8]) -> u64 {
    u64::try_from(String::from_utf8_lossy(content).lines().count()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Backups for FakeBackups {
    fn why_no_restore(&self) -> Option<String> {
        self.state().why_no_restore.clone()
    }

    fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError> {
        self.call(FakeOperation::Dump, Some(at), Some(source), progress).await?;
        let mut state = self.state();
        let bytes = state.databases.get(&source.database).cloned().unwrap_or_default();
        progress.bytes.fetch_add(length(&bytes), Ordering::Relaxed);
        let (kind, name) = (source.kind, source.name.clone());
        let (tables, sha256) = (tables(&bytes), sha256(&bytes));
        let piece = Piece { kind, name: name.clone(), bytes: length(&bytes), sha256, tables, objects: None };
        state.files.insert((at.to_owned(), kind, name), bytes);
        Ok(piece)
    }

    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        self.call(FakeOperation::Check, Some(at), None, progress).await?;
        self.why_no_restore().map_or(Ok(()), |why| Err(BackupError::Permanent(why)))?;
        self.intact(at, piece).map(drop)
    }

    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError> {
        self.call(FakeOperation::Load, Some(at), Some(target), progress).await?;
        if let Some(why) = self.why_no_restore() {
            return Err(BackupError::Permanent(why));
        }
        let bytes = self.intact(at, piece)?;
        progress.bytes.fetch_add(length(&bytes), Ordering::Relaxed);
        let mut state = self.state();
        let database = state.databases.entry(target.database.clone()).or_default();
        if !database.is_empty() {
            return Err(BackupError::Permanent(format!("the database {} is not empty", target.database)));
        }
        *database = bytes;
        Ok(())
    }

    async fn tables(&self, of: &Source) -> Result<u64, BackupError> {
        self.call(FakeOperation::Tables, None, Some(of), &Progress::default()).await?;
        Ok(self.state().databases.get(&of.database).map_or(0, |content| tables(content)))
    }

    async fn copy(
        &self,
        _at: &str,
        bucket: &Bucket,
        _earlier: Option<(&str, &Piece)>,
        _progress: &Progress,
    ) -> Result<Piece, BackupError> {
        Err(BackupError::Permanent(format!("{}: no objects are kept in memory", bucket.name)))
    }

    async fn put_back(
        &self,
        _at: &str,
        piece: &Piece,
        _into: &Bucket,
        _progress: &Progress,
    ) -> Result<u64, BackupError> {
        Err(BackupError::Permanent(format!("{}: no objects are kept in memory", piece.name)))
    }

    async fn sweep(&self, _at: &str, _progress: &Progress) -> Result<(), BackupError> {
        Ok(())
    }

    async fn delete(&self, at: &str) -> Result<(), BackupError> {
        self.call(FakeOperation::Delete, Some(at), None, &Progress::default()).await?;
        self.lose(at);
        Ok(())
    }

    async fn has(&self, at: &str) -> Result<bool, BackupError> {
        self.call(FakeOperation::Has, Some(at), None, &Progress::default()).await?;
        Ok(self.state().files.keys().any(|(backup, ..)| backup == at))
    }

    async fn list(&self) -> Result<Vec<String>, BackupError> {
        self.call(FakeOperation::List, None, None, &Progress::default()).await?;
        let found: BTreeSet<_> = self.state().files.keys().map(|(at, ..)| at.clone()).collect();
        Ok(found.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use crate::resources::server::{Account, Endpoint};

    fn source(database: &str) -> Source {
        Source {
            kind: ResourceKind::Mysql,
            name: "main".to_owned(),
            database: database.to_owned(),
            endpoint: Endpoint { host: "db.example".to_owned(), port: 3306, has_tls: false },
            ca_file: None,
            account: Account { username: "u".to_owned(), password: "p".to_owned().into() },
        }
    }

    #[tokio::test]
    async fn a_restore_brings_back_what_was_dumped() {
        let (fake, progress) = (FakeBackups::default(), Progress::default());
        fake.set_database("old", "a\nb");
        let piece = fake.dump("1/2", &source("old"), &progress).await.unwrap();
        assert_eq!(piece.tables, 2);
        fake.set_database("old", "c");
        fake.load("1/2", &piece, &source("new"), &progress).await.unwrap();
        assert_eq!((fake.database("new"), fake.database("old")), ("a\nb".to_owned(), "c".to_owned()));
        let refused = fake.load("1/2", &piece, &source("old"), &progress).await;
        assert!(matches!(refused, Err(BackupError::Permanent(_))));
        fake.damage("1/2");
        assert!(matches!(fake.check("1/2", &piece, &progress).await, Err(BackupError::Damaged(_))));
        fake.delete("1/2").await.unwrap();
        assert!(fake.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn calls_wait_until_they_are_released_or_cancelled() {
        let fake = Arc::new(FakeBackups::default());
        fake.hold(FakeOperation::Dump);
        fake.next_fails(FakeOperation::Dump, BackupError::Transient("away".to_owned()));
        let progress = Progress::default();
        let dump = |progress: Progress| {
            let fake = fake.clone();
            tokio::spawn(async move { fake.dump("1/2", &source("d"), &progress).await })
        };
        let stopped = dump(progress.clone());
        progress.cancel.cancel();
        assert_eq!(stopped.await.unwrap(), Err(BackupError::Cancelled));
        let waiting = dump(Progress::default());
        while fake.count(FakeOperation::Dump) < 2 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        fake.release(FakeOperation::Dump);
        assert_eq!(waiting.await.unwrap(), Err(BackupError::Transient("away".to_owned())));
    }
}
