//! The objects of one bucket, which programs on this host write and read: for files of ocim itself, not for those of instances.

use std::time::Duration;

use reqwest::Method;
use rusty_s3::actions::{CompleteMultipartUpload, CreateMultipartUpload};
use rusty_s3::{Bucket, S3Action as _};
use tokio_util::bytes::Bytes;

use super::super::ObjectStore;
use super::super::web::Answer;
use super::addressing::Addressing;
use super::client::{self, Client, Listing, PAGE, SIGNED_FOR};
use super::{answers, documents};
use crate::resources::server::{LIMIT, ServerError};

/// What the key needs.
const RIGHTS: &str = "list the bucket and its unfinished uploads, and to read, write and delete its objects";
/// A transfer that is slower, in bytes a second, is taken for dead.
const SLOWEST: usize = 64 << 10;
/// How long a store may take to put the parts of an object together: Amazon's takes minutes.
const COMPLETION: Duration = Duration::from_secs(600);
/// The most parts of an object: the limit of S3.
pub const MOST_PARTS: u16 = 10_000;

/// A bucket. Each call sends one request or two, and may be repeated.
#[derive(Debug)]
pub struct Objects {
    client: Client,
    bucket: Bucket,
    name: String,
}

/// An object, as its headers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its size.
    pub bytes: u64,
    /// The store's mark of its content, quoted; empty: the store has none.
    pub etag: String,
}

/// Some of a bucket's objects.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Keys and sizes.
    pub objects: Vec<(String, u64)>,
    /// What the keys of further ones begin with, each with a `/` at its end.
    pub folders: Vec<String>,
    /// Where the next page begins; none: this is the last one.
    pub next: Option<String>,
}

/// An upload in parts. The object appears when it is completed; until it is aborted or completed, the store keeps its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key of the object.
    pub key: String,
    /// The store's name of the upload.
    pub id: String,
}

/// A piece of an object, with its checksum, which the store verifies.
#[derive(Debug, Clone)]
pub struct Content {
    bytes: Bytes,
    md5: String,
}

impl Content {
    /// These bytes. Takes some milliseconds for each MB.
    pub fn of(bytes: Vec<u8>) -> Self {
        let md5 = documents::md5(&bytes);
        Self { bytes: bytes.into(), md5 }
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }
}

impl Objects {
    /// A bucket of a store. It is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities, the URL or the bucket's name.
    pub fn new(at: &ObjectStore, region: Option<String>, addressing: Addressing, bucket: &str) -> Result<Self, String> {
        let client = Client::new(at, region, addressing)?;
        let name = bucket.to_owned();
        let bucket = client.bucket(bucket).map_err(|error| error.to_string())?;
        Ok(Self { client, bucket, name })
    }

    /// Some of the objects whose keys begin with the prefix. `is_shallow`: those that go on with a `/` after it as folders. `after`: where
    /// the page before has ended.
    ///
    /// # Errors
    /// [`ServerError`]; [`ServerError::Refused`] also if there is no such bucket.
    pub async fn list(&self, prefix: &str, is_shallow: bool, after: Option<&str>) -> Result<Listed, ServerError> {
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let listing = Listing { prefix, is_shallow, after, most: PAGE };
        let answer = self.client.list(&self.bucket, listing).await?;
        self.check(&answer)?;
        let parsed = client::page(&answer)?;
        Ok(Listed {
            objects: parsed.contents.into_iter().map(|one| (one.key, one.size.unwrap_or_default())).collect(),
            folders: parsed.common_prefixes.into_iter().map(|one| one.prefix).collect(),
            next: parsed.next_continuation_token,
        })
    }

