//! A certificate authority that speaks ACME (RFC 8555), with `instant-acme`.

mod web;
mod words;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use instant_acme::{
    Account, AuthorizationState, AuthorizationStatus, CertificateIdentifier, ChallengeStatus, ChallengeType, Error,
    ExternalAccountKey, Identifier, NewAccount, NewOrder, OrderStatus as RemoteStatus,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::authority::{
    Authority, AuthorityError, ChallengeKind, OrderStatus, OrderView, Validation, ValidationStatus, Window,
};
use super::pem;
use web::Web;

/// How often a request is repeated because of its nonce, in addition to the library's own three attempts.
const NONCES: usize = 8;

/// How to reach an authority.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The URL of its directory.
    pub directory: String,
    /// The mail address that it may write to.
    pub contact: Option<String>,
    /// Whether its terms of service are agreed to.
    pub agrees_to_terms: bool,
    /// The certificates that its web server is verified with; none: the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// The id and the key (base64url) of an external account.
    pub external_account: Option<(String, SecretString)>,
}

/// An authority that speaks ACME.
pub struct Acme {
    settings: AcmeSettings,
    external_key: Option<Vec<u8>>,
    web: Web,
    /// The account that was last used, and its credentials: opening one asks for the directory.
    opened: Mutex<Option<(String, Account)>>,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("directory", &self.settings.directory).finish_non_exhaustive()
    }
}

impl Acme {
    /// An authority, which is not asked yet.
    ///
    /// # Errors
    /// A message that names the setting, and says what is wrong.
    pub fn new(settings: AcmeSettings) -> Result<Self, String> {
        let web = Web::new(&settings.directory, settings.ca_file.as_deref())?;
        let decoded = |key: &SecretString| {
            let key = key.expose_secret().trim();
            let decoded = URL_SAFE_NO_PAD.decode(key).or_else(|_| URL_SAFE.decode(key));
            decoded.map_err(|_| "OCIM_ACME_EXTERNAL_ACCOUNT_KEY is no base64url".to_owned())
        };
        let external_key = settings.external_account.as_ref().map(|(_, key)| decoded(key)).transpose()?;
        Ok(Self { settings, external_key, web, opened: Mutex::default() })
    }

    async fn account(&self, credentials: &SecretString) -> Result<Account, AuthorityError> {
        let mut opened = self.opened.lock().await;
        if let Some((of, account)) = &*opened
            && of == credentials.expose_secret()
        {
            return Ok(account.clone());
        }
        let stored = credentials.expose_secret();
        let open = move || async move { self.builder().from_credentials(serde_json::from_str(stored)?).await };
        let account = self.ask(open).await?;
        *opened = Some((credentials.expose_secret().to_owned(), account.clone()));
        Ok(account)
    }

    fn builder(&self) -> instant_acme::AccountBuilder {
        Account::builder_with_http(Box::new(self.web.clone()))
    }

    /// Asks, and again while the authority refuses only the nonce.
    async fn ask<T, F>(&self, request: impl Fn() -> F) -> Result<T, AuthorityError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.ask_noting(request).await.map(|(answer, _)| answer)
    }

    /// The same, with the time before which the authority wants no other request.
    async fn ask_noting<T, F>(&self, request: impl Fn() -> F) -> Result<(T, Option<DateTime<Utc>>), AuthorityError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut left = NONCES;
        loop {
            match web::noting_retry_after(request()).await {
                (Ok(answer), retry_at) => return Ok((answer, retry_at)),
                (Err(error), _) if words::is_nonce(&error) && left > 0 => left -= 1,
                (Err(error), retry_at) => return Err(words::refusal(error, retry_at)),
            }
        }
    }
}

#[async_trait]
impl Authority for Acme {
    fn directory(&self) -> &str {
        &self.settings.directory
    }

    async fn register(&self) -> Result<SecretString, AuthorityError> {
        let AcmeSettings { directory, contact, agrees_to_terms, external_account, .. } = &self.settings;
        let contact = contact.as_ref().map(|address| format!("mailto:{address}"));
        let contacts: Vec<_> = contact.iter().map(String::as_str).collect();
        let account =
            NewAccount { contact: &contacts, terms_of_service_agreed: *agrees_to_terms, only_return_existing: false };
        let external = match (external_account, &self.external_key) {
            (Some((id, _)), Some(key)) => Some(ExternalAccountKey::new(id.clone(), key)),
            (_, _) => None,
        };
        let (account, external) = (&account, external.as_ref());
        let create = move || async move { self.builder().create(account, directory.clone(), external).await };
        let (_, credentials) = self.ask(create).await?;
        let credentials = serde_json::to_string(&credentials);
        credentials.map(Into::into).map_err(|error| AuthorityError::Refused(error.to_string()))
    }

    async fn order(
        &self,
        account: &SecretString,
        names: &[String],
        replaces: Option<&str>,
    ) -> Result<String, AuthorityError> {
        let account = &self.account(account).await?;
        let names: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let replaced = replaces.and_then(|chain| pem::certificates(chain).ok()?.into_iter().next());
        if let Some(replaced) = &replaced
            && let Ok(id) = CertificateIdentifier::try_from(replaced)
        {
            let order = &NewOrder::new(&names).replaces(id);
            // An authority that does not know the extension, or that this certificate was replaced, gets an order without it.
            match self.ask(move || account.new_order(order)).await {
                Ok(order) => return Ok(order.url().to_owned()),
                Err(AuthorityError::Refused(words)) => {
                    tracing::debug!(words, "the authority takes no order that replaces a certificate");
                }
                Err(error) => return Err(error),
            }
        }
        let order = &NewOrder::new(&names);
        Ok(self.ask(move || account.new_order(order)).await?.url().to_owned())
    }

