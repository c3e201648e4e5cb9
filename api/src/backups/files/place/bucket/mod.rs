//! A bucket of object storage as the place: each file is an object, whose key is its path. An object appears when it is complete, so that
//! no name tells unfinished files apart.

mod download;
mod upload;

use std::fmt::Display;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use upload::PartSizes;

use super::path::{PlacePath, is_name};
use super::{Entry, Place, Stored, Unfinished, carried};
use crate::backups::port::BackupError;
use crate::resources::providers::s3::{Listed, Objects};
use crate::resources::server::ServerError;

/// How files are moved.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The sizes of the parts of large files.
    pub parts: PartSizes,
    /// How many bytes of a file one request reads.
    pub read: usize,
    /// The pauses between attempts of a request that failed and may succeed.
    pub pauses: Vec<Duration>,
    /// The interval of checks while the bucket can be used.
    pub check_usable: Duration,
    /// The interval of checks while it cannot.
    pub check_unusable: Duration,
}

impl Default for Transfer {
    fn default() -> Self {
        let pauses = [500, 2_000, 5_000, 15_000].map(Duration::from_millis).to_vec();
        Self {
            parts: PartSizes::default(),
            read: 8 << 20,
            pauses,
            check_usable: Duration::from_secs(600),
            check_unusable: Duration::from_secs(60),
        }
    }
}

/// A bucket that holds all files.
#[derive(Debug, Clone)]
pub struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Objects,
    /// How it is named in messages: `SERVER/BUCKET`.
    name: String,
    transfer: Transfer,
    /// What the last check has found; none: the bucket can be used, or was not checked yet.
    trouble: Mutex<Option<String>>,
}

impl Bucket {
    /// A bucket, which must exist. It is not asked yet. `name`: how the settings name it, `SERVER/BUCKET`.
    pub fn new(objects: Objects, name: &str, transfer: Transfer) -> Self {
        Self(Arc::new(Inner { objects, name: name.to_owned(), transfer, trouble: Mutex::new(None) }))
    }

    /// Asks the store for the bucket now and then, until the bucket is dropped. Logs what has changed.
    pub fn watch(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut is_first = true;
            while let Some(own) = inner.upgrade().map(Self) {
                let pause = own.look(is_first).await;
                is_first = false;
                drop(own);
                sleep(pause).await;
            }
        });
    }

    /// Whether the bucket can be listed.
    ///
    /// # Errors
    /// As those of [`Place`].
    pub async fn check(&self) -> Result<(), BackupError> {
        let found = self.0.objects.list("", true, None).await;
        found.map(drop).map_err(|error| self.0.told(None, error))
    }

    /// Checks the bucket, and returns when to check it again.
    async fn look(&self, is_first: bool) -> Duration {
        let found = self.check().await.err().map(|error| error.to_string());
        let bucket = self.0.name.as_str();
        let mut trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(error) if *trouble != found => {
                tracing::warn!(
                    bucket,
                    error,
                    "the bucket of backups cannot be used; backups are tried again until it can"
                );
            }
            None if is_first || trouble.is_some() => tracing::info!(bucket, "the bucket of backups can be used"),
            Some(_) | None => {}
        }
        let pause = if found.is_some() { self.0.transfer.check_unusable } else { self.0.transfer.check_usable };
        *trouble = found;
        pause
    }

    /// A page of what is below a folder, by the end of its keys.
    async fn page(&self, prefix: &str, is_shallow: bool, after: Option<&str>) -> Result<Listed, BackupError> {
        let never = CancellationToken::new();
        self.0.persist(None, &never, || self.0.objects.list(prefix, is_shallow, after)).await
    }

    /// Aborts uploads below a folder that crashed programs have left. A store that does not list them keeps them until a rule of the bucket
    /// ends them.
    async fn abort_below(&self, folder: &PlacePath, prefix: &str) -> Result<(), BackupError> {
        let never = CancellationToken::new();
        let listed = self.0.persist(Some(folder), &never, || self.0.objects.uploads(prefix)).await;
        let uploads = match listed {
            Err(BackupError::Permanent(error)) => {
                tracing::debug!(error, "unfinished uploads of backups are not listed");
                return Ok(());
            }
            listed => listed?,
        };
        for upload in uploads {
            self.0.persist(Some(folder), &never, || self.0.objects.abort(&upload)).await?;
        }
        Ok(())
    }
}

