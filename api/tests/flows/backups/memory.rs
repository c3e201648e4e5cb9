//! A place of backups in memory, with the databases that its programs reach. Calls fail, and wait, on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups, Piece, Source};
use secrecy::ExposeSecret as _;
use tokio::sync::watch;

/// What a database holds: the number of its tables, and a text.
pub type Content = (u64, &'static str);

#[derive(Debug, Default)]
struct State {
    /// By the name at the server. One that is not here holds one table.
    databases: BTreeMap<String, Content>,
    /// By the backup's place and the database's name.
    files: BTreeMap<(String, String), Content>,
    damaged: Option<String>,
    errors: BTreeMap<&'static str, VecDeque<BackupError>>,
    /// The passwords that programs logged in with.
    passwords: Vec<String>,
    calls: Vec<&'static str>,
    has_no_key: bool,
}

/// Backups in memory.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
    /// The call that waits, and how many such calls may pass.
    held: watch::Sender<(Option<&'static str>, usize)>,
}

impl Memory {
    pub fn new() -> Self {
        Self { state: Mutex::default(), held: watch::Sender::new((None, 0)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what a database holds.
    pub fn fill(&self, database: &str, content: Content) {
        self.state().databases.insert(database.to_owned(), content);
    }

    /// What a database holds.
    pub fn content(&self, database: &str) -> Option<Content> {
        self.state().databases.get(database).copied()
    }

    /// Lets the next call of this name fail.
    pub fn fail(&self, call: &'static str, error: BackupError) {
        self.state().errors.entry(call).or_default().push_back(error);
    }

    /// Lets calls of this name wait, or none.
    pub fn hold(&self, call: Option<&'static str>) {
        self.held.send_replace((call, 0));
    }

    /// Lets one of the calls that wait pass.
    pub fn let_one_pass(&self) {
        self.held.send_modify(|(_, passes)| *passes += 1);
    }

    /// How many calls of this name have begun.
    pub fn begun(&self, call: &str) -> usize {
        self.state().calls.iter().filter(|one| **one == call).count()
    }

    /// Damages the files of the database with this name.
    pub fn damage(&self, name: &str) {
        self.state().damaged = Some(name.to_owned());
    }

    /// Takes the key away that files are read with.
    pub fn lose_key(&self) {
        self.state().has_no_key = true;
    }

    /// The backups that have files.
    pub fn places(&self) -> Vec<String> {
        let mut places: Vec<_> = self.state().files.keys().map(|(at, _)| at.clone()).collect();
        places.dedup();
        places
    }

    /// The passwords that programs logged in with.
    pub fn passwords(&self) -> Vec<String> {
        self.state().passwords.clone()
    }

    async fn pass(&self, call: &'static str, source: Option<&Source>, progress: &Progress) -> Result<(), BackupError> {
        let failure = {
            let mut state = self.state();
            state.calls.push(call);
            state.passwords.extend(source.map(|source| source.account.password.expose_secret().to_owned()));
            state.errors.get_mut(call).and_then(VecDeque::pop_front)
        };
        let mut held = self.held.subscribe();
        let passed = async {
            // Takes one of the passes, if the call is held.
            let takes = |(held, passes): &mut (Option<&'static str>, usize)| {
                let is_held = *held == Some(call);
                let may_pass = !is_held || *passes > 0;
                *passes -= usize::from(is_held && may_pass);
                may_pass
            };
            let mut may_pass = false;
            loop {
                self.held.send_if_modified(|held| {
                    may_pass = takes(held);
                    false
                });
                if may_pass || held.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = passed => {}
            () = progress.cancel.cancelled() => return Err(BackupError::Cancelled),
        }
        failure.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Backups for Memory {
    fn why_no_restore(&self) -> Option<String> {
        self.state().has_no_key.then(|| "There is no key: set OCIM_BACKUP_IDENTITY_FILE.".to_owned())
    }

    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError> {
        self.pass("dump", Some(source), progress).await?;
        progress.bytes.fetch_add(1000, std::sync::atomic::Ordering::Relaxed);
        let mut state = self.state();
        let content = state.databases.get(&source.database).copied().unwrap_or((1, ""));
        state.files.insert((at.to_owned(), source.name.clone()), content);
        let (kind, name, tables) = (source.kind, source.name.clone(), content.0);
        Ok(Piece { kind, name, bytes: 100, sha256: "0".repeat(64), tables })
    }

    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        self.pass("check", None, progress).await?;
        let state = self.state();
        let is_there = state.files.contains_key(&(at.to_owned(), piece.name.clone()));
        if !is_there || state.damaged.as_ref() == Some(&piece.name) {
            return Err(BackupError::Damaged("the file is cut off".to_owned()));
        }
        Ok(())
    }

    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError> {
        self.pass("load", Some(target), progress).await?;
        let mut state = self.state();
        let content = state.files.get(&(at.to_owned(), piece.name.clone())).copied();
        let content = content.ok_or_else(|| BackupError::Damaged("the file is missing".to_owned()))?;
        state.databases.insert(target.database.clone(), content);
        Ok(())
    }

    async fn tables(&self, of: &Source) -> Result<u64, BackupError> {
        self.pass("tables", Some(of), &Progress::default()).await?;
        Ok(self.state().databases.get(&of.database).map_or(0, |content| content.0))
    }

    async fn delete(&self, at: &str) -> Result<(), BackupError> {
        self.pass("delete", None, &Progress::default()).await?;
        self.state().files.retain(|(own, _), _| own != at);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<String>, BackupError> {
        Ok(self.places())
    }
}