    async fn look(&self, account: &SecretString, url: &str) -> Result<OrderView, AuthorityError> {
        let account = &self.account(account).await?;
        let look = move || async move {
            let mut order = account.order(url.to_owned()).await?;
            let mut validations = Vec::new();
            if !matches!(order.state().status, RemoteStatus::Ready | RemoteStatus::Processing) {
                let mut all = order.authorizations();
                while let Some(one) = all.next().await {
                    let one = one?;
                    validations.push(validation(&one, account.key_thumbprint()));
                }
            }
            Ok((order, validations))
        };
        let ((mut order, validations), retry_at) = self.ask_noting(look).await?;
        let state = order.state();
        let status = match state.status {
            RemoteStatus::Pending => OrderStatus::Pending,
            RemoteStatus::Ready => OrderStatus::Ready,
            RemoteStatus::Processing => OrderStatus::Processing,
            RemoteStatus::Valid => OrderStatus::Valid,
            RemoteStatus::Invalid => OrderStatus::Invalid,
        };
        let trouble = state.error.as_ref().map(words::of_problem);
        Ok(OrderView { status, validations, trouble, retry_at })
    }

    async fn answered(&self, account: &SecretString, url: &str, kind: ChallengeKind) -> Result<(), AuthorityError> {
        let account = &self.account(account).await?;
        self.ask(move || async move {
            let mut order = account.order(url.to_owned()).await?;
            let mut all = order.authorizations();
            while let Some(one) = all.next().await {
                let mut one = one?;
                let Some(mut challenge) = one.challenge(remote_kind(kind)) else { continue };
                if challenge.status == ChallengeStatus::Pending {
                    challenge.set_ready().await?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn finalize(&self, account: &SecretString, url: &str, request: &[u8]) -> Result<(), AuthorityError> {
        let account = &self.account(account).await?;
        self.ask(move || async move { account.order(url.to_owned()).await?.finalize_csr(request).await }).await
    }

    async fn certificate(&self, account: &SecretString, url: &str) -> Result<Option<String>, AuthorityError> {
        let account = &self.account(account).await?;
        self.ask(move || async move { account.order(url.to_owned()).await?.certificate().await }).await
    }

    async fn window(&self, account: &SecretString, chain: &str) -> Result<Option<Window>, AuthorityError> {
        let account = &self.account(account).await?;
        let Some(first) = pem::certificates(chain).ok().and_then(|all| all.into_iter().next()) else { return Ok(None) };
        let Ok(id) = CertificateIdentifier::try_from(&first) else { return Ok(None) };
        let id = &id;
        let asked = self.ask(move || async move {
            match account.renewal_info(id).await {
                Ok(answer) => Ok(Some(answer)),
                Err(Error::Unsupported(_)) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let Some((info, delay)) = asked.await? else { return Ok(None) };
        let time = |seconds: i64| DateTime::from_timestamp(seconds, 0);
        let (start, end) = (info.suggested_window.start.unix_timestamp(), info.suggested_window.end.unix_timestamp());
        let ask_again_at = Utc::now() + chrono::TimeDelta::from_std(delay).unwrap_or(chrono::TimeDelta::days(1));
        Ok(time(start).zip(time(end)).map(|(start, end)| Window { start, end, ask_again_at }))
    }
}

const fn remote_kind(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http => ChallengeType::Http01,
        ChallengeKind::Dns => ChallengeType::Dns01,
    }
}

/// How a name is validated, whichever way. `thumbprint`: of the account's key.
fn validation(state: &AuthorizationState, thumbprint: &str) -> Validation {
    let identifier = state.identifier();
    let hostname =
        if let Identifier::Dns(name) = identifier.identifier { name.clone() } else { identifier.to_string() };
    let offered = [ChallengeType::Http01, ChallengeType::Dns01];
    let mine = state.challenges.iter().filter(|challenge| offered.contains(&challenge.r#type));
    let is_begun = mine.clone().any(|challenge| challenge.status != ChallengeStatus::Pending);
    let trouble = mine.filter_map(|challenge| challenge.error.as_ref()).map(words::of_problem).next();
    let status = match state.status {
        AuthorizationStatus::Pending if is_begun => ValidationStatus::Validating,
        AuthorizationStatus::Pending => ValidationStatus::Waiting,
        AuthorizationStatus::Valid => ValidationStatus::Valid,
        AuthorizationStatus::Invalid
        | AuthorizationStatus::Revoked
        | AuthorizationStatus::Expired
        | AuthorizationStatus::Deactivated => ValidationStatus::Failed,
    };
    let token = |kind| state.challenges.iter().find(|challenge| challenge.r#type == kind).map(|one| one.token.as_str());
    let key_authorization = |token: &str| format!("{token}.{thumbprint}");
    let dns_value = token(ChallengeType::Dns01)
        .map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(key_authorization(token).as_bytes())));
    let http = token(ChallengeType::Http01);
    let (has_http, token) = (http.is_some(), http.unwrap_or_default().to_owned());
    Validation { hostname, status, has_http, key_authorization: key_authorization(&token), token, dns_value, trouble }
}
