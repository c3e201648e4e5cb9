//! The objects of a container.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;

use super::super::streams::{self, body, exactly, sending};
use super::{Ask, PAGE, Swift, check};
use crate::resources::objects::{Content, Listed, Objects, Page, is_kept};
use crate::resources::server::ServerError;

/// The largest object that a store takes in one request: Swift's default.
const LARGEST: u64 = 5 << 30;
/// What the headers of applications begin with.
const META: &str = "x-object-meta-";

/// An object in a container's list.
#[derive(Debug, Deserialize)]
struct Object {
    name: String,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    last_modified: String,
}

#[async_trait]
impl Objects for Swift {
    fn largest(&self) -> u64 {
        LARGEST
    }

    fn can_name(&self, name: &str) -> bool {
        !matches!(name, "" | "." | "..")
    }

    async fn list(&self, bucket: &str, after: Option<&str>) -> Result<Page, ServerError> {
        let query = [("format", "json"), ("limit", PAGE), ("marker", after.unwrap_or_default())];
        let answer = self.send(&Ask { query: &query, ..Ask::of(Method::GET, bucket) }).await?;
        if answer.status == 404 {
            return Err(ServerError::Refused("the container does not exist".to_owned()));
        }
        check(&answer)?;
        let listed: Result<Vec<Object>, _> = serde_json::from_slice(&answer.body);
        let listed = listed.map_err(|_| ServerError::Refused("the list of objects cannot be read".to_owned()))?;
        // A store may have shorter pages than it is asked for: the last one is empty.
        let next = listed.last().map(|object| object.name.clone());
        let objects = listed.into_iter().map(|object| Listed {
            name: object.name,
            bytes: object.bytes,
            etag: object.hash,
            modified: object.last_modified,
        });
        Ok(Page { objects: objects.collect(), next })
    }

    async fn read(&self, bucket: &str, name: &str) -> Result<Option<Content>, ServerError> {
        let ask = Ask { object: Some(name), ..Ask::of(Method::GET, bucket) };
        let access = self.access(None).await?;
        let mut opened = self.web.open(self.object_request(&access, &ask)?).await?;
        if opened.as_ref().is_err_and(|answer| answer.status == 401) {
            let access = self.access(Some(&access.token)).await?;
            opened = self.web.open(self.object_request(&access, &ask)?).await?;
        }
        match opened {
            Ok(response) => streams::content(response, META).map(Some),
            Err(answer) if answer.status == 404 => Ok(None),
            Err(answer) => Err(super::failed(&answer)),
        }
    }

    async fn write(&self, bucket: &str, name: &str, content: Content) -> Result<(), ServerError> {
        let Content { meta, chunks } = content;
        if meta.bytes > LARGEST {
            let words = format!("`{name}` has {} bytes, and one request writes {LARGEST} at most", meta.bytes);
            return Err(ServerError::Refused(words));
        }
        let access = self.access(None).await?;
        let kept = meta.headers.iter().filter(|(name, _)| is_kept(name, META));
        let headers: Vec<_> = kept.map(|(name, value)| (name.as_str(), value.clone())).collect();
        let ask = Ask { object: Some(name), headers: &headers, ..Ask::of(Method::PUT, bucket) };
        let request = self.object_request(&access, &ask)?.header("content-length", meta.bytes);
        let request = request.body(body(exactly(meta.bytes, chunks)));
        let answer = self.web.send_within(request, sending(meta.bytes)).await?;
        if answer.status == 401 {
            // The body is gone; the next attempt has another token.
            self.access(Some(&access.token)).await?;
            return Err(ServerError::Away("the login has expired".to_owned()));
        }
        check(&answer)
    }
}
