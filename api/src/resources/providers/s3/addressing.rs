//! How buckets are addressed: in the path or in the host name.

use rusty_s3::{Bucket, UrlStyle};
use url::Url;

use crate::resources::server::ServerError;

/// How buckets are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// In the path: every store knows it.
    Path,
    /// In the host name: what Amazon wants.
    Virtual,
}

impl Addressing {
    /// The word in settings and in the options of clients.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Virtual => "virtual",
        }
    }
}

/// Whether a host is one of Amazon's.
pub fn is_amazon(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// A bucket of the store at this URL.
///
/// # Errors
/// [`ServerError::Refused`] if the name cannot be part of the host name.
pub(super) fn bucket(url: &Url, addressing: Addressing, name: &str, region: &str) -> Result<Bucket, ServerError> {
    let style = match addressing {
        Addressing::Path => UrlStyle::Path,
        Addressing::Virtual => UrlStyle::VirtualHost,
    };
    let bucket = Bucket::new(url.clone(), style, name.to_owned(), region.to_owned());
    bucket.map_err(|_| {
        ServerError::Refused(format!("`{name}` cannot be part of an address of {url}; try addressing = \"path\""))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use rusty_s3::{Credentials, S3Action as _};

    use super::*;

    fn of(url: &str, addressing: Addressing, name: &str) -> Result<String, ServerError> {
        bucket(&url.parse().unwrap(), addressing, name, "us-east-1").map(|bucket| bucket.base_url().to_string())
    }

    #[test]
    fn a_bucket_is_in_the_path_or_in_the_host_name() {
        let amazon = "https://s3.eu-west-1.amazonaws.com";
        assert_eq!(
            of("http://127.0.0.1:9000", Addressing::Path, "ocim-1-a").unwrap(),
            "http://127.0.0.1:9000/ocim-1-a/"
        );
        assert_eq!(
            of(amazon, Addressing::Virtual, "ocim-1-a").unwrap(),
            "https://ocim-1-a.s3.eu-west-1.amazonaws.com/"
        );
        assert_eq!(
            of(amazon, Addressing::Path, ".").unwrap(),
            "https://s3.eu-west-1.amazonaws.com/",
            "the list of buckets"
        );
        assert!(of("https://[::1]:9000", Addressing::Virtual, "ocim-1-a").is_err(), "an address has no subdomain");
    }

    #[test]
    fn amazons_hosts_are_known_by_their_domain() {
        assert!(is_amazon("s3.eu-west-1.amazonaws.com") && is_amazon("s3.cn-north-1.amazonaws.com.cn"));
        assert!(!is_amazon("s3.example") && !is_amazon("amazonaws.com.example") && !is_amazon("notamazonaws.com"));
    }

    #[test]
    fn a_document_is_put_by_a_signed_url_that_names_it_and_holds_no_secret() {
        let credentials = Credentials::new("AKIA1", "hidden-1");
        let own = bucket(&"https://s3.example".parse().unwrap(), Addressing::Path, "ocim-1-a", "us-east-1").unwrap();
        let signed = |what: &'static str| {
            let mut put = own.create_bucket(&credentials);
            put.query_mut().insert(what, "");
            put.sign(Duration::from_secs(60)).to_string()
        };
        let (policy, cors) = (signed("policy"), signed("cors"));
        assert!(policy.starts_with("https://s3.example/ocim-1-a/?X-Amz-Algorithm=AWS4-HMAC-SHA256&"), "{policy}");
        assert!(policy.contains("&policy=") && cors.contains("&cors=") && !policy.contains("hidden-1"), "{policy}");
        let signature = |url: &str| url.split("X-Amz-Signature=").nth(1).map(str::to_owned);
        assert!(signature(&policy).is_some() && signature(&policy) != signature(&cors), "what is put is signed");
    }
}
