//! Object storage of OpenStack: containers of one account. Users are not made here: all instances use the user of the settings.

mod login;
mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;
use tokio::sync::Mutex;
use url::Url;

pub use login::{Access, Login, TempAuth};

use super::web::{Answer, Web, is_transient, line};
use super::{Emptying, ObjectStore};
use crate::resources::objects::Objects;
use crate::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};

/// The most names in a page.
const PAGE: &str = "1000";
/// The most containers of an account that are listed.
const NAMES: usize = 100_000;
/// How many objects are deleted at once: bulk requests are an option that many stores do not have.
const AT_ONCE: usize = 16;
/// Makes the objects of a container publicly readable; their names cannot be listed.
const PUBLICLY: &str = ".r:*";
/// The headers of a container that are set here: who may read it, and which origins.
const READERS: &str = "x-container-read";
const ORIGINS: &str = "x-container-meta-access-control-allow-origin";

/// A store of Swift.
#[derive(Debug)]
pub struct Swift {
    web: Web,
    login: Arc<dyn Login>,
    /// The last login. Held during a login, so that there is one at a time.
    access: Mutex<Option<Access>>,
    account: Account,
    options: BTreeMap<String, String>,
    endpoint: Endpoint,
    emptying: Emptying,
}

/// An object in a container's list.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
}

/// A request below the account's address.
struct Ask<'a> {
    method: Method,
    /// None: the account itself.
    container: Option<&'a str>,
    object: Option<&'a str>,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, String)],
}

impl<'a> Ask<'a> {
    fn of(method: Method, container: &'a str) -> Self {
        Self { method, container: Some(container), object: None, query: &[], headers: &[] }
    }
}

impl Swift {
    /// The store with this login. It is not asked yet. `options`: what clients must know besides address, user and key.
    ///
    /// # Errors
    /// A message about the file of authorities.
    pub fn new(at: ObjectStore, login: Arc<dyn Login>, options: BTreeMap<String, String>) -> Result<Self, String> {
        let ObjectStore { url, account, tls, endpoint, emptying } = at;
        Ok(Self { web: Web::new(&tls, &url)?, login, access: Mutex::default(), account, options, endpoint, emptying })
    }

    /// The last login, unless the store refuses its token; else another one.
    async fn access(&self, refused: Option<&SecretString>) -> Result<Access, ServerError> {
        let mut access = self.access.lock().await;
        let is_refused = |own: &Access| refused.is_some_and(|token| token.expose_secret() == own.token.expose_secret());
        if let Some(access) = access.as_ref().filter(|own| !is_refused(own)) {
            return Ok(access.clone());
        }
        let new = self.login.log_in(refused).await?;
        *access = Some(new.clone());
        Ok(new)
    }

    /// Sends a request. If the token is refused, logs in once and repeats it: a refused request had no effect.
    async fn send(&self, ask: &Ask<'_>) -> Result<Answer, ServerError> {
        let access = self.access(None).await?;
        let answer = self.send_with(&access, ask).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let access = self.access(Some(&access.token)).await?;
        self.send_with(&access, ask).await
    }

    async fn send_with(&self, access: &Access, ask: &Ask<'_>) -> Result<Answer, ServerError> {
        let (method, url) = (ask.method.clone(), address(&access.url, ask)?);
        let may_have_body = method == Method::PUT || method == Method::POST;
        let mut request =
            if may_have_body { self.web.request_without_body(method, url) } else { self.web.request(method, url) };
        request = request.header("x-auth-token", access.token.expose_secret()).header("accept", "application/json");
        for (name, value) in ask.headers {
            request = request.header(*name, value);
        }
        self.web.send(request).await
    }

    /// A request for an object, with a token.
    fn object_request(&self, access: &Access, ask: &Ask<'_>) -> Result<RequestBuilder, ServerError> {
        let request = self.web.request(ask.method.clone(), address(&access.url, ask)?);
        let request = request.header("x-auth-token", access.token.expose_secret());
        Ok(ask.headers.iter().fold(request, |request, (name, value)| request.header(*name, value)))
    }

