//! How a user logs in to a store of Swift: it gets a token, and the address of the account with its containers.

use std::fmt::Debug;

use async_trait::async_trait;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::super::web::{Web, is_transient};
use crate::resources::server::{Account, ServerError};
use crate::resources::tls::Tls;

/// A token, and what it is for.
#[derive(Debug, Clone)]
pub struct Access {
    /// The address of the account; containers are below it.
    pub url: Url,
    /// Sent with each request.
    pub token: SecretString,
}

/// Logs a user in.
#[async_trait]
pub trait Login: Debug + Send + Sync {
    /// Logs in. `refused`: the token of an earlier login, which the store does not accept any more.
    ///
    /// # Errors
    /// [`ServerError`]; a refusal says what to check.
    async fn log_in(&self, refused: Option<&SecretString>) -> Result<Access, ServerError>;
}

/// The login of stores without Keystone (`TempAuth`, version 1): user and key in headers.
#[derive(Debug)]
pub struct TempAuth {
    web: Web,
    url: Url,
    account: Account,
}

impl TempAuth {
    /// The login at this URL, such as `https://swift.example/auth/v1.0`.
    ///
    /// # Errors
    /// A message about the file of authorities.
    pub fn new(url: Url, account: Account, tls: &Tls) -> Result<Self, String> {
        Ok(Self { web: Web::new(tls, &url)?, url, account })
    }
}

#[async_trait]
impl Login for TempAuth {
    async fn log_in(&self, _refused: Option<&SecretString>) -> Result<Access, ServerError> {
        let request = self.web.request(Method::GET, self.url.clone());
        let request = request.header("x-auth-user", self.account.username.as_str());
        let answer = self.web.send(request.header("x-auth-key", self.account.password.expose_secret())).await?;
        match answer.status {
            200..300 => {}
            401 | 403 => {
                return Err(ServerError::Refused(
                    "the store refuses the login; check user and key in `url`".to_owned(),
                ));
            }
            status if is_transient(status) => {
                return Err(ServerError::Away(format!("the login is answered with {status}")));
            }
            status => {
                return Err(ServerError::Refused(format!(
                    "the login is answered with {status}; check the path of `url`"
                )));
            }
        }
        let url = answer.header("x-storage-url").and_then(|url| Url::parse(url).ok());
        let token = answer.header("x-auth-token").map(|token| SecretString::from(token.to_owned()));
        match (url, token) {
            (Some(url), Some(token)) if url.has_host() => Ok(Access { url, token }),
            _ => Err(ServerError::Refused(
                "the answer to the login has no token and no address; check the path of `url`".to_owned(),
            )),
        }
    }
}
