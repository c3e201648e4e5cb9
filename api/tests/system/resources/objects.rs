//! The content of buckets by the port, on the real stores: names, sizes, pages, headers, and what is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use ocim::resources::connection::Connection;
use ocim::resources::objects::{Content, Listed, Meta, Objects};
use ocim::resources::server::{Attempt, Endpoint, ResourceServer, ServerError};
use shared_types::ResourceKind;

use super::moto::Moto;
use super::swift::Swift;
use super::{only, servers};

const BUCKET: &str = "ocim-1-a";
/// Names that every store can be asked for.
pub const NAMES: &[&str] = &[
    "plain",
    "a/b/c",
    "a//b",
    "with space & <tag>",
    "été/☃ 文",
    "100%",
    "a+b=c?d#e",
    "\"quoted\" 'too'",
    "..a/b..",
    "...",
    "trailing/",
    "%2e%2e",
];
/// More than the size of a part, with a part that is not full.
const LARGE: usize = (16 << 20) + (5 << 20) + 123;

/// An object with this content.
pub fn content(bytes: &[u8], headers: &[(&str, &str)]) -> Content {
    let chunks: Vec<_> = bytes.chunks(100_000).map(|chunk| Ok(chunk.to_vec())).collect();
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Content { meta: Meta { bytes: bytes.len() as u64, headers }, chunks: futures::stream::iter(chunks).boxed() }
}

async fn put(objects: &dyn Objects, name: &str, bytes: &[u8]) {
    objects.write(BUCKET, name, content(bytes, &[])).await.unwrap_or_else(|error| panic!("{name}: {error}"));
}

async fn get(objects: &dyn Objects, name: &str) -> Option<(Meta, Vec<u8>)> {
    let content = objects.read(BUCKET, name).await.unwrap_or_else(|error| panic!("{name}: {error}"))?;
    Some((content.meta, content.chunks.try_concat().await.unwrap()))
}

/// All objects of a bucket by name, and the number of pages.
pub async fn listed(objects: &dyn Objects, bucket: &str) -> (BTreeMap<String, Listed>, usize) {
    let (mut all, mut after, mut pages) = (BTreeMap::new(), None, 0);
    loop {
        let page = objects.list(bucket, after.as_deref()).await.unwrap();
        pages += 1;
        all.extend(page.objects.into_iter().map(|one| (one.name.clone(), one)));
        after = page.next;
        if after.is_none() {
            return (all, pages);
        }
    }
}

/// Bytes that do not repeat.
pub fn noise(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}

