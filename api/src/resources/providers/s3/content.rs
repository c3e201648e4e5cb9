//! The content of instances' buckets.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder};
use rusty_s3::actions::CreateMultipartUpload;
use rusty_s3::{Bucket, Map, S3Action as _};
use url::Url;

use super::super::streams::{self, exactly, part, sending};
use super::super::web::Answer;
use super::client::{self, PAGE, SIGNED_FOR};
use super::{S3, answers};
use crate::resources::objects::{Content, Listed, Meta, Objects, Page};
use crate::resources::server::ServerError;

/// The size of a part of a large object. Smaller objects are written with one request.
const PART: u64 = 16 << 20;
/// The largest part, which is held in memory.
const PART_MAX: u64 = 64 << 20;
/// The most parts of an object: the limit of S3.
const PARTS: u64 = 10_000;
/// What the key needs.
const RIGHTS: &str = "list the bucket, and to read and write its objects";
/// What the headers of applications begin with.
const META: &str = "x-amz-meta-";
/// The limit for putting parts together. Stores may copy all of them.
const COMPLETING: Duration = Duration::from_secs(600);

#[async_trait]
impl Objects for S3 {
    fn largest(&self) -> u64 {
        PARTS * PART_MAX
    }

    fn can_name(&self, name: &str) -> bool {
        // In an address, they lead to another object.
        !name.is_empty() && !name.split('/').any(is_dots)
    }

    async fn list(&self, bucket: &str, after: Option<&str>) -> Result<Page, ServerError> {
        let answer = S3::list(self, bucket, after, PAGE).await?;
        answers::check(&answer, RIGHTS)?;
        let parsed = client::page(&answer)?;
        let objects = parsed.contents.into_iter().map(|object| Listed {
            name: object.key,
            bytes: object.size.unwrap_or_default(),
            etag: object.etag.unwrap_or_default().trim_matches('"').to_owned(),
            modified: object.last_modified.unwrap_or_default(),
        });
        Ok(Page { objects: objects.collect(), next: parsed.next_continuation_token })
    }

    async fn read(&self, bucket: &str, name: &str) -> Result<Option<Content>, ServerError> {
        let bucket = self.client.bucket(bucket)?;
        let url = bucket.get_object(Some(&self.client.credentials), name).sign(SIGNED_FOR);
        match self.client.open(self.client.request(Method::GET, url)).await? {
            Ok(response) => streams::content(response, META).map(Some),
            Err(answer) if answers::code(&answer).as_deref() == Some("NoSuchKey") => Ok(None),
            Err(answer) => Err(answers::failed(&answer, RIGHTS)),
        }
    }

    async fn write(&self, bucket: &str, name: &str, content: Content) -> Result<(), ServerError> {
        let Content { meta, chunks } = content;
        let bucket = self.client.bucket(bucket)?;
        let mut chunks = exactly(meta.bytes, chunks);
        if meta.bytes > PART {
            return self.write_parts(&bucket, name, Content { meta, chunks }).await;
        }
        let mut put = bucket.put_object(Some(&self.client.credentials), name);
        let headers = sign_headers(put.headers_mut(), &meta);
        let body = part(&mut chunks, &mut Vec::new(), usize::MAX).await?;
        let answer = self.put_body(put.sign(SIGNED_FOR), &headers, body).await?;
        answers::check(&answer, RIGHTS)
    }
}

impl S3 {
    /// Writes an object in parts. What is there of it is deleted if that fails.
    async fn write_parts(&self, bucket: &Bucket, name: &str, content: Content) -> Result<(), ServerError> {
        let mut create = bucket.create_multipart_upload(Some(&self.client.credentials), name);
        let headers = sign_headers(create.headers_mut(), &content.meta);
        let request = self.client.request(Method::POST, create.sign(SIGNED_FOR));
        let answer = self.client.send(with(request, &headers)).await?;
        answers::check(&answer, RIGHTS)?;
        let created = CreateMultipartUpload::parse_response(&answer.text())
            .map_err(|error| ServerError::Refused(format!("the store's answer cannot be read: {error}")))?;
        let upload = created.upload_id();
        let written = self.write_to(bucket, (name, upload), content).await;
        if written.is_err() {
            let abort = bucket.abort_multipart_upload(Some(&self.client.credentials), name, upload).sign(SIGNED_FOR);
            // The first error says more.
            let _ = self.client.send(self.client.request(Method::DELETE, abort)).await;
        }
        written
    }

