//! Logs in to Keystone (v3).

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::catalog::Catalog;
use super::credentials::{Credentials, Login};
use super::error::OpenStackError;
use super::web::{Ask, Web};
use super::words::{Hidden, sentence};

/// How long before its end a token is replaced; half of its life if that is shorter. Nova uses it while it builds a server,
/// after our request has ended.
const MARGIN: Duration = Duration::from_secs(120);

/// A token for one project.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) catalog: Catalog,
    /// From when on it is replaced.
    pub(super) replaced_from: Instant,
    pub(super) ends: Instant,
}

#[derive(Deserialize)]
struct Body {
    token: Described,
}

#[derive(Deserialize)]
struct Described {
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Absent in a token without scope.
    project: Option<Project>,
    #[serde(default)]
    catalog: Catalog,
}

#[derive(Deserialize)]
struct Project {}

/// The values of the credentials that no message may show.
pub(super) fn hidden(credentials: &Credentials) -> Hidden {
    match &credentials.login {
        Login::Password { password: secret, .. } | Login::ApplicationCredential { secret, .. } => {
            Hidden::new([secret.clone()])
        }
    }
}

/// Logs in and gives a token.
///
/// # Errors
/// [`OpenStackError`]; a refusal says which settings to check.
pub(super) async fn login(web: &Web, credentials: &Credentials) -> Result<Token, OpenStackError> {
    let mut url = credentials.auth_url.clone();
    let path = format!("{}/auth/tokens", url.path());
    url.set_path(&path);
    let (body, hidden) = (request(&credentials.login), hidden(credentials));
    let what = "Log in to the cloud";
    let ask =
        Ask { method: Method::POST, url, token: None, body: Some(&body), what, service: "Keystone", hidden: &hidden };
    let asked = Instant::now();
    let answer = web.send(&ask).await.map_err(|error| explained(error, credentials))?;
    let value = answer.headers.get("x-subject-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Body { token } = answer.json()?;
    let unreadable = |words: &str| OpenStackError::Unreadable(format!("{what}: {words}"));
    let value = value.ok_or_else(|| unreadable("the answer of Keystone has no token"))?;
    // Nova would accept such a token, and say that there are no servers.
    if token.project.is_none() {
        let words = "Keystone's token is for no project, so no server could be seen. Check that the project";
        let names = [credentials.source.shown("OS_PROJECT_NAME"), credentials.source.shown("OS_PROJECT_ID")];
        return Err(OpenStackError::Settings(format!("{words} ({}) is one of the user's", names.join(" or "))));
    }
    // The two clocks may differ, so only the difference of the times counts.
    let life = (token.expires_at - token.issued_at).to_std().map_err(|_| unreadable("the token is too old"))?;
    let margin = MARGIN.min(life / 2);
    let (replaced_from, ends) = (asked + life.saturating_sub(margin), asked + life);
    Ok(Token { value: value.into(), catalog: token.catalog, replaced_from, ends })
}

fn request(login: &Login) -> Value {
    match login {
        Login::Password { user, password, project } => {
            let mut user = user.0.clone();
            user.insert("password".to_owned(), password.expose_secret().into());
            let identity = json!({ "methods": ["password"], "password": { "user": user } });
            json!({ "auth": { "identity": identity, "scope": { "project": project.0 } } })
        }
        // Keystone refuses a scope here.
        Login::ApplicationCredential { credential, secret } => {
            let mut credential = credential.0.clone();
            credential.insert("secret".to_owned(), secret.expose_secret().into());
            let methods = ["application_credential"];
            json!({ "auth": { "identity": { "methods": methods, "application_credential": credential } } })
        }
    }
}

/// A refused login, with what to do. Keystone says the same whether the user, password, project or domain is wrong.
fn explained(error: OpenStackError, credentials: &Credentials) -> OpenStackError {
    let OpenStackError::Refused { status, words } = error else { return error };
    let shown = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| credentials.source.shown(name)).collect();
        names.join(", ")
    };
    let password = ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"];
    let application = ["OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_AUTH_URL"];
    let names: &[&str] = match (status, &credentials.login) {
        (401 | 403, Login::Password { .. }) => &password,
        // 404: there is no such application credential, or no Keystone.
        (401 | 403 | 404, Login::ApplicationCredential { .. }) => &application,
        (500.., _) => return OpenStackError::Refused { status, words },
        _ => &["OS_AUTH_URL"],
    };
    OpenStackError::Refused { status, words: format!("{} Check {}.", sentence(&words), shown(names)) }
}