async fn reads_what_was_written(server: Arc<dyn ResourceServer>, own_header: &str) {
    server.make_database(BUCKET, "shared", Attempt::First).await.unwrap();
    let objects = server.clone().objects().unwrap();
    let objects = objects.as_ref();
    assert_eq!(objects.read(BUCKET, "none").await.map(|found| found.is_none()), Ok(true));
    assert_eq!(listed(objects, BUCKET).await.0.len(), 0);
    for name in NAMES {
        assert!(objects.can_name(name), "{name}");
        put(objects, name, name.as_bytes()).await;
    }
    put(objects, "empty", b"").await;
    let large = noise(LARGE);
    let headers = [("content-type", "image/x"), ("cache-control", "max-age=3"), (own_header, "ada")];
    objects.write(BUCKET, "large", content(&large, &headers)).await.unwrap();
    objects.write(BUCKET, "small", content(b"1", &headers)).await.unwrap();
    let (all, _) = listed(objects, BUCKET).await;
    assert_eq!(all.len(), NAMES.len() + 3);
    for name in NAMES {
        let (_, bytes) = get(objects, name).await.unwrap();
        assert_eq!((String::from_utf8_lossy(&bytes).as_ref(), all[*name].bytes), (*name, name.len() as u64));
        assert!(!all[*name].etag.is_empty() && !all[*name].etag.contains('"') && !all[*name].modified.is_empty());
    }
    assert_eq!(get(objects, "empty").await.unwrap().1, b"");
    let (meta, bytes) = get(objects, "large").await.unwrap();
    assert!(bytes == large && meta.bytes == LARGE as u64 && all["large"].bytes == LARGE as u64);
    for name in ["large", "small"] {
        let (meta, _) = get(objects, name).await.unwrap();
        let has = |name: &str, value: &str| meta.headers.contains(&(name.to_owned(), value.to_owned()));
        assert!(headers.iter().all(|(name, value)| has(name, value)), "{name}: {:?}", meta.headers);
    }
    // A new content has another version, and the object is replaced whole or not at all.
    put(objects, "plain", b"other").await;
    assert_ne!(listed(objects, BUCKET).await.0["plain"].etag, all["plain"].etag);
    for length in [LARGE, 10] {
        let cut =
            Content { meta: Meta { bytes: length as u64 + 1, ..Meta::default() }, ..content(&large[..length], &[]) };
        let refused = objects.write(BUCKET, "plain", cut).await;
        assert!(matches!(refused, Err(ServerError::Away(_))), "{length}: {refused:?}");
        assert_eq!(get(objects, "plain").await.unwrap().1, b"other");
    }
    let missing = objects.list("ocim-1-none", None).await;
    assert!(matches!(missing, Err(ServerError::Refused(_))), "{missing:?}");
    server.delete_database(BUCKET).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn objects_of_every_store_are_read_as_they_were_written() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    reads_what_was_written(only(&servers(&swift.table())), "x-object-meta-by").await;
    reads_what_was_written(only(&servers(&swift.s3_table())), "x-amz-meta-by").await;
    reads_what_was_written(only(&servers(&moto.table())), "x-amz-meta-by").await;
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn more_than_a_page_of_objects_is_listed_in_the_order_of_their_names() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    for (table, is_swift) in [(swift.table(), true), (moto.table(), false)] {
        let server = only(&servers(&table));
        server.make_database(BUCKET, "shared", Attempt::First).await.unwrap();
        if is_swift {
            swift.fill(BUCKET, 1003).await
        } else {
            moto.fill(BUCKET, 1003).await
        }
        let objects = server.objects().unwrap();
        let (all, pages) = listed(objects.as_ref(), BUCKET).await;
        assert!(all.len() == 1003 && pages >= 2, "{} in {pages}", all.len());
        let first = objects.list(BUCKET, None).await.unwrap().objects;
        assert!(first.is_sorted_by_key(|one| one.name.clone()), "{first:?}");
    }
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_bucket_is_read_with_credentials_that_an_operator_has_entered() {
    let swift = Swift::start().await;
    let servers = servers(&swift.table());
    let server = only(&servers);
    server.make_database(BUCKET, "shared", Attempt::First).await.unwrap();
    swift.fill(BUCKET, 1).await;
    let entered = |kind, password: &str, option: (&str, &str)| Connection {
        kind,
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: swift.port, has_tls: false },
        username: "ocim:admin".to_owned(),
        password: password.to_owned().into(),
        databases: BTreeMap::new(),
        options: [(option.0.to_owned(), option.1.to_owned())].into(),
    };
    let (auth, region) = (("auth_path", "/auth/v1.0"), ("region", "us-east-1"));
    for (kind, option) in [(ResourceKind::Swift, auth), (ResourceKind::S3, region)] {
        let objects = servers.open(&entered(kind, "k/ey-1", option)).unwrap();
        assert_eq!(get(objects.as_ref(), "a/0").await.unwrap().1, b"0123456789", "{kind}");
        let objects = servers.open(&entered(kind, "wrong-1", option)).unwrap();
        let refused = objects.list(BUCKET, None).await.unwrap_err();
        assert!(matches!(&refused, ServerError::Refused(words) if !words.contains("wrong-1")), "{kind}: {refused:?}");
    }
    let refused = servers.open(&entered(ResourceKind::Swift, "k/ey-1", region)).unwrap_err();
    assert!(refused.contains("`project` is missing"), "{refused}");
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_token_that_the_store_has_forgotten_is_replaced_before_the_next_object() {
    let mut swift = Swift::start().await;
    let server = only(&servers(&swift.table()));
    server.make_database(BUCKET, "shared", Attempt::First).await.unwrap();
    let objects = server.objects().unwrap();
    put(objects.as_ref(), "a", b"1").await;
    swift.stop();
    let away = objects.read(BUCKET, "a").await.map(drop).unwrap_err();
    assert!(matches!(away, ServerError::Away(_)), "{away:?}");
    swift.resume().await;
    assert_eq!(get(objects.as_ref(), "a").await.unwrap().1, b"1");
    swift.stop();
    swift.resume().await;
    let away = objects.write(BUCKET, "a", content(b"2", &[])).await.unwrap_err();
    assert!(matches!(&away, ServerError::Away(words) if words.contains("login")), "{away:?}");
    put(objects.as_ref(), "a", b"2").await;
    assert_eq!(get(objects.as_ref(), "a").await.unwrap().1, b"2");
}
