//! The port to the content of buckets: objects are listed, read and written. An object that a program changes meanwhile is read as it
//! is then.
//!
//! Each call makes requests of its own, each with a time limit. Nothing is deleted here.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::connection::Connection;
use super::server::ServerError;

/// After this time without a byte, a store is taken for dead.
pub const STALL: Duration = Duration::from_secs(120);

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size in bytes, as the list says. Of objects that consist of others, some stores say 0.
    pub bytes: u64,
    /// What differs between two contents: the ETag, without quotes.
    pub etag: String,
    /// When it was last written, in the store's words.
    pub modified: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The objects, in the store's order.
    pub objects: Vec<Listed>,
    /// What the next page is asked for with; none: this is the last one.
    pub next: Option<String>,
}

/// The bytes of an object, in pieces of any size.
pub type Chunks = BoxStream<'static, Result<Vec<u8>, ServerError>>;

/// What an object is besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meta {
    /// Its size in bytes.
    pub bytes: u64,
    /// Headers such as `content-type`, with small letters, that are given back with it; those of the application are among them.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

/// An object that is being read.
pub struct Content {
    /// What it is.
    pub meta: Meta,
    /// Its bytes.
    pub chunks: Chunks,
}

impl Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// Reads and writes the objects of buckets, with one account.
#[async_trait]
pub trait Objects: Debug + Send + Sync {
    /// The largest object that can be written, in bytes.
    fn largest(&self) -> u64;

    /// Whether an object of this name can be asked for: no address has some names.
    fn can_name(&self, name: &str) -> bool;

    /// A page of the objects of a bucket. `after`: [`Page::next`] of the one before. A bucket that does not exist is
    /// [`ServerError::Refused`].
    async fn list(&self, bucket: &str, after: Option<&str>) -> Result<Page, ServerError>;

    /// Opens an object; none: there is none of this name any more.
    async fn read(&self, bucket: &str, name: &str) -> Result<Option<Content>, ServerError>;

    /// Writes an object, in place of one that is there. It appears whole, or not at all.
    async fn write(&self, bucket: &str, name: &str, content: Content) -> Result<(), ServerError>;
}

/// Opens stores whose credentials an operator has entered.
pub trait OpenStore: Debug + Send + Sync {
    /// The store. It is not asked yet.
    ///
    /// # Errors
    /// A message without the password.
    fn open(&self, connection: &Connection) -> Result<Arc<dyn Objects>, String>;
}

/// The headers that objects of all stores have, and that are kept with them.
const HEADERS: &[&str] =
    &["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];

/// Whether a header is kept with an object. `prefix`: of those that applications set.
pub fn is_kept(header: &str, prefix: &str) -> bool {
    HEADERS.contains(&header) || header.starts_with(prefix)
}
