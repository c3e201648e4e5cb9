//! Requests to the services of a cloud, with a token that is kept and replaced.

use std::sync::Arc;
use std::time::Instant;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::catalog::Service;
use super::credentials::Credentials;
use super::error::OpenStackError;
use super::keystone::{self, Token};
use super::pace::Pace;
use super::web::{Answer, Ask, Web};
use super::words::{Hidden, sentence};

/// The most pages of a list: a million servers.
const MAX_PAGES: usize = 1000;

/// A session with one cloud as one project.
#[derive(Debug)]
pub(super) struct Session {
    web: Web,
    credentials: Credentials,
    hidden: Hidden,
    /// Held during a login, so that there is one at a time.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The last login that failed, and when.
    failure: Option<(Instant, OpenStackError)>,
}

/// A request to a service.
pub(super) struct Call<'a> {
    pub(super) service: Service,
    pub(super) method: Method,
    /// Segments below the service's address.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
    /// A part of the body that no error may show, as services quote what they refuse.
    pub(super) secret: Option<SecretString>,
    /// Names the request in an error.
    pub(super) what: String,
}

/// A link in a list. Nova's and Neutron's are absolute, Glance's relative.
#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

impl<'a> Call<'a> {
    /// A read.
    pub(super) fn get(service: Service, path: &'a [&'a str], what: impl Into<String>) -> Self {
        Self { service, method: Method::GET, path, query: &[], body: None, secret: None, what: what.into() }
    }

    /// A write with a JSON body.
    pub(super) fn post(service: Service, path: &'a [&'a str], body: Value, what: impl Into<String>) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(service, path, what) }
    }
}

impl Session {
    /// A session that logs in with its first request.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] if the certificates cannot be read.
    pub(super) fn new(credentials: Credentials, pace: Pace) -> Result<Self, OpenStackError> {
        let web = Web::new(&credentials.auth_url, credentials.ca_file.as_deref(), pace)?;
        let hidden = keystone::hidden(&credentials);
        Ok(Self { web, credentials, hidden, state: Mutex::default() })
    }

    pub(super) fn pace(&self) -> Pace {
        self.web.pace
    }

    /// Sends a request. If the token is refused, logs in once and repeats it: a refused request had no effect.
    ///
    /// # Errors
    /// [`OpenStackError`] of the login or the service.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, OpenStackError> {
        self.send_page(call, None).await
    }

    /// The address of a service, and a token for it. `refused`: an earlier one, which the service does not accept any more.
    ///
    /// # Errors
    /// [`OpenStackError`] of the login, or if the catalog does not have the service.
    pub(super) async fn access(
        &self,
        service: Service,
        refused: Option<&SecretString>,
    ) -> Result<(Url, SecretString), OpenStackError> {
        let mut token = self.token(None).await?;
        if refused.is_some_and(|refused| refused.expose_secret() == token.value.expose_secret()) {
            token = self.token(Some(&token)).await?;
        }
        Ok((token.catalog.address(service, &self.credentials)?, token.value.clone()))
    }

    /// Reads all pages of a list: `key` is the name of the list in each page.
    ///
    /// # Errors
    /// [`OpenStackError`], also if the list does not end.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: Call<'_>, key: &str) -> Result<Vec<T>, OpenStackError> {
        let (mut items, mut page) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let answer = self.send_page(&call, page.as_deref()).await?;
            let mut body: serde_json::Map<String, Value> = answer.json()?;
            let wrong = |words: &str| {
                OpenStackError::Unreadable(format!("{}: the answer of {} {words}", call.what, call.service.name()))
            };
            let found = body.remove(key).ok_or_else(|| wrong(&format!("has no `{key}`")))?;
            let found: Vec<T> =
                serde_json::from_value(found).map_err(|_| wrong(&format!("has `{key}` of another form")))?;
            let is_empty = found.is_empty();
            items.extend(found);
            let next = next_query(&mut body, key);
            if next.is_none() || is_empty {
                return Ok(items);
            }
            if next == page {
                return Err(wrong("names the same page as the next one"));
            }
            page = next;
        }
        let words = format!("{}: {} gives more than {MAX_PAGES} pages", call.what, call.service.name());
        Err(OpenStackError::Unreadable(words))
    }

    async fn send_page(&self, call: &Call<'_>, page: Option<&str>) -> Result<Answer, OpenStackError> {
        let token = self.token(None).await?;
        match self.send_with(&token, call, page).await {
            Err(error) if error.status() == Some(401) => {
                let token = self.token(Some(&token)).await?;
                self.send_with(&token, call, page).await.map_err(still_refused)
            }
            answer => answer,
        }
    }

    async fn send_with(&self, token: &Token, call: &Call<'_>, page: Option<&str>) -> Result<Answer, OpenStackError> {
        let hidden = self.hidden.and(token.value.clone());
        let hidden = call.secret.iter().fold(hidden, |hidden, secret| hidden.and(secret.clone()));
        let ask = Ask {
            method: call.method.clone(),
            url: self.url(token, call, page)?,
            token: Some(&token.value),
            body: call.body.as_ref(),
            what: &call.what,
            service: call.service.name(),
            hidden: &hidden,
        };
        self.web.send(&ask).await
    }

    /// The address of a request. Of a link only the query is used, so that no answer sends the token elsewhere.
    fn url(&self, token: &Token, call: &Call<'_>, page: Option<&str>) -> Result<Url, OpenStackError> {
        let mut url = token.catalog.address(call.service, &self.credentials)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(call.path);
        }
        if page.is_some() {
            url.set_query(page);
        } else if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        Ok(url)
    }

    /// A token; a new one if this one was refused, or the present one is about to end.
    async fn token(&self, refused: Option<&Arc<Token>>) -> Result<Arc<Token>, OpenStackError> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let usable = state.token.clone().filter(|token| refused.is_none_or(|refused| !Arc::ptr_eq(refused, token)));
        if let Some(token) = usable.as_ref().filter(|token| now < token.replaced_from) {
            return Ok(token.clone());
        }
        // While Keystone does not answer, the old token is used to its end.
        let old = usable.filter(|token| now < token.ends);
        if let Some((at, error)) = &state.failure
            && at.elapsed() < self.web.pace.login
        {
            return old.ok_or_else(|| error.clone());
        }
        match keystone::login(&self.web, &self.credentials).await {
            Ok(token) => {
                let token = Arc::new(token);
                *state = State { token: Some(token.clone()), failure: None };
                Ok(token)
            }
            Err(error) => {
                state.failure = Some((Instant::now(), error.clone()));
                old.filter(|_| error.is_transient()).ok_or(error)
            }
        }
    }
}

/// A token that Keystone has just given and a service refuses: they disagree, which passes.
fn still_refused(error: OpenStackError) -> OpenStackError {
    if error.status() == Some(401) {
        OpenStackError::NotDone(format!("{} Keystone has just given this token.", sentence(&error.to_string())))
    } else {
        error
    }
}

/// The query of the next page.
fn next_query(body: &mut serde_json::Map<String, Value>, key: &str) -> Option<String> {
    let links = body.remove(&format!("{key}_links")).and_then(|links| serde_json::from_value::<Vec<Link>>(links).ok());
    let linked = links.into_iter().flatten().find(|link| link.rel == "next").map(|link| link.href);
    let next = linked.or_else(|| body.get("next").and_then(Value::as_str).map(str::to_owned))?;
    next.split_once('?').map(|(_, query)| query.to_owned())
}