    /// What the store says about a container; none: it has none of this name.
    async fn look(&self, container: &str) -> Result<Option<Answer>, ServerError> {
        let answer = self.send(&Ask::of(Method::HEAD, container)).await?;
        if answer.status == 404 { Ok(None) } else { check(&answer).map(|()| Some(answer)) }
    }

    /// The first names in a container, or of the account's containers, that begin with the prefix and come after a name; none: there
    /// are none, or the container does not exist.
    async fn page(&self, container: Option<&str>, prefix: &str, after: &str) -> Result<Vec<String>, ServerError> {
        let query = [("format", "json"), ("limit", PAGE), ("prefix", prefix), ("marker", after)];
        let answer =
            self.send(&Ask { method: Method::GET, container, object: None, query: &query, headers: &[] }).await?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        check(&answer)?;
        let listed: Result<Vec<Listed>, _> = serde_json::from_slice(&answer.body);
        let listed = listed.map_err(|_| ServerError::Refused("the list of objects cannot be read".to_owned()))?;
        Ok(listed.into_iter().map(|object| object.name).collect())
    }

    async fn delete_object(&self, container: &str, object: &str) -> Result<(), ServerError> {
        let answer = self.send(&Ask { object: Some(object), ..Ask::of(Method::DELETE, container) }).await?;
        if answer.status == 404 { Ok(()) } else { check(&answer) }
    }

    /// Deletes objects until there are none, or this call has done its part.
    async fn empty(&self, container: &str) -> Result<(), ServerError> {
        let (begun, mut deleted) = (Instant::now(), 0);
        loop {
            let mut names = self.page(Some(container), "", "").await?;
            if names.is_empty() {
                return Ok(());
            }
            names.truncate(self.emptying.objects.saturating_sub(deleted));
            if names.is_empty() {
                return Err(self.emptying.unfinished(deleted));
            }
            for some in names.chunks(AT_ONCE) {
                if begun.elapsed() > self.emptying.time {
                    return Err(self.emptying.unfinished(deleted));
                }
                let done = join_all(some.iter().map(|name| self.delete_object(container, name))).await;
                done.into_iter().collect::<Result<(), _>>()?;
                deleted += some.len();
            }
        }
    }
}

#[async_trait]
impl ResourceServer for Swift {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Swift
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn shared_account(&self) -> Option<Account> {
        Some(self.account.clone())
    }

    fn options(&self) -> BTreeMap<String, String> {
        self.options.clone()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => Ok(true),
            ResourcePart::Database => Ok(self.look(name).await?.is_some()),
        }
    }

    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => Ok(false),
            ResourcePart::Database => self.has(part, name).await,
        }
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        let mut names: Vec<String> = Vec::new();
        while part == ResourcePart::Database && names.len() < NAMES {
            let page = self.page(None, prefix, names.last().map_or("", String::as_str)).await?;
            if page.is_empty() {
                break;
            }
            names.extend(page);
        }
        Ok(names)
    }

    async fn make_account(&self, _account: &Account, _attempt: Attempt) -> Result<(), ServerError> {
        self.access(None).await.map(drop)
    }

    async fn make_database(&self, name: &str, _username: &str, attempt: Attempt) -> Result<(), ServerError> {
        let answer = self.send(&Ask::of(Method::PUT, name)).await?;
        match (answer.status, attempt) {
            // It existed, and the request, which says nothing but its name, has changed nothing.
            (202, Attempt::First) => Err(ServerError::Taken),
            _ => check(&answer),
        }
    }

    async fn admit(&self, bucket: &str, admitted: &Admitted<'_>) -> Result<Vec<String>, ServerError> {
        let readers = if admitted.is_public { PUBLICLY } else { "" };
        let headers = [(READERS, readers.to_owned()), (ORIGINS, admitted.origins.join(" "))];
        let answer = self.send(&Ask { headers: &headers, ..Ask::of(Method::POST, bucket) }).await?;
        match check(&answer) {
            Ok(()) => Ok(Vec::new()),
            Err(ServerError::Refused(words)) => {
                Ok(vec![format!("the store refuses to say who may read it besides its account: {words}")])
            }
            Err(error) => Err(error),
        }
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.empty(name).await?;
        let answer = self.send(&Ask::of(Method::DELETE, name)).await?;
        match answer.status {
            404 => Ok(()),
            409 => Err(ServerError::Away(
                "the store says that the container is not empty, and lists no objects in it: its list may be behind, or a program still \
                 writes"
                    .to_owned(),
            )),
            _ => check(&answer),
        }
    }

    async fn delete_account(&self, _username: &str) -> Result<(), ServerError> {
        Ok(())
    }

    fn objects(self: Arc<Self>) -> Option<Arc<dyn Objects>> {
        Some(self)
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        let answer = self.look(database).await?;
        let bytes = answer.as_ref().and_then(|answer| answer.header("x-container-bytes-used"));
        Ok(bytes.and_then(|bytes| bytes.parse().ok()))
    }
}