    async fn write_to(
        &self,
        bucket: &Bucket,
        (name, upload): (&str, &str),
        content: Content,
    ) -> Result<(), ServerError> {
        let Content { meta, mut chunks } = content;
        let length = usize::try_from(part_bytes(meta.bytes)).unwrap_or(usize::MAX);
        let (mut etags, mut rest): (Vec<String>, _) = (Vec::new(), Vec::new());
        loop {
            let body = part(&mut chunks, &mut rest, length).await?;
            if body.is_empty() {
                break;
            }
            let number = u16::try_from(etags.len() + 1).unwrap_or(u16::MAX);
            let url = bucket.upload_part(Some(&self.client.credentials), name, number, upload).sign(SIGNED_FOR);
            let answer = self.put_body(url, &[], body).await?;
            answers::check(&answer, RIGHTS)?;
            let no_etag = || ServerError::Refused("the store's answer to a part has no ETag".to_owned());
            etags.push(answer.header("etag").ok_or_else(no_etag)?.to_owned());
        }
        let etags = etags.iter().map(String::as_str);
        let complete = bucket.complete_multipart_upload(Some(&self.client.credentials), name, upload, etags);
        let url = complete.sign(SIGNED_FOR);
        let request = self.client.with_document(Method::POST, url, complete.body(), None);
        let answer = self.client.send_within(request, COMPLETING).await?;
        answers::check(&answer, RIGHTS)?;
        // A store may begin to answer before it knows.
        answers::check_each(&answer, RIGHTS)
    }

    /// Sends a body that is in memory.
    async fn put_body(&self, url: Url, headers: &[(String, String)], body: Vec<u8>) -> Result<Answer, ServerError> {
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let request = self.client.with_body(Method::PUT, url, body, None).header("content-length", bytes);
        self.client.send_within(with(request, headers), sending(bytes)).await
    }
}

fn with(request: RequestBuilder, headers: &[(String, String)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), value.as_str()))
}

/// Puts the headers of an object that S3 knows among those that are signed; gives them.
fn sign_headers<'m>(signed: &mut Map<'m>, meta: &'m Meta) -> Vec<(String, String)> {
    let kept = |name: &str| crate::resources::objects::is_kept(name, META);
    let headers: Vec<_> = meta.headers.iter().filter(|(name, _)| kept(name)).collect();
    for (name, value) in &headers {
        signed.insert(name.as_str(), value.as_str());
    }
    headers.into_iter().cloned().collect()
}

/// The size of the parts of an object.
const fn part_bytes(bytes: u64) -> u64 {
    let least = bytes.div_ceil(PARTS);
    if least > PART { least } else { PART }
}

/// Whether a part of an address means this folder or the one above it.
fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use rusty_s3::UrlStyle;

    use super::*;

    #[test]
    fn an_object_of_any_size_has_ten_thousand_parts_at_most() {
        assert_eq!([1, PART, PARTS * PART].map(part_bytes), [PART; 3]);
        for bytes in [PARTS * PART + 1, PARTS * PART_MAX] {
            assert!(bytes.div_ceil(part_bytes(bytes)) <= PARTS && part_bytes(bytes) <= PART_MAX, "{bytes}");
        }
    }

    #[test]
    fn names_that_an_address_would_change_are_known() {
        let bucket = "https://s3.example".parse().map(|url| Bucket::new(url, UrlStyle::Path, "b", "us-east-1"));
        let Ok(Ok(bucket)) = bucket else { panic!("{bucket:?}") };
        let path = |name: &str| bucket.object_url(name).path().to_owned();
        for name in ["..", "a/../b", "a/.", "./a"] {
            assert!(name.split('/').any(is_dots) && !path(name).ends_with(name), "{name}: {}", path(name));
        }
        for (name, expected) in
            [("..a", "/b/..a"), ("a..b/..c", "/b/a..b/..c"), ("a//b", "/b/a//b"), ("%2e%2e", "/b/%252e%252e")]
        {
            assert!(!name.split('/').any(is_dots), "{name}");
            assert_eq!(path(name), expected);
        }
    }
}
