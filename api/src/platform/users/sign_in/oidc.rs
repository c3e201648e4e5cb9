//! OpenID Connect: the authorization code flow with PKCE, state and nonce. The provider's metadata is discovered from
//! its issuer URL; claims about users are trusted only if signed with the provider's keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode, Client, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse, SubjectIdentifier,
    UserInfoClaims, UserInfoError,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared_types::sign_in::Provider;
use tokio::sync::Mutex;
use url::Url;

use super::web::{Web, WebError};
use super::{Group, Identity, IdentityProvider, SignInError, Trip};
use crate::config::{Settings, address};

/// How long cached metadata and keys are used. A signature by a key that is not among them has them fetched anew.
const FRESH: Duration = Duration::from_secs(300);
/// For how long the provider is not asked again after it was: everybody can begin a sign-in.
const PAUSE: Duration = Duration::from_secs(5);
/// The scope that requests groups, if the provider supports it.
const GROUPS: &str = "groups";

/// The accepted signature algorithms: asymmetric, with a key that only the provider has.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The claims without a field of their own, by name.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Rest {
    #[serde(flatten)]
    claims: HashMap<String, Value>,
}

impl AdditionalClaims for Rest {}

type Fields = IdTokenFields<
    Rest,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Claims = IdTokenClaims<Rest, CoreGenderClaim>;
type OurClient = Client<
    Rest,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The answer of the provider when it was last asked for its metadata.
#[derive(Debug)]
struct Described {
    at: Instant,
    /// None: it gave no valid answer.
    metadata: Option<Arc<CoreProviderMetadata>>,
}

/// The provider that the settings name.
#[derive(Debug)]
pub(super) struct Oidc {
    name: String,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<SecretString>,
    groups_claim: String,
    redirect: RedirectUrl,
    web: Web,
    known: Mutex<Option<Described>>,
}

