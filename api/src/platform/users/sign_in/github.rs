//! GitHub, which has OAuth and its own API instead of OpenID Connect. The access token is used once and not stored.

use async_trait::async_trait;
use openidconnect::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::http::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared_types::sign_in::Provider;
use url::Url;
use url::form_urlencoded::Serializer;

use super::web::Web;
use super::{Group, Identity, IdentityProvider, SignInError, Trip};
use crate::config::{Settings, address};

/// The OAuth scope that permits reading a user's teams.
const SCOPE: &str = "read:org";
/// Teams per page; GitHub's maximum.
const PAGE: usize = 100;
/// How many pages of teams are read; teams beyond these are ignored.
const PAGES: usize = 10;

/// GitHub, with the OAuth app that the settings name.
#[derive(Debug)]
pub(super) struct Github {
    client_id: String,
    client_secret: SecretString,
    site: Url,
    api: Url,
    redirect: Url,
    site_web: Web,
    api_web: Web,
}

/// The answer to a code: either a token or an error.
#[derive(Deserialize)]
struct Token {
    access_token: Option<SecretString>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Me {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
struct Team {
    id: u64,
    slug: String,
    organization: Organization,
}

#[derive(Deserialize)]
struct Organization {
    id: u64,
    login: String,
}

impl Github {
    /// Builds the provider from the settings.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let secret = settings.sign_in.ocim_github_client_secret.clone();
        let client_secret = secret
            .ok_or("OCIM_GITHUB_CLIENT_ID is set and OCIM_GITHUB_CLIENT_SECRET is not; set both or none".to_owned())?;
        let site = address::protected_url("GITHUB_URL", &settings.github.github_url)?;
        let api = address::protected_url("GITHUB_API_URL", &settings.github.github_api_url)?;
        Ok(Self {
            client_id: settings.sign_in.ocim_github_client_id.clone().unwrap_or_default(),
            client_secret,
            redirect: super::redirect_url(settings, Provider::Github)?,
            site_web: Web::new(&site)?,
            api_web: Web::new(&api)?,
            site,
            api,
        })
    }

    async fn redeem(&self, trip: &Trip, code: &str) -> Result<SecretString, SignInError> {
        let form = Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("code", code)
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("code_verifier", &trip.verifier)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(below(&self.site, "login/oauth/access_token"))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes());
        let Token { access_token, error } = ask(&self.site_web, request, "the answer to the code").await?;
        access_token.ok_or_else(|| {
            let words = error.unwrap_or_else(|| "it gave no token".into());
            SignInError::Denied(words.chars().filter(char::is_ascii_graphic).take(100).collect())
        })
    }

    async fn get<T: DeserializeOwned>(&self, token: &SecretString, path: &str) -> Result<T, SignInError> {
        let request = Request::builder()
            .uri(below(&self.api, path))
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
            .body(Vec::new());
        ask(&self.api_web, request, path).await
    }

    async fn teams(&self, token: &SecretString) -> Result<Vec<Group>, SignInError> {
        let mut groups = Vec::new();
        for page in 1..=PAGES {
            let teams: Vec<Team> = self.get(token, &format!("user/teams?per_page={PAGE}&page={page}")).await?;
            let is_last = teams.len() < PAGE;
            groups.extend(teams.into_iter().map(group));
            if is_last {
                break;
            }
        }
        Ok(groups)
    }
}

#[async_trait]
impl IdentityProvider for Github {
    fn id(&self) -> Provider {
        Provider::Github
    }

    fn name(&self) -> &str {
        "GitHub"
    }

    async fn begin(&self, trip: &Trip) -> Result<Url, SignInError> {
        let mut url = Url::parse(&below(&self.site, "login/oauth/authorize"))
            .map_err(|error| SignInError::Invalid(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("scope", SCOPE)
            .append_pair("state", &trip.state)
            .append_pair("code_challenge", trip.challenge().as_str())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    async fn finish(&self, trip: &Trip, code: String) -> Result<Identity, SignInError> {
        let token = self.redeem(trip, &code).await?;
        let Me { id, login } = self.get(&token, "user").await?;
        let groups = self.teams(&token).await?;
        Ok(Identity { subject: id.to_string(), name: login, groups })
    }
}

/// A team by its names, which may pass to others, and its ids, which do not.
fn group(Team { id, slug, organization }: Team) -> Group {
    Group { name: format!("{}/{slug}", organization.login), id: Some(format!("{}/{id}", organization.id)) }
}

fn below(base: &Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// Sends a request and parses the JSON in the answer. `what` names the request in log lines.
async fn ask<T: DeserializeOwned>(
    web: &Web,
    request: Result<Request<Vec<u8>>, openidconnect::http::Error>,
    what: &str,
) -> Result<T, SignInError> {
    let wrong = |words: &str| SignInError::Invalid(format!("{what}: {words}"));
    let request = request.map_err(|_| wrong("it cannot be asked for"))?;
    let answer = web.send(request).await.map_err(|error| SignInError::Unavailable(format!("{what}: {error}")))?;
    if !answer.status().is_success() {
        return Err(wrong(&format!("the answer has the status {}", answer.status())));
    }
    // The parser's message may contain the token, so it is dropped.
    serde_json::from_slice(answer.body()).map_err(|_| wrong("the answer cannot be read"))
}
