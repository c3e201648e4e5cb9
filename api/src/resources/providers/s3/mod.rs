//! Object storage with the interface of Amazon S3: buckets of one account. Access keys are not made here, because only some stores have a way to,
//! and each its own: all instances use the key of the settings.
//!
//! Requests are signed in the query, which every store knows, and carry no checksums but those that S3 requires: others refuse more.

mod addressing;
mod answers;
mod client;
mod content;
mod documents;
mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use reqwest::Method;
use rusty_s3::S3Action as _;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

pub use addressing::{Addressing, is_amazon};
pub use objects::{Content, Listed, MOST_PARTS, Objects, Stat, Upload};

use self::answers::BUCKETS;
use self::client::{Client, Listing, PAGE, SIGNED_FOR};
use super::web::Answer;
use super::{Emptying, ObjectStore};
use crate::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};

/// The most pages that are summed for a size.
const SIZE_PAGES: usize = 20;
/// The region of a store that has none.
pub const REGION: &str = "us-east-1";

/// A store with the interface of S3.
#[derive(Debug)]
pub struct S3 {
    client: Client,
    account: Account,
    endpoint: Endpoint,
    emptying: Emptying,
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
        let client = Client::new(&at, region, addressing)?;
        let ObjectStore { url: _, account, tls: _, endpoint, emptying } = at;
        Ok(Self { client, account, endpoint, emptying })
    }

    async fn list(&self, name: &str, after: Option<&str>, most: usize) -> Result<Answer, ServerError> {
        let listing = Listing { prefix: None, is_shallow: false, after, most };
        self.client.list(&self.client.bucket(name)?, listing).await
    }

    /// A page of a bucket's objects; none: there is no such bucket.
    async fn page(&self, name: &str, after: Option<&str>, most: usize) -> Result<Option<Page>, ServerError> {
        let answer = self.list(name, after, most).await?;
        if answers::code(&answer).as_deref() == Some("NoSuchBucket") {
            return Ok(None);
        }
        answers::check(&answer, BUCKETS)?;
        let parsed = client::page(&answer)?;
        let bytes = parsed.contents.iter().filter_map(|object| object.size).sum();
        let names = parsed.contents.into_iter().map(|object| object.key).collect();
        Ok(Some(Page { names, bytes, next: parsed.next_continuation_token }))
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
            self.client.delete_objects(&self.client.bucket(name)?, page.names, BUCKETS).await?;
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
        let bucket = self.client.bucket(name)?;
        // A request like the one that creates a bucket, with one more word in the query.
        let mut put = bucket.create_bucket(&self.client.credentials);
        put.query_mut().insert(what, "");
        let answer = self.client.send(self.client.with_document(Method::PUT, put.sign(SIGNED_FOR), body, md5)).await?;
        match answers::check(&answer, BUCKETS) {
            Ok(()) => Ok(None),
            Err(ServerError::Refused(words)) => Ok(Some(words)),
            Err(error) => Err(error),
        }
    }

    /// Whether the store is Amazon's, which must be told where a bucket is to be.
    fn is_amazon(&self) -> bool {
        is_amazon(self.client.url.host_str().unwrap_or_default())
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
        [("addressing", self.client.addressing.as_str()), ("region", self.client.region.as_str())]
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
                    _ => answers::check(&answer, BUCKETS).map(|()| true),
                }
            }
        }
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        if part == ResourcePart::Account {
            return Ok(Vec::new());
        }
        // The list of buckets is what is read at the root, which the path `.` is.
        let root = addressing::bucket(&self.client.url, Addressing::Path, ".", &self.client.region)?;
        let url = root.get_object(Some(&self.client.credentials), "").sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::GET, url)).await?;
        answers::check(&answer, BUCKETS)?;
        Ok(answers::names(&answer).into_iter().filter(|name| name.starts_with(prefix)).collect())
    }

    async fn make_account(&self, _account: &Account, _attempt: Attempt) -> Result<(), ServerError> {
        // The key is refused with the first bucket, if it is wrong: no other request is allowed with every key.
        Ok(())
    }

    async fn make_database(&self, name: &str, _username: &str, attempt: Attempt) -> Result<(), ServerError> {
        let bucket = self.client.bucket(name)?;
        let url = bucket.create_bucket(&self.client.credentials).sign(SIGNED_FOR);
        let request = if self.is_amazon() && self.client.region != REGION {
            self.client.with_document(Method::PUT, url, documents::location(&self.client.region), None)
        } else {
            self.client.request(Method::PUT, url)
        };
        let answer = self.client.send(request).await?;
        match (answers::code(&answer).as_deref(), attempt) {
            (Some("BucketAlreadyOwnedByYou"), Attempt::Again) => Ok(()),
            // It was not there a moment ago: another program with the same key has made it.
            (Some("BucketAlreadyOwnedByYou"), Attempt::First) => Err(ServerError::Taken),
            _ => answers::check(&answer, BUCKETS),
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
            let md5 = documents::md5(body.as_bytes());
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
        let bucket = self.client.bucket(name)?;
        let url = bucket.delete_bucket(&self.client.credentials).sign(SIGNED_FOR);
        let answer = self.client.send(self.client.request(Method::DELETE, url)).await?;
        match answers::code(&answer).as_deref() {
            Some("NoSuchBucket") => Ok(()),
            Some("BucketNotEmpty") => Err(ServerError::Away(
                "the store says that the bucket is not empty, and lists no objects in it: it may keep earlier versions, which must be deleted \
                 there, or a program still writes"
                    .to_owned(),
            )),
            _ => answers::check(&answer, BUCKETS),
        }
    }

    async fn delete_account(&self, _username: &str) -> Result<(), ServerError> {
        Ok(())
    }

    fn objects(self: Arc<Self>) -> Option<Arc<dyn crate::resources::objects::Objects>> {
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