impl Oidc {
    /// Builds the provider from the settings.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let issuer = settings.sign_in.ocim_oidc_issuer.clone().unwrap_or_default();
        let url = address::protected_url("OCIM_OIDC_ISSUER", &issuer)?;
        if settings.sign_in.ocim_oidc_client_id.is_empty() {
            return Err("OCIM_OIDC_ISSUER is set and OCIM_OIDC_CLIENT_ID is not; set both or none".into());
        }
        let redirect = super::redirect_url(settings, Provider::Oidc)?;
        Ok(Self {
            name: settings.sign_in.ocim_oidc_name.clone(),
            issuer: IssuerUrl::new(issuer).map_err(|error| format!("OCIM_OIDC_ISSUER: {error}"))?,
            client_id: ClientId::new(settings.sign_in.ocim_oidc_client_id.clone()),
            client_secret: settings.sign_in.ocim_oidc_client_secret.clone(),
            groups_claim: settings.sign_in.ocim_oidc_groups_claim.clone(),
            redirect: RedirectUrl::from_url(redirect),
            web: Web::new(&url)?,
            known: Mutex::new(None),
        })
    }

    /// Fetches the provider's metadata and keys.
    async fn discover(&self) -> Result<Arc<CoreProviderMetadata>, SignInError> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.ask()).await;
        let found = Arc::new(found.map_err(|error| {
            if let DiscoveryError::Request(error) = &error {
                return away(error);
            }
            if let DiscoveryError::Response(status, ..) = &error {
                return SignInError::Unavailable(format!("its description has the status {status}"));
            }
            SignInError::Invalid(format!("its description: {}", told(&error.to_string())))
        })?);
        Ok(found)
    }

    /// The metadata, from the cache if it was fetched less than `fresh` ago. Concurrent callers wait for one request.
    async fn described(&self, fresh: Duration) -> Result<Arc<CoreProviderMetadata>, SignInError> {
        let mut known = self.known.lock().await;
        if let Some(Described { at, metadata }) = &*known {
            match metadata {
                Some(metadata) if at.elapsed() < fresh => return Ok(metadata.clone()),
                None if at.elapsed() < PAUSE => {
                    return Err(SignInError::Unavailable("it gave no valid description a moment ago".into()));
                }
                Some(_) | None => {}
            }
        }
        let found = self.discover().await;
        *known = Some(Described { at: Instant::now(), metadata: found.as_ref().ok().cloned() });
        found
    }

    fn client(&self, provider: &CoreProviderMetadata) -> OurClient {
        let secret = self.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let methods = provider.token_endpoint_auth_methods_supported();
        let only_post = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let client = OurClient::from_provider_metadata(provider.clone(), self.client_id.clone(), secret);
        let client = client.set_redirect_uri(self.redirect.clone());
        if only_post { client.set_auth_type(AuthType::RequestBody) } else { client }
    }

    fn ask(&self) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, WebError>> + Send + Sync + use<> {
        let web = self.web.clone();
        move |request| {
            let web = web.clone();
            Box::pin(async move { web.send(request).await })
        }
    }

    async fn redeem(&self, client: &OurClient, trip: &Trip, code: String) -> Result<Tokens, SignInError> {
        let asked = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| SignInError::Invalid("its description names no token endpoint".into()))?
            .set_pkce_verifier(PkceCodeVerifier::new(trip.verifier.clone()));
        asked.request_async(&self.ask()).await.map_err(|error| match error {
            RequestTokenError::Request(error) => away(&error),
            RequestTokenError::ServerResponse(said) => SignInError::Denied(told(said.error().as_ref())),
            RequestTokenError::Parse(..) => SignInError::Invalid("the answer to the code cannot be read".into()),
            RequestTokenError::Other(words) => SignInError::Invalid(told(&words)),
        })
    }

    /// The claims of the ID token, if issuer, audience, signature, nonce and time are valid.
    fn verify<'a>(&self, client: &OurClient, trip: &Trip, tokens: &'a Tokens) -> Result<&'a Claims, SignInError> {
        let wrong =
            |error: &dyn std::fmt::Display| SignInError::Invalid(format!("the ID token: {}", told(&error.to_string())));
        let token = tokens.extra_fields().id_token().ok_or_else(|| wrong(&"there is none"))?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, &Nonce::new(trip.nonce.clone())).map_err(|error| wrong(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let (alg, key) = (token.signing_alg(), token.signing_key(&verifier));
            let (alg, key) = (alg.map_err(|error| wrong(&error))?, key.map_err(|error| wrong(&error))?);
            let actual = AccessTokenHash::from_token(tokens.access_token(), alg, key).map_err(|error| wrong(&error))?;
            if actual != *expected {
                return Err(wrong(&"it goes with another access token"));
            }
        }
        Ok(claims)
    }

    /// Claims from the userinfo endpoint, in addition to the ID token's.
    async fn more(
        &self,
        client: &OurClient,
        token: AccessToken,
        subject: SubjectIdentifier,
    ) -> Result<UserInfoClaims<Rest, CoreGenderClaim>, SignInError> {
        let wrong = |words: String| SignInError::Invalid(format!("the userinfo: {words}"));
        let asked = client.user_info(token, Some(subject)).map_err(|error| wrong(error.to_string()))?;
        asked.request_async(&self.ask()).await.map_err(|error| {
            if let UserInfoError::Request(error) = &error {
                return away(error);
            }
            wrong(told(&error.to_string()))
        })
    }

    fn groups(&self, rest: &Rest) -> Option<Vec<Group>> {
        let group = |name: &str| Group { name: name.to_owned(), id: None };
        match rest.claims.get(&self.groups_claim)? {
            Value::String(one) => Some(vec![group(one)]),
            Value::Array(all) => Some(all.iter().filter_map(Value::as_str).map(group).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }
}

#[async_trait]
impl IdentityProvider for Oidc {
    fn id(&self) -> Provider {
        Provider::Oidc
    }

    fn name(&self) -> &str {
        &self.name
    }

    async fn begin(&self, trip: &Trip) -> Result<Url, SignInError> {
        let provider = self.described(FRESH).await?;
        let groups = Scope::new(GROUPS.into());
        let knows_groups = provider.scopes_supported().is_some_and(|scopes| scopes.contains(&groups));
        let client = self.client(&provider);
        let (state, nonce) = (CsrfToken::new(trip.state.clone()), Nonce::new(trip.nonce.clone()));
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let asked = client
            .authorize_url(flow, || state, || nonce)
            .add_scope(Scope::new("profile".into()))
            .add_scopes(knows_groups.then_some(groups))
            .set_pkce_challenge(trip.challenge());
        Ok(asked.url().0)
    }

    async fn finish(&self, trip: &Trip, code: String) -> Result<Identity, SignInError> {
        let provider = self.described(FRESH).await?;
        let mut client = self.client(&provider);
        let tokens = self.redeem(&client, trip, code).await?;
        let claims = match self.verify(&client, trip, &tokens) {
            Ok(claims) => claims,
            Err(_) => {
                // The provider may have other keys by now.
                client = self.client(&*self.described(PAUSE).await?);
                self.verify(&client, trip, &tokens)?
            }
        };
        let subject = claims.subject().clone();
        let mut name = claims.preferred_username().map(|name| name.to_string());
        let mut groups = self.groups(claims.additional_claims());
        if (name.is_none() || groups.is_none()) && provider.userinfo_endpoint().is_some() {
            let more = self.more(&client, tokens.access_token().clone(), subject.clone()).await?;
            name = name.or_else(|| more.preferred_username().map(|name| name.to_string()));
            groups = groups.or_else(|| self.groups(more.additional_claims()));
        }
        let (name, groups) = (name.unwrap_or_default(), groups.unwrap_or_default());
        Ok(Identity { subject: subject.to_string(), name, groups })
    }
}

fn away(error: &WebError) -> SignInError {
    SignInError::Unavailable(error.to_string())
}

/// Makes a provider's text safe for logs and users: no control characters, at most 200 characters.
fn told(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(200).collect()
}
