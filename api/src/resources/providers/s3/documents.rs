//! The documents that say where a bucket is, and who may use it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::json;

/// The namespace of the XML documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Where a bucket is to be made.
pub(super) fn location(region: &str) -> String {
    let region = escaped(region);
    format!(
        "<CreateBucketConfiguration xmlns=\"{NAMESPACE}\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    )
}

/// Makes the objects of a bucket publicly readable; their names cannot be listed.
pub(super) fn public(bucket: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "PublicRead",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject"],
            "Resource": [format!("arn:aws:s3:::{bucket}/*")],
        }],
    })
    .to_string()
}

/// Pages of these origins may read and write objects, with URLs that the application has signed.
pub(super) fn cors(origins: &[String]) -> String {
    let origins: String =
        origins.iter().map(|origin| format!("<AllowedOrigin>{}</AllowedOrigin>", escaped(origin))).collect();
    let methods: String = ["GET", "HEAD", "PUT", "POST"]
        .iter()
        .map(|method| format!("<AllowedMethod>{method}</AllowedMethod>"))
        .collect();
    format!(
        "<CORSConfiguration xmlns=\"{NAMESPACE}\"><CORSRule>{origins}{methods}<AllowedHeader>*</AllowedHeader>\
         <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    )
}

/// The checksum that S3 requires of some documents, and verifies of objects.
pub(super) fn md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_named_each_and_cannot_end_their_element() {
        let made = cors(&["https://school.example".to_owned(), "https://a</AllowedOrigin>&".to_owned()]);
        assert!(made.contains("<AllowedOrigin>https://school.example</AllowedOrigin>"), "{made}");
        assert!(made.contains("<AllowedOrigin>https://a&lt;/AllowedOrigin&gt;&amp;</AllowedOrigin>"), "{made}");
        assert!(!made.contains("<AllowedOrigin>*"), "{made}");
    }

    #[test]
    fn a_public_bucket_may_be_read_and_neither_listed_nor_written() {
        let made: serde_json::Value = serde_json::from_str(&public("ocim-1-a")).unwrap_or_default();
        let statements = made.get("Statement").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        assert_eq!(statements, 1);
        assert_eq!(made.pointer("/Statement/0/Action"), Some(&json!(["s3:GetObject"])));
        assert_eq!(made.pointer("/Statement/0/Resource/0"), Some(&json!("arn:aws:s3:::ocim-1-a/*")));
    }

    #[test]
    fn checksums_are_md5_in_base64() {
        assert_eq!(
            (md5(b""), md5(b"abc")),
            ("1B2M2Y8AsgTpgAmY7PhCfg==".to_owned(), "kAFQmDzST7DWlj99KOF/cg==".to_owned())
        );
    }
}
