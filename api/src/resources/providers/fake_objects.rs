//! Buckets in memory for tests, which count what is read and fail on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use md5::{Digest as _, Md5};
use tokio::sync::watch;

use crate::resources::objects::{Content, Listed, Meta, Objects, Page};
use crate::resources::server::ServerError;

/// The size of a chunk. Small, so that objects of tests have several.
const CHUNK: usize = 1000;
/// How many objects a page has.
const PAGE: usize = 10;

#[derive(Debug, Clone)]
struct Object {
    bytes: Vec<u8>,
    headers: Vec<(String, String)>,
    /// Counts up with each write.
    modified: u64,
}

#[derive(Debug, Default)]
struct State {
    /// By bucket and name.
    objects: BTreeMap<(String, String), Object>,
    clock: u64,
    calls: usize,
    reads: Vec<String>,
    writes: Vec<String>,
    /// Why no bucket is listed.
    unlisted: Option<ServerError>,
    /// How many further reads and writes succeed before one fails, and how.
    failures: VecDeque<(usize, ServerError)>,
}

/// Buckets in memory. One exists once an object was put into it.
#[derive(Debug, Default)]
pub struct FakeObjects {
    state: Mutex<State>,
    /// Whether reads and writes wait.
    is_held: watch::Sender<bool>,
}

impl FakeObjects {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object into a bucket, as an application does.
    pub fn put(&self, bucket: &str, name: &str, content: &str) {
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        self.state().put(bucket, name, content.as_bytes().to_vec(), headers);
    }

    /// Deletes an object.
    pub fn remove(&self, bucket: &str, name: &str) {
        self.state().objects.remove(&(bucket.to_owned(), name.to_owned()));
    }

    /// The names and contents of a bucket's objects.
    pub fn all(&self, bucket: &str) -> BTreeMap<String, String> {
        let state = self.state();
        let own = state.objects.iter().filter(|((of, _), _)| of == bucket);
        own.map(|((_, name), object)| (name.clone(), String::from_utf8_lossy(&object.bytes).into_owned())).collect()
    }

    /// The headers of an object.
    pub fn headers(&self, bucket: &str, name: &str) -> Vec<(String, String)> {
        let state = self.state();
        state.objects.get(&(bucket.to_owned(), name.to_owned())).map(|one| one.headers.clone()).unwrap_or_default()
    }

    /// The names that were read since the last call, in order.
    pub fn take_reads(&self) -> Vec<String> {
        let mut reads = std::mem::take(&mut self.state().reads);
        reads.sort();
        reads
    }

    /// The names that were written through the port since the last call, in order.
    pub fn take_writes(&self) -> Vec<String> {
        let mut writes = std::mem::take(&mut self.state().writes);
        writes.sort();
        writes
    }

    /// After so many further reads and writes, lets one fail.
    pub fn fail_after(&self, calls: usize, error: ServerError) {
        self.state().failures.push_back((calls, error));
    }
}

impl FakeObjects {
    /// Sets why no bucket is listed.
    pub fn set_unlisted(&self, why: Option<ServerError>) {
        self.state().unlisted = why;
    }

    /// Lets reads and writes wait until [`Self::release`]. They are counted already.
    pub fn hold(&self) {
        self.is_held.send_replace(true);
    }

    /// Lets them go on.
    pub fn release(&self) {
        self.is_held.send_replace(false);
    }

    /// How many were asked for in all.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Counts a read or a write, waits while they are held, and gives the queued error.
    async fn call(&self) -> Result<(), ServerError> {
        self.state().calls += 1;
        let mut is_held = self.is_held.subscribe();
        // The sender lives as long as this.
        let _ = is_held.wait_for(|is_held| !is_held).await;
        self.state().fails()
    }
}

impl State {
    fn put(&mut self, bucket: &str, name: &str, bytes: Vec<u8>, headers: Vec<(String, String)>) {
        self.clock += 1;
        let object = Object { bytes, headers, modified: self.clock };
        self.objects.insert((bucket.to_owned(), name.to_owned()), object);
    }

    fn fails(&mut self) -> Result<(), ServerError> {
        match self.failures.front_mut() {
            Some((0, _)) => self.failures.pop_front().map_or(Ok(()), |(_, error)| Err(error)),
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Objects for FakeObjects {
    fn largest(&self) -> u64 {
        u64::MAX
    }

    fn can_name(&self, name: &str) -> bool {
        !matches!(name, "." | "..")
    }

    async fn list(&self, bucket: &str, after: Option<&str>) -> Result<Page, ServerError> {
        let state = self.state();
        state.unlisted.clone().map_or(Ok(()), Err)?;
        let after = after.unwrap_or_default();
        let own = state.objects.iter().filter(|((of, name), _)| of == bucket && name.as_str() > after);
        let objects: Vec<_> = own
            .take(PAGE)
            .map(|((_, name), object)| Listed {
                name: name.clone(),
                bytes: u64::try_from(object.bytes.len()).unwrap_or_default(),
                etag: hex::encode(Md5::digest(&object.bytes)),
                modified: object.modified.to_string(),
            })
            .collect();
        let next = objects.last().filter(|_| objects.len() == PAGE).map(|last| last.name.clone());
        Ok(Page { objects, next })
    }

    async fn read(&self, bucket: &str, name: &str) -> Result<Option<Content>, ServerError> {
        self.call().await?;
        let mut state = self.state();
        state.reads.push(name.to_owned());
        let object = state.objects.get(&(bucket.to_owned(), name.to_owned())).cloned();
        Ok(object.map(|Object { bytes, headers, .. }| {
            let chunks: Vec<_> = bytes.chunks(CHUNK).map(|chunk| Ok(chunk.to_vec())).collect();
            let meta = Meta { bytes: u64::try_from(bytes.len()).unwrap_or_default(), headers };
            Content { meta, chunks: futures::stream::iter(chunks).boxed() }
        }))
    }

    async fn write(&self, bucket: &str, name: &str, content: Content) -> Result<(), ServerError> {
        self.call().await?;
        let Content { meta, chunks } = content;
        let bytes: Vec<u8> = chunks.try_concat().await?;
        let mut state = self.state();
        state.writes.push(name.to_owned());
        state.put(bucket, name, bytes, meta.headers);
        Ok(())
    }
}
