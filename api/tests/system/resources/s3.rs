//! The interface of S3, as Swift has it: signatures that are verified, names of objects, what app servers may do with the key.

use std::time::Duration;

use ocim::resources::server::{Attempt, ServerError};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use shared_types::resource::ResourcePart::Database;

use super::swift::Swift;
use super::{client, only, servers};

/// How long the signatures of the tests are valid.
const VALID: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_wrong_key_is_refused_in_words_that_do_not_contain_it() {
    let swift = Swift::start().await;
    for user in ["ocim%3Aadmin", "ocim%3Aelse"] {
        let server = only(&servers(&swift.s3_table_with(user, "wrong-1")));
        for refused in [
            server.is_used(Database, "ocim-1-a").await.map(drop),
            server.make_database("ocim-1-a", "shared", Attempt::First).await,
            server.delete_database("ocim-1-a").await,
        ] {
            let Err(ServerError::Refused(said)) = &refused else { panic!("{user}: {refused:?}") };
            assert!(said.contains("check key and secret in `url`") && !said.contains("wrong-1"), "{user}: {said}");
        }
    }
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn objects_of_any_name_are_written_with_the_key_and_deleted_with_the_bucket() {
    let swift = Swift::start().await;
    let server = only(&servers(&swift.s3_table()));
    server.make_database("ocim-1-a", "shared", Attempt::First).await.unwrap();
    let shared = server.shared_account().unwrap();
    let credentials = Credentials::new(shared.username, secrecy::ExposeSecret::expose_secret(&shared.password));
    let url = server.endpoint().url("/").parse().unwrap();
    let bucket = Bucket::new(url, UrlStyle::Path, "ocim-1-a", server.options()["region"].clone()).unwrap();
    let client = client();
    let names = ["plain", "a/b/c", "with space & <tag>", "été ☃", "100%", "a+b=c?d#e", "\"quoted\" 'too'"];
    for name in names {
        let put = bucket.put_object(Some(&credentials), name).sign(VALID);
        let answer = client.put(put).body("0123456789").send().await.unwrap();
        assert!(answer.status().is_success(), "{name}: {answer:?}");
    }
    assert_eq!(server.size("ocim-1-a").await, Ok(Some(10 * names.len() as u64)));
    server.delete_database("ocim-1-a").await.unwrap();
    assert_eq!(swift.listing().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_store_that_is_away_is_tried_again() {
    let mut swift = Swift::start().await;
    let server = only(&servers(&swift.s3_table()));
    swift.stop();
    let away = server.has(Database, "ocim-1-a").await.unwrap_err();
    assert!(matches!(&away, ServerError::Away(words) if !words.contains("X-Amz-Signature")), "{away:?}");
    swift.resume().await;
    assert!(!server.has(Database, "ocim-1-a").await.unwrap());
}