impl Inner {
    /// Sends a request again after pauses, while it may succeed.
    async fn persist<T, F: Future<Output = Result<T, ServerError>>>(
        &self,
        path: Option<&PlacePath>,
        cancel: &CancellationToken,
        request: impl Fn() -> F,
    ) -> Result<T, BackupError> {
        let attempts = async {
            for pause in &self.transfer.pauses {
                match request().await {
                    Err(ServerError::Away(_)) => sleep(*pause).await,
                    done => return done,
                }
            }
            request().await
        };
        tokio::select! {
            () = cancel.cancelled() => Err(BackupError::Cancelled),
            done = attempts => done.map_err(|error| self.told(path, error)),
        }
    }

    /// The words for what the store said.
    fn told(&self, path: Option<&PlacePath>, error: ServerError) -> BackupError {
        let shown = path.map_or_else(|| self.name.clone(), |path| self.shown(path));
        let words = |words: &dyn Display| format!("The bucket of backups, {shown}: {words}.");
        match error {
            ServerError::Away(said) | ServerError::Unfinished(said) => BackupError::Transient(words(&said)),
            ServerError::Refused(said) => BackupError::Permanent(words(&said)),
            ServerError::Taken => BackupError::Permanent(words(&error)),
        }
    }

    fn shown(&self, path: &PlacePath) -> String {
        format!("{}/{path}", self.name)
    }
}

#[async_trait]
impl Place for Bucket {
    fn shown(&self, path: &PlacePath) -> String {
        self.0.shown(path)
    }

    fn failed(&self, path: &PlacePath, error: &io::Error) -> BackupError {
        carried(error).cloned().unwrap_or_else(|| BackupError::Transient(format!("{}: {error}.", self.shown(path))))
    }

    fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn begin(&self, path: &PlacePath, cancel: &CancellationToken) -> Result<Box<dyn Unfinished>, BackupError> {
        Ok(Box::new(upload::begin(self.0.clone(), path.clone(), cancel.clone())))
    }

    async fn open(&self, path: &PlacePath, cancel: &CancellationToken) -> Result<Option<Stored>, BackupError> {
        let stat = self.0.persist(Some(path), cancel, || self.0.objects.stat(path.as_str())).await?;
        Ok(stat.map(|stat| download::begin(self.0.clone(), path.clone(), stat, cancel.clone())))
    }

    async fn size(&self, path: &PlacePath) -> Result<Option<u64>, BackupError> {
        let never = CancellationToken::new();
        let stat = self.0.persist(Some(path), &never, || self.0.objects.stat(path.as_str())).await?;
        Ok(stat.map(|stat| stat.bytes))
    }

    async fn entries(&self, folder: Option<&PlacePath>) -> Result<Vec<Entry>, BackupError> {
        let prefix = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.page(&prefix, true, after.as_deref()).await?;
            let name = |key: &str| key.strip_prefix(&prefix).filter(|name| is_name(name)).map(str::to_owned);
            let folders = page.folders.iter().filter_map(|key| name(key.trim_end_matches('/')));
            found.extend(folders.map(|name| Entry::Folder { name }));
            let files = page.objects.iter().filter_map(|(key, bytes)| Some((name(key)?, *bytes)));
            found.extend(files.map(|(name, bytes)| Entry::File { name, bytes }));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn delete(&self, path: &PlacePath) -> Result<(), BackupError> {
        let never = CancellationToken::new();
        self.0.persist(Some(path), &never, || self.0.objects.delete(path.as_str())).await
    }

    async fn delete_folder(&self, folder: &PlacePath) -> Result<(), BackupError> {
        let (prefix, never) = (format!("{folder}/"), CancellationToken::new());
        self.abort_below(folder, &prefix).await?;
        let mut deleted = Vec::new();
        loop {
            let page = self.page(&prefix, false, None).await?;
            let keys: Vec<_> = page.objects.into_iter().map(|(key, _)| key).collect();
            if keys.is_empty() {
                return Ok(());
            }
            if keys == deleted {
                let words = "the store still lists objects that it has deleted".to_owned();
                return Err(self.0.told(Some(folder), ServerError::Away(words)));
            }
            let delete = || self.0.objects.delete_all(keys.clone());
            self.0.persist(Some(folder), &never, delete).await?;
            deleted = keys;
        }
    }
}
