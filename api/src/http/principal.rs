//! Who asks, read off a handler's parameters: [`Viewer`], [`Operator`], [`Activator`] or [`Admin`] is what it takes: a role,
//! and of an API token the scope. A [`Person`] comes with a session. `needs.rs` says the same for the document.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use shared_types::user::Scope;
use shared_types::{ProblemType, SessionId};
use tokio::sync::Notify;

use super::error::ApiError;
use super::needs::Need;
use crate::app::App;
use crate::platform::audit::Origin;
use crate::platform::users::store::{self, tokens};
use crate::platform::users::{Credential, Principal, secret_hash};

/// The session's cookie.
pub const COOKIE: &str = "ocim_session";

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident => $need:expr,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Principal);

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                let gate = Gate::close(&request);
                Box::pin(async move {
                    let principal = authorize(&request, $need).await?;
                    gate.open();
                    Ok(Self(principal))
                })
            }
        }
    )*};
}

roles! {
    /// Somebody at a browser, whatever their role: what they do to their own account no token does.
    Person => Need::Session,
    /// Somebody who may look.
    Viewer => Need::Scope(Scope::Read),
    /// Somebody who may create, change, launch, stop and terminate.
    Operator => Need::Scope(Scope::Deploy),
    /// Somebody who may say which app server gets the traffic.
    Activator => Need::Scope(Scope::Activate),
    /// Somebody who may do everything.
    Admin => Need::Scope(Scope::Admin),
}

/// Closed until whoever asks has proved who they are: the body is read after that, so that nobody else learns what is wrong
/// with it, or makes us read it. A handler whose parameters name no role has none.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Notify>);

impl Gate {
    fn close(request: &HttpRequest) -> Self {
        let gate = Self(Arc::default());
        request.extensions_mut().insert(gate.clone());
        gate
    }

    fn open(&self) {
        self.0.notify_one();
    }

    /// The gate of a request, where a parameter before this one is a role.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().cloned()
    }

    /// Waits for ever where the role is refused: the refusal is the answer then.
    pub async fn passed(&self) {
        self.0.notified().await;
    }
}

impl Person {
    /// The session they came with.
    pub fn session(&self) -> SessionId {
        match self.0.credential {
            Credential::Session(id) => id,
            // Never let in; no session has this id.
            Credential::Token(..) => SessionId(0),
        }
    }
}

async fn authorize(request: &HttpRequest, need: Need) -> Result<Principal, ApiError> {
    let principal = identify(request).await?;
    Origin::is(principal.user_id, principal.token(), &principal.name);
    let caller = (principal.user_id, principal.token());
    app(request)?.guard.rates.caller(caller).map_err(ApiError::too_many)?;
    if principal.is_session() && !request.method().is_safe() {
        refuse_other_sites(request)?;
    }
    let needed = match need {
        Need::Scope(scope) => scope,
        Need::Session if principal.is_session() => Scope::Read,
        Need::Session | Need::Signature => {
            let words = "A token cannot do this; sign in with a password.";
            return Err(ApiError::new(ProblemType::Forbidden, words));
        }
    };
    if principal.role < needed.role() {
        let words = format!("This needs the role {}; yours is {}.", needed.role().as_str(), principal.role.as_str());
        return Err(ApiError::new(ProblemType::Forbidden, words));
    }
    refuse_without(&principal, needed)?;
    Ok(principal)
}

/// Refuses a token that is not for this; also asked where a field of the body takes a scope of its own.
///
/// # Errors
/// [`ProblemType::Forbidden`].
pub fn refuse_without(principal: &Principal, scope: Scope) -> Result<(), ApiError> {
    if principal.lacks(scope) {
        let words = format!("This needs a token with the scope {}.", scope.as_str());
        return Err(ApiError::new(ProblemType::Forbidden, words));
    }
    Ok(())
}

fn app(request: &HttpRequest) -> Result<&web::Data<App>, ApiError> {
    request.app_data::<web::Data<App>>().ok_or_else(|| ApiError::internal("no application state"))
}

/// Who a request's credentials say it is.
///
/// # Errors
/// [`ProblemType::Unauthenticated`] when they say nothing that holds.
pub async fn identify(request: &HttpRequest) -> Result<Principal, ApiError> {
    let app = app(request)?;
    let found = match (bearer(request), request.cookie(COOKIE)) {
        (Some(token), _) => tokens::by_token(&mut *app.db().conn().await?, &secret_hash(token)).await?,
        (None, Some(cookie)) => store::by_session(&mut *app.db().conn().await?, &secret_hash(cookie.value())).await?,
        (None, None) => None,
    };
    found.ok_or_else(|| {
        let words =
            "Nobody is signed in, or the session or token has ended. Use POST /api/v1/auth/login or an API token.";
        ApiError::new(ProblemType::Unauthenticated, words)
    })
}

/// The token that a request carries.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A browser sends cookies unasked; what another site makes it send changes nothing here.
///
/// # Errors
/// [`ProblemType::Forbidden`].
pub fn refuse_other_sites(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_same = match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => header(HOST.as_str()).is_some_and(|host| {
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }),
        // No browser: a browser sends one of the two with every request that changes something.
        (None, None) => true,
    };
    if is_same {
        Ok(())
    } else {
        Err(ApiError::new(
            ProblemType::Forbidden,
            "The request came from another site; only this site's own pages may send it.",
        ))
    }
}