    /// Size and mark of an object; none: it is missing.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn stat(&self, key: &str) -> Result<Option<Stat>, ServerError> {
        let url = self.bucket.head_object(Some(&self.client.credentials), key).sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::HEAD, url)).await?;
        if answer.status < 300 {
            let bytes = answer.header("content-length").and_then(|text| text.parse().ok());
            let bytes = bytes.ok_or_else(|| ServerError::Refused("the store does not tell the size".to_owned()))?;
            return Ok(Some(Stat { bytes, etag: answer.header("etag").unwrap_or_default().to_owned() }));
        }
        // Answers to HEAD have no words: ask for the first byte.
        let answer = self.get(key, "bytes=0-0", None).await?;
        if answers::code(&answer).as_deref() == Some("NoSuchKey") {
            return Ok(None);
        }
        self.check(&answer)?;
        Err(ServerError::Away("the object has just appeared".to_owned()))
    }

    /// So many bytes of an object from this position on; none: it is missing, or another one by now.
    ///
    /// # Errors
    /// As [`Self::list`]; [`ServerError::Away`] also if the answer is cut off.
    pub async fn read(&self, key: &str, stat: &Stat, from: u64, length: usize) -> Result<Option<Bytes>, ServerError> {
        let end = from.saturating_add(u64::try_from(length).unwrap_or(u64::MAX)).saturating_sub(1);
        let answer = self.get(key, &format!("bytes={from}-{end}"), Some((&stat.etag, length))).await?;
        if answer.status == 412 || answers::code(&answer).as_deref() == Some("NoSuchKey") {
            return Ok(None);
        }
        self.check(&answer)?;
        let is_whole = from == 0 && u64::try_from(length).is_ok_and(|length| length == stat.bytes);
        if answer.status != 206 && !is_whole {
            return Err(ServerError::Refused("the store does not read parts of objects".to_owned()));
        }
        if answer.body.len() != length {
            let words = format!("{} bytes were read instead of {length}", answer.body.len());
            return Err(ServerError::Away(words));
        }
        Ok(Some(answer.body.into()))
    }

    async fn get(&self, key: &str, range: &str, of: Option<(&str, usize)>) -> Result<Answer, ServerError> {
        let url = self.bucket.get_object(Some(&self.client.credentials), key).sign(SIGNED_FOR);
        let (etag, length) = of.unwrap_or_default();
        let mut request = self.client.request(Method::GET, url).header("range", range);
        if !etag.is_empty() {
            request = request.header("if-match", etag);
        }
        self.client.send_within(request, time_for(length)).await
    }

    /// Puts an object, in place of one that is there.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn put(&self, key: &str, content: &Content) -> Result<(), ServerError> {
        let url = self.bucket.put_object(Some(&self.client.credentials), key).sign(SIGNED_FOR);
        self.check(&self.send(url, content).await?)
    }

    async fn send(&self, url: url::Url, content: &Content) -> Result<Answer, ServerError> {
        let Content { bytes, md5 } = content;
        let mut request = self.client.with_body(Method::PUT, url, bytes.clone(), Some(md5.clone()));
        if bytes.is_empty() {
            // Otherwise it would have no length.
            request = request.header("content-length", 0);
        }
        self.client.send_within(request, time_for(bytes.len())).await
    }

    /// Begins an upload in parts.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn begin(&self, key: &str) -> Result<Upload, ServerError> {
        let url = self.bucket.create_multipart_upload(Some(&self.client.credentials), key).sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::POST, url)).await?;
        self.check(&answer)?;
        let parsed = CreateMultipartUpload::parse_response(&answer.text());
        let parsed = parsed.map_err(|error| ServerError::Refused(format!("the upload has no name: {error}")))?;
        Ok(Upload { key: key.to_owned(), id: parsed.upload_id().to_owned() })
    }

    /// Puts a part; they are numbered from 1 to [`MOST_PARTS`]. Returns the store's mark of it.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn put_part(&self, of: &Upload, number: u16, content: &Content) -> Result<String, ServerError> {
        let put = self.bucket.upload_part(Some(&self.client.credentials), &of.key, number, &of.id);
        let answer = self.send(put.sign(SIGNED_FOR), content).await?;
        self.check(&answer)?;
        let etag = answer.header("etag").map(str::to_owned);
        etag.ok_or_else(|| ServerError::Refused("the store gives no ETag for a part".to_owned()))
    }

    /// Puts the parts together. `marks`: those of all parts. `bytes`: their size.
    ///
    /// # Errors
    /// As [`Self::list`]; the upload is there still.
    pub async fn complete(&self, of: &Upload, marks: &[String], bytes: u64) -> Result<(), ServerError> {
        let credentials = Some(&self.client.credentials);
        let complete =
            CompleteMultipartUpload::new(&self.bucket, credentials, &of.key, &of.id, marks.iter().map(String::as_str));
        let url = complete.sign(SIGNED_FOR);
        let request = self.client.with_document(Method::POST, url, complete.body(), None);
        let answer = self.client.send_within(request, COMPLETION).await?;
        // The answer to an earlier request may be lost.
        if answers::code(&answer).as_deref() == Some("NoSuchUpload")
            && self.stat(&of.key).await?.is_some_and(|stat| stat.bytes == bytes)
        {
            return Ok(());
        }
        self.check(&answer)?;
        // It may begin before the store knows how it ends.
        answers::check_each(&answer, RIGHTS)
    }

    /// Aborts an upload. Gone already is success.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn abort(&self, of: &Upload) -> Result<(), ServerError> {
        let credentials = Some(&self.client.credentials);
        let url = self.bucket.abort_multipart_upload(credentials, &of.key, &of.id).sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::DELETE, url)).await?;
        if answers::code(&answer).as_deref() == Some("NoSuchUpload") { Ok(()) } else { self.check(&answer) }
    }

    /// Uploads whose keys begin with this prefix, and that were neither completed nor aborted; at most a thousand.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>, ServerError> {
        // A request like the one that reads an object without a name.
        let mut list = self.bucket.get_object(Some(&self.client.credentials), "");
        list.query_mut().insert("uploads", "");
        list.query_mut().insert("prefix", prefix);
        let answer = self.client.send(self.client.request(Method::GET, list.sign(SIGNED_FOR))).await?;
        self.check(&answer)?;
        // Some stores list them all.
        let own = answers::uploads(&answer).into_iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(own.map(|(key, id)| Upload { key, id }).collect())
    }

    /// Deletes an object. Gone already is success.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn delete(&self, key: &str) -> Result<(), ServerError> {
        let url = self.bucket.delete_object(Some(&self.client.credentials), key).sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::DELETE, url)).await?;
        if answers::code(&answer).as_deref() == Some("NoSuchKey") { Ok(()) } else { self.check(&answer) }
    }

    /// Deletes objects, at most a thousand.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn delete_all(&self, keys: Vec<String>) -> Result<(), ServerError> {
        self.client.delete_objects(&self.bucket, keys, RIGHTS).await
    }

    fn check(&self, answer: &Answer) -> Result<(), ServerError> {
        if answers::code(answer).as_deref() == Some("NoSuchBucket") {
            return Err(ServerError::Refused(format!(
                "there is no bucket `{}`; create it at the store, which ocim does not do, or name another one",
                self.name
            )));
        }
        answers::check(answer, RIGHTS)
    }
}

/// The limit for a request that moves so many bytes.
fn time_for(bytes: usize) -> Duration {
    LIMIT + Duration::from_secs(u64::try_from(bytes / SLOWEST).unwrap_or_default())
}
