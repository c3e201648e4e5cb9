//! Object storage with the interface of Amazon S3: buckets of one account. Access keys are not made here, because only some stores have a way to,
//! and each its own: all instances use the key of the settings.
//!
//! Requests are signed in the query, which every store knows, and carry no checksums but those that S3 requires: others refuse more.

mod addressing;
mod answers;
mod documents;
mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::Method;
use rusty_s3::actions::{ListObjectsV2, ObjectIdentifier};
use rusty_s3::{Bucket, Credentials, S3Action as _};
use secrecy::ExposeSecret as _;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;
use url::Url;

pub use addressing::{Addressing, is_amazon};

use super::web::{Answer, Web};
use super::{Emptying, ObjectStore};
use crate::resources::objects::Objects;
use crate::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};

/// How long a signature is valid. Clocks may differ by a quarter of an hour, which is what stores tolerate.
const SIGNED_FOR: Duration = Duration::from_secs(900);
/// The most names in a page, and the most that one request deletes: the limit of S3.
const PAGE: usize = 1000;
/// The most pages that are summed for a size.
const SIZE_PAGES: usize = 20;
/// The region of a store that has none.
pub const REGION: &str = "us-east-1";

/// A store with the interface of S3.
pub struct S3 {
    web: Web,
    url: Url,
    addressing: Addressing,
    region: String,
    credentials: Credentials,
    account: Account,
    endpoint: Endpoint,
    emptying: Emptying,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The credentials are secret.
        f.debug_struct("S3").field("url", &self.url.as_str()).field("region", &self.region).finish_non_exhaustive()
    }
}

/// A page of a bucket's objects.
struct Page {
    names: Vec<String>,
    bytes: u64,
    /// Where the next page begins; none: this is the last one.
    next: Option<String>,
}

impl S3 {
    /// The store. It is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities, or the URL.
    pub fn new(at: ObjectStore, region: Option<String>, addressing: Addressing) -> Result<Self, String> {
        let ObjectStore { url, account, tls, endpoint, emptying } = at;
        let credentials = Credentials::new(account.username.as_str(), account.password.expose_secret());
        let region = region.unwrap_or_else(|| REGION.to_owned());
        Ok(Self { web: Web::new(&tls, &url)?, url, addressing, region, credentials, account, endpoint, emptying })
    }

    fn bucket(&self, name: &str) -> Result<Bucket, ServerError> {
        addressing::bucket(&self.url, self.addressing, name, &self.region)
    }

    /// Sends a signed request. `md5`: of the body, where S3 requires it.
    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<(String, Option<String>)>,
    ) -> Result<Answer, ServerError> {
        let request = match body {
            Some((body, md5)) => {
                let request = self.web.request(method, url).header("content-type", "application/xml").body(body);
                md5.into_iter().fold(request, |request, md5| request.header("content-md5", md5))
            }
            None if method == Method::PUT => self.web.request_without_body(method, url),
            None => self.web.request(method, url),
        };
        self.web.send(request).await
    }

    async fn list(&self, name: &str, after: Option<&str>, most: usize) -> Result<Answer, ServerError> {
        let bucket = self.bucket(name)?;
        let mut list = bucket.list_objects_v2(Some(&self.credentials));
        list.with_max_keys(most);
        if let Some(after) = after {
            list.with_continuation_token(after);
        }
        let url = list.sign(SIGNED_FOR);
        self.send(Method::GET, url, None).await
    }

    /// A page of a bucket's objects; none: there is no such bucket.
    async fn page(&self, name: &str, after: Option<&str>, most: usize) -> Result<Option<Page>, ServerError> {
        let answer = self.list(name, after, most).await?;
        if answers::code(&answer).as_deref() == Some("NoSuchBucket") {
            return Ok(None);
        }
        answers::check(&answer)?;
        let parsed = ListObjectsV2::parse_response(&answer.text());
        let parsed =
            parsed.map_err(|error| ServerError::Refused(format!("the list of objects cannot be read: {error}")))?;
        let bytes = parsed.contents.iter().filter_map(|object| object.size).sum();
        let names = parsed.contents.into_iter().map(|object| object.key).collect();
        Ok(Some(Page { names, bytes, next: parsed.next_continuation_token }))
    }

    async fn delete_objects(&self, name: &str, names: Vec<String>) -> Result<(), ServerError> {
        let (bucket, objects) = (self.bucket(name)?, names.into_iter().map(ObjectIdentifier::new).collect::<Vec<_>>());
        let mut delete = bucket.delete_objects(Some(&self.credentials), objects.iter());
        delete.set_quiet(true);
        let url = delete.sign(SIGNED_FOR);
        let (body, md5) = delete.body_with_md5();
        let answer = self.send(Method::POST, url, Some((body, Some(md5)))).await?;
        answers::check(&answer)?;
        answers::check_each(&answer)
    }

    /// Deletes objects until there are none, or this call has done its part.
    async fn empty(&self, name: &str) -> Result<(), ServerError> {
        let (begun, mut deleted) = (Instant::now(), 0);
        loop {
            let left = self.emptying.objects.saturating_sub(deleted);
            let Some(page) = self.page(name, None, PAGE.min(left.max(1))).await? else { return Ok(()) };
            if page.names.is_empty() {
                return Ok(());
            }
            if left == 0 || begun.elapsed() > self.emptying.time {
                return Err(self.emptying.unfinished(deleted));
            }
            deleted += page.names.len();
            self.delete_objects(name, page.names).await?;
        }
    }

    /// Puts a document that says how a bucket may be used; none: done; else why not.
    async fn put(
        &self,
        name: &str,
        what: &'static str,
        body: String,
        md5: Option<String>,
    ) -> Result<Option<String>, ServerError> {
        let bucket = self.bucket(name)?;
        // A request like the one that creates a bucket, with one more word in the query.
        let mut put = bucket.create_bucket(&self.credentials);
        put.query_mut().insert(what, "");
        let answer = self.send(Method::PUT, put.sign(SIGNED_FOR), Some((body, md5))).await?;
        match answers::check(&answer) {
            Ok(()) => Ok(None),
            Err(ServerError::Refused(words)) => Ok(Some(words)),
            Err(error) => Err(error),
        }
    }

    /// Whether the store is Amazon's, which must be told where a bucket is to be.
    fn is_amazon(&self) -> bool {
        is_amazon(self.url.host_str().unwrap_or_default())
    }
}

