//! Shared by both steps of signing in at a provider: the cookie for the state in between, and the answer to a refusal.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use shared_types::API_BASE;
use shared_types::sign_in::Provider;

use super::cookie;
use crate::app::App;
use crate::http::error::ApiError;
use crate::platform::audit::Origin;
use crate::platform::users::sign_in::{SECONDS, SignInError};

/// The name of the cookie for the state between both steps, without its prefix.
const COOKIE: &str = "ocim_sign_in";

/// The name of the cookie.
pub fn name(app: &App) -> String {
    cookie::name(cookie::carrier(app), COOKIE)
}

/// The path of the cookie: the provider's operations. A cookie with the prefix `__Host-` must be for the whole site.
fn cookie_path(app: &App, provider: Provider) -> String {
    if app.is_behind_tls { "/".to_owned() } else { path(provider) }
}

/// The path of a provider's operations.
pub fn path(provider: Provider) -> String {
    format!("{API_BASE}/auth/{}", provider.as_str())
}

/// Counts a step of a sign-in, which may cause requests to the provider.
///
/// # Errors
/// `TooManyRequests` if there were too many from this network.
pub fn admit(app: &App) -> Result<(), ApiError> {
    let Some(address) = Origin::current().address else { return Ok(()) };
    app.guard.rates.sign_in(address).map_err(ApiError::too_many)
}

/// The cookie with this value; `SameSite` is lax, since the request comes from the provider's site.
pub fn cookie(app: &App, provider: Provider, value: String) -> Cookie<'static> {
    Cookie::build(name(app), value)
        .path(cookie_path(app, provider))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_behind_tls)
        .max_age(Duration::seconds(SECONDS))
        .finish()
}

/// A cookie that deletes it.
pub fn gone(app: &App, provider: Provider) -> Cookie<'static> {
    cookie::removal(cookie::carrier(app), COOKIE, cookie_path(app, provider))
}

/// Answers with a refusal: a browser is redirected to the login page, which shows it; a script gets the problem.
pub fn refused(app: &App, request: &HttpRequest, provider: Provider, error: SignInError) -> HttpResponse {
    let problem = error.problem();
    let error = ApiError::from(error);
    let mut answer = if is_person(request) {
        let to = format!("/login?problem={}", problem.as_str());
        HttpResponse::Found().insert_header((LOCATION, to)).finish()
    } else {
        error.error_response()
    };
    // If the cookie stays, the user only has to begin anew, as after any refusal.
    if let Err(error) = answer.add_cookie(&gone(app, provider)) {
        tracing::warn!(%error, "a cookie could not be taken away");
    }
    answer
}

/// Whether the request accepts HTML, as that of a browser that opens an address does.
fn is_person(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}
