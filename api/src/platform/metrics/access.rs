//! Access to the metrics: for this host, and for clients with the token.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The SHA-256 of the token; none if there is no token.
#[derive(Debug, Clone, Default)]
pub struct Access(Option<[u8; 32]>);

/// Why access is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A token is set, and the request did not send it.
    #[error("Send OCIM_METRICS_TOKEN as a bearer token; without it only this host may read the figures.")]
    WrongToken,
    /// No token is set, and the request is not from this host.
    #[error("Only this host may read the figures, and not through a proxy; set OCIM_METRICS_TOKEN for others.")]
    NotHere,
}

impl Access {
    /// Access with this token; a blank token counts as none.
    pub fn new(token: Option<&SecretString>) -> Self {
        Self(token.map(ExposeSecret::expose_secret).filter(|token| !token.is_empty()).map(hash))
    }

    /// Checks a request. `is_forwarded`: a proxy sent it, so the client may be on another host.
    ///
    /// # Errors
    /// [`Denied`] with the reason.
    pub fn check(&self, from: Option<IpAddr>, is_forwarded: bool, token: Option<&str>) -> Result<(), Denied> {
        if from.is_some_and(|address| address.is_loopback()) && !is_forwarded {
            return Ok(());
        }
        match self.0 {
            // Comparing hashes leaks nothing about the token by its duration.
            Some(right) if token.map(hash) == Some(right) => Ok(()),
            Some(_) => Err(Denied::WrongToken),
            None => Err(Denied::NotHere),
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_host_may_and_who_has_the_token() {
        let (here, there): (Option<IpAddr>, Option<IpAddr>) =
            (Some("127.0.0.1".parse().unwrap()), Some("192.0.2.7".parse().unwrap()));
        for nothing in [Access::new(None), Access::new(Some(&SecretString::from("")))] {
            assert_eq!(nothing.check(here, false, Some("any")), Ok(()));
            assert_eq!(nothing.check(Some("::1".parse().unwrap()), false, None), Ok(()));
            assert_eq!(nothing.check(here, true, None), Err(Denied::NotHere), "a proxy on this host");
            for token in [None, Some("")] {
                assert_eq!(nothing.check(there, false, token), Err(Denied::NotHere));
            }
        }
        let access = Access::new(Some(&SecretString::from("s3cret")));
        assert_eq!(access.check(there, true, Some("s3cret")), Ok(()));
        assert_eq!(access.check(here, false, None), Ok(()));
        for wrong in [None, Some(""), Some("s3cre"), Some("s3cret ")] {
            assert_eq!(access.check(there, false, wrong), Err(Denied::WrongToken));
            assert_eq!(access.check(None, false, wrong), Err(Denied::WrongToken));
        }
        assert!(!format!("{access:?}").contains("s3cret"));
    }
}