#[async_trait]
impl ResourceServer for S3 {
    fn kind(&self) -> ResourceKind {
        ResourceKind::S3
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn shared_account(&self) -> Option<Account> {
        Some(self.account.clone())
    }

    fn options(&self) -> BTreeMap<String, String> {
        [("addressing", self.addressing.as_str()), ("region", self.region.as_str())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => Ok(true),
            ResourcePart::Database => Ok(self.page(name, None, 1).await?.is_some()),
        }
    }

    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => Ok(false),
            // A bucket of another account may not be listed; the request that would make it says whose it is.
            ResourcePart::Database => {
                let answer = self.list(name, None, 1).await?;
                match answers::code(&answer).as_deref() {
                    Some("NoSuchBucket" | "AccessDenied" | "AllAccessDisabled" | "PermanentRedirect") => Ok(false),
                    _ => answers::check(&answer).map(|()| true),
                }
            }
        }
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        if part == ResourcePart::Account {
            return Ok(Vec::new());
        }
        // The list of buckets is what is read at the root, which the path `.` is.
        let root = addressing::bucket(&self.url, Addressing::Path, ".", &self.region)?;
        let url = root.get_object(Some(&self.credentials), "").sign(SIGNED_FOR);
        let answer = self.send(Method::GET, url, None).await?;
        answers::check(&answer)?;
        Ok(answers::names(&answer).into_iter().filter(|name| name.starts_with(prefix)).collect())
    }

    async fn make_account(&self, _account: &Account, _attempt: Attempt) -> Result<(), ServerError> {
        // The key is refused with the first bucket, if it is wrong: no other request is allowed with every key.
        Ok(())
    }

    async fn make_database(&self, name: &str, _username: &str, attempt: Attempt) -> Result<(), ServerError> {
        let bucket = self.bucket(name)?;
        let body = (self.is_amazon() && self.region != REGION).then(|| (documents::location(&self.region), None));
        let url = bucket.create_bucket(&self.credentials).sign(SIGNED_FOR);
        let answer = self.send(Method::PUT, url, body).await?;
        match (answers::code(&answer).as_deref(), attempt) {
            (Some("BucketAlreadyOwnedByYou"), Attempt::Again) => Ok(()),
            // It was not there a moment ago: another program with the same key has made it.
            (Some("BucketAlreadyOwnedByYou"), Attempt::First) => Err(ServerError::Taken),
            _ => answers::check(&answer),
        }
    }

    async fn admit(&self, bucket: &str, admitted: &Admitted<'_>) -> Result<Vec<String>, ServerError> {
        let mut refused = Vec::new();
        if admitted.is_public
            && let Some(words) = self.put(bucket, "policy", documents::public(bucket), None).await?
        {
            refused.push(format!("the store refuses to make it publicly readable: {words}"));
        }
        if !admitted.origins.is_empty() {
            let body = documents::cors(admitted.origins);
            let md5 = documents::md5(&body);
            if let Some(words) = self.put(bucket, "cors", body, Some(md5)).await? {
                refused.push(format!(
                    "the store refuses CORS, so that pages cannot read and write objects themselves: {words}"
                ));
            }
        }
        Ok(refused)
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.empty(name).await?;
        let bucket = self.bucket(name)?;
        let url = bucket.delete_bucket(&self.credentials).sign(SIGNED_FOR);
        let answer = self.send(Method::DELETE, url, None).await?;
        match answers::code(&answer).as_deref() {
            Some("NoSuchBucket") => Ok(()),
            Some("BucketNotEmpty") => Err(ServerError::Away(
                "the store says that the bucket is not empty, and lists no objects in it: it may keep earlier versions, which must be deleted \
                 there, or a program still writes"
                    .to_owned(),
            )),
            _ => answers::check(&answer),
        }
    }

    async fn delete_account(&self, _username: &str) -> Result<(), ServerError> {
        Ok(())
    }

    fn objects(self: Arc<Self>) -> Option<Arc<dyn Objects>> {
        Some(self)
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        let (mut bytes, mut next) = (0_u64, None::<String>);
        for _ in 0..SIZE_PAGES {
            let Some(page) = self.page(database, next.as_deref(), PAGE).await? else { return Ok(None) };
            bytes = bytes.saturating_add(page.bytes);
            next = page.next;
            if next.is_none() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}
