//! Requests to other services over HTTP: what all clients have in common.

use std::error::Error;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;
use url::Url;

use crate::config::address::is_loopback;

/// A client for the service at this address. It follows no redirect, which could send a credential to another host, and uses
/// a proxy of the environment unless the service is on this host.
pub fn client(service: &Url) -> ClientBuilder {
    let client =
        reqwest::Client::builder().user_agent(concat!("ocim/", env!("CARGO_PKG_VERSION"))).redirect(Policy::none());
    if is_loopback(service) { client.no_proxy() } else { client }
}

/// The innermost cause, which is the most specific: “connection refused”.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost
}
