//! Authentication and authorization by a handler's parameters: [`Viewer`], [`Operator`], [`Activator`] and [`Admin`]
//! need a role, and of an API token the scope; [`Person`] needs a session. `needs.rs` has the same for the document.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use shared_types::user::Scope;
use shared_types::{ProblemType, SessionId};
use tokio::sync::Notify;

use super::auth::cookie;
use super::error::ApiError;
use super::needs::Need;
use crate::app::App;
use crate::platform::audit::Origin;
use crate::platform::users::store::{self, tokens};
use crate::platform::users::{Credential, Principal, secret_hash};

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
    /// A user of any role with a session: API tokens may not change the user's own account.
    Person => Need::Session,
    /// A user who may read everything except accounts.
    Viewer => Need::Scope(Scope::Read),
    /// A user who may create, change, launch, stop and terminate.
    Operator => Need::Scope(Scope::Deploy),
    /// A user who may decide which app server gets the traffic.
    Activator => Need::Scope(Scope::Activate),
    /// A user who may do everything.
    Admin => Need::Scope(Scope::Admin),
}

/// Delays reading the body until the caller is authorized, so that an unauthorized caller can neither make us read a
/// body nor learn what is wrong with it. A request whose handler has no role parameter has no gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Notify>);

impl Gate {
    /// Closes the gate of a request, before its body is read.
    pub(super) fn close(request: &HttpRequest) -> Self {
        let gate = Self(Arc::default());
        request.extensions_mut().insert(gate.clone());
        gate
    }

    /// Opens it: the caller is authorized.
    pub(super) fn open(&self) {
        self.0.notify_one();
    }

    /// The gate of a request; none: no role parameter comes before the caller's.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().cloned()
    }

    /// Waits until the caller is authorized. Never returns after a refusal, which is the answer then.
    pub async fn passed(&self) {
        self.0.notified().await;
    }
}

impl Person {
    /// The session of this request.
    pub fn session(&self) -> SessionId {
        match self.0.credential {
            Credential::Session(id) => id,
            // Unreachable: `Need::Session` refuses tokens. No session has the id 0.
            Credential::Token(..) => SessionId(0),
        }
    }
}

/// The caller of a request that has been authorized already, and for what.
struct Authorized(Need, Principal);

/// Authorizes the caller of a request: credentials, rate, site, role and scope. Once a request.
///
/// # Errors
/// [`ProblemType::Unauthenticated`], [`ProblemType::TooManyRequests`] or [`ProblemType::Forbidden`].
pub async fn authorize(request: &HttpRequest, need: Need) -> Result<Principal, ApiError> {
    if let Some(Authorized(known, principal)) = request.extensions().get()
        && *known == need
    {
        return Ok(principal.clone());
    }
    let principal = examine(request, need).await?;
    request.extensions_mut().insert(Authorized(need, principal.clone()));
    Ok(principal)
}

async fn examine(request: &HttpRequest, need: Need) -> Result<Principal, ApiError> {
    let principal = identify(request).await?;
    Origin::is(principal.user_id, principal.token(), &principal.actor);
    app(request)?.guard.rates.caller(principal.user_id).map_err(ApiError::too_many)?;
    if principal.is_session() && !request.method().is_safe() {
        refuse_other_sites(request)?;
    }
    let needed = match need {
        Need::Scope(scope) => scope,
        Need::Session if principal.is_session() => Scope::Read,
        Need::Session | Need::Signature | Need::Gateway => {
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

/// Refuses a token without this scope; also used where a field of the body needs a further scope.
///
/// # Errors
/// [`ProblemType::Forbidden`] if the token lacks the scope.
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

/// Authenticates a request by its token or session cookie; the token wins.
///
/// # Errors
/// [`ProblemType::Unauthenticated`] if it has no valid credentials.
pub async fn identify(request: &HttpRequest) -> Result<Principal, ApiError> {
    let app = app(request)?;
    let found = match (bearer(request), cookie::session(app, request)) {
        (Some(token), _) => tokens::by_token(&mut *app.db().conn().await?, &secret_hash(token)).await?,
        (None, Some(session)) => store::by_session(&mut *app.db().conn().await?, &session).await?,
        (None, None) => None,
    };
    found.ok_or_else(|| {
        let words =
            "You are not signed in, or the session or token has ended. Use POST /api/v1/auth/login or an API token.";
        ApiError::new(ProblemType::Unauthenticated, words)
    })
}

/// The bearer token of a request.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses requests that another site made the browser send with our cookie (CSRF).
///
/// # Errors
/// [`ProblemType::Forbidden`] if `Sec-Fetch-Site` or `Origin` names another site.
pub fn refuse_other_sites(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_same = match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => header(HOST.as_str()).is_some_and(|host| {
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }),
        // Not a browser: browsers send one of the two with every request that changes something.
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
