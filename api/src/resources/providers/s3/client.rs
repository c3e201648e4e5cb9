//! Signed requests to one store.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response, ObjectIdentifier};
use rusty_s3::{Bucket, Credentials, S3Action as _};
use secrecy::ExposeSecret as _;
use url::Url;

use super::super::ObjectStore;
use super::super::web::{Answer, Web};
use super::addressing::{self, Addressing};
use super::{REGION, answers};
use crate::resources::server::{LIMIT, ServerError};

/// How long a signature is valid. Clocks may differ by a quarter of an hour, which is what stores tolerate.
pub(super) const SIGNED_FOR: Duration = Duration::from_secs(900);
/// The most names in a page, and the most that one request deletes: the limit of S3.
pub(super) const PAGE: usize = 1000;

/// The way to one store, with its key.
pub(super) struct Client {
    web: Web,
    pub(super) url: Url,
    pub(super) addressing: Addressing,
    pub(super) region: String,
    pub(super) credentials: Credentials,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The credentials are secret.
        f.debug_struct("Client").field("url", &self.url.as_str()).field("region", &self.region).finish_non_exhaustive()
    }
}

/// Which objects a list has, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'a> {
    /// What their keys begin with.
    pub(super) prefix: Option<&'a str>,
    /// Whether keys that go on with a `/` after the prefix are listed as folders.
    pub(super) is_shallow: bool,
    /// Where the page before has ended.
    pub(super) after: Option<&'a str>,
    /// The most objects and folders.
    pub(super) most: usize,
}

impl Client {
    /// The client. The store is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities, or the URL.
    pub(super) fn new(at: &ObjectStore, region: Option<String>, addressing: Addressing) -> Result<Self, String> {
        let credentials = Credentials::new(at.account.username.as_str(), at.account.password.expose_secret());
        let region = region.unwrap_or_else(|| REGION.to_owned());
        Ok(Self { web: Web::new(&at.tls, &at.url)?, url: at.url.clone(), addressing, region, credentials })
    }

    pub(super) fn bucket(&self, name: &str) -> Result<Bucket, ServerError> {
        addressing::bucket(&self.url, self.addressing, name, &self.region)
    }

    /// A request without a body, to which one may be added.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        if method == Method::GET || method == Method::HEAD || method == Method::DELETE {
            self.web.request(method, url)
        } else {
            self.web.request_without_body(method, url)
        }
    }

    /// A request with a body. `md5`: of the body, where S3 requires it.
    pub(super) fn with_body(
        &self,
        method: Method,
        url: Url,
        body: impl Into<reqwest::Body>,
        md5: Option<String>,
    ) -> RequestBuilder {
        let request = self.web.request(method, url).body(body);
        md5.into_iter().fold(request, |request, md5| request.header("content-md5", md5))
    }

    /// A request with a document. `md5`: of it, where S3 requires it.
    pub(super) fn with_document(&self, method: Method, url: Url, text: String, md5: Option<String>) -> RequestBuilder {
        self.with_body(method, url, text, md5).header("content-type", "application/xml")
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// As [`Web::send`].
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, ServerError> {
        self.send_within(request, LIMIT).await
    }

    /// Sends a request that moves much, or takes the store some time.
    ///
    /// # Errors
    /// As [`Web::send`].
    pub(super) async fn send_within(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, ServerError> {
        self.web.send_within(request, limit).await
    }

    /// Sends a request; the body of a success is left to be read.
    ///
    /// # Errors
    /// As [`Web::open`].
    pub(super) async fn open(&self, request: RequestBuilder) -> Result<Result<Response, Answer>, ServerError> {
        self.web.open(request).await
    }

    /// Asks for a page of a bucket's objects.
    ///
    /// # Errors
    /// [`ServerError`] without an answer.
    pub(super) async fn list(&self, bucket: &Bucket, listing: Listing<'_>) -> Result<Answer, ServerError> {
        let Listing { prefix, is_shallow, after, most } = listing;
        let mut list = bucket.list_objects_v2(Some(&self.credentials));
        list.with_max_keys(most);
        if let Some(prefix) = prefix {
            list.with_prefix(prefix);
        }
        if is_shallow {
            list.with_delimiter("/");
        }
        if let Some(after) = after {
            list.with_continuation_token(after);
        }
        let url = list.sign(SIGNED_FOR);
        self.send(self.request(Method::GET, url)).await
    }

    /// Deletes objects, at most [`PAGE`]. `rights`: those that the key needs, for the words of a refusal.
    ///
    /// # Errors
    /// [`ServerError`] for the first object that was not deleted.
    pub(super) async fn delete_objects(
        &self,
        bucket: &Bucket,
        keys: Vec<String>,
        rights: &str,
    ) -> Result<(), ServerError> {
        let objects: Vec<_> = keys.into_iter().map(ObjectIdentifier::new).collect();
        let mut delete = bucket.delete_objects(Some(&self.credentials), objects.iter());
        delete.set_quiet(true);
        let url = delete.sign(SIGNED_FOR);
        let (body, md5) = delete.body_with_md5();
        let answer = self.send(self.with_document(Method::POST, url, body, Some(md5))).await?;
        answers::check(&answer, rights)?;
        answers::check_each(&answer, rights)
    }
}

/// Reads a page of objects.
///
/// # Errors
/// [`ServerError::Refused`] if it is no such list.
pub(super) fn page(answer: &Answer) -> Result<ListObjectsV2Response, ServerError> {
    let parsed = ListObjectsV2::parse_response(&answer.text());
    parsed.map_err(|error| ServerError::Refused(format!("the list of objects cannot be read: {error}")))
}
