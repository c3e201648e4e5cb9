//! `ocim logout`: deletes the token at the server and here.

use reqwest::Method;
use serde_json::json;

use super::account;
use super::api::{Api, Credential, parse_server};
use super::error::ClientError;
use super::output::Output;

/// Deletes the stored token. The local copy is always removed; if the server cannot delete the token, that is an error.
///
/// # Errors
/// [`ClientError::NotSignedIn`] if no token is stored; the server's error if it did not delete the token.
pub async fn logout(out: &Output) -> Result<(), ClientError> {
    let Some(kept) = account::read()? else {
        return Err(ClientError::NotSignedIn("Not signed in: no token is kept here.".to_owned()));
    };
    let api = Api::new(parse_server(&kept.server)?, Credential::Token(kept.token))?;
    let deleted = match kept.token_id {
        Some(id) => api.json(api.request(Method::DELETE, &format!("/auth/tokens/{id}"), &[])).await.map(|_| true),
        None => Ok(false),
    };
    account::remove()?;
    let words = match deleted {
        Ok(true) => format!("Signed out of {}: the token works no more.", api.server()),
        Ok(false) => format!("Signed out of {}. The token was not made here and goes on working.", api.server()),
        // It has expired, or was deleted before.
        Err(error) if matches!(error.status(), Some(401 | 404)) => {
            format!("Signed out of {}: the token worked no more.", api.server())
        }
        Err(error) => {
            let words = "ocim: the token is not kept here any more, and still works until it is deleted at the server.";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{words}\n").as_bytes());
            return Err(error);
        }
    };
    out.told(&json!({ "server": api.server() }), &words)
}