/// The address of a container, or of an object in it.
fn address(account: &Url, ask: &Ask<'_>) -> Result<Url, ServerError> {
    let names: Vec<_> = ask.container.into_iter().chain(ask.object).collect();
    // A URL cannot name them: they would mean the container, or the account.
    if let Some(name) = names.iter().find(|name| matches!(**name, "" | "." | "..")) {
        return Err(ServerError::Refused(format!("an object is called `{name}`, which no address names")));
    }
    let mut url = account.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => segments.pop_if_empty().extend(names),
        Err(()) => return Err(ServerError::Refused("the store's address of the account is none of HTTP".to_owned())),
    };
    if !ask.query.is_empty() {
        url.query_pairs_mut().extend_pairs(ask.query);
    }
    Ok(url)
}

/// An error unless the request was done.
fn check(answer: &Answer) -> Result<(), ServerError> {
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(failed(answer)) }
}

/// The error of a request that was not done.
fn failed(answer: &Answer) -> ServerError {
    let said = line(&answer.text());
    let words = if said.is_empty() { format!("the store answers {}", answer.status) } else { said };
    match answer.status {
        401 | 403 => ServerError::Refused(format!(
            "the store refuses it ({}); the user needs to create and delete containers of the account",
            answer.status
        )),
        507 => ServerError::Refused(format!("{words}; the store is full")),
        status if is_transient(status) => ServerError::Away(words),
        _ => ServerError::Refused(words),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(container: &str, object: Option<&str>) -> Result<String, ServerError> {
        let account: Url = "https://swift.example/v1/AUTH_campus/".parse().unwrap();
        address(&account, &Ask { object, ..Ask::of(Method::DELETE, container) }).map(String::from)
    }

    #[test]
    fn an_object_with_any_name_is_addressed_below_its_container() {
        for (name, path) in [
            ("a/b", "a%2Fb"),
            ("../x", "..%2Fx"),
            ("what?#%41", "what%3F%23%2541"),
            ("été ☃", "%C3%A9t%C3%A9%20%E2%98%83"),
        ] {
            let expected = format!("https://swift.example/v1/AUTH_campus/ocim-1-a/{path}");
            assert_eq!(of("ocim-1-a", Some(name)), Ok(expected), "{name}");
        }
        assert_eq!(of("ocim-1-a", None).as_deref(), Ok("https://swift.example/v1/AUTH_campus/ocim-1-a"));
    }

    #[test]
    fn a_list_of_containers_is_the_accounts() {
        let account: Url = "https://swift.example/v1/AUTH_campus".parse().unwrap();
        let query = [("prefix", "ocim-1-")];
        let ask = Ask { method: Method::GET, container: None, object: None, query: &query, headers: &[] };
        assert_eq!(address(&account, &ask).unwrap().as_str(), "https://swift.example/v1/AUTH_campus?prefix=ocim-1-");
    }

    #[test]
    fn no_name_addresses_the_account_or_another_container() {
        for name in ["", ".", ".."] {
            assert!(of(name, None).is_err() && of("ocim-1-a", Some(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_store_that_is_full_or_forbids_it_is_not_asked_again() {
        let answer =
            |status| Answer { status, headers: reqwest::header::HeaderMap::new(), body: b"<h1>No</h1>\n".to_vec() };
        assert!(matches!(check(&answer(503)), Err(ServerError::Away(_))));
        for status in [401, 403, 404, 409, 507] {
            assert!(matches!(check(&answer(status)), Err(ServerError::Refused(_))), "{status}");
        }
        assert_eq!(check(&answer(202)), Ok(()));
    }
}
