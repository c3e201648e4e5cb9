//! Shared by both steps of signing in at a provider: the cookie for the state in between, and the answer to a refusal.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use shared_types::API_BASE;
use shared_types::sign_in::Provider;

use crate::app::App;
use crate::http::error::ApiError;
use crate::platform::users::sign_in::{SECONDS, SignInError};

/// The cookie for the state between both steps.
pub const COOKIE: &str = "ocim_sign_in";

/// The path of a provider's operations.
pub fn path(provider: Provider) -> String {
    format!("{API_BASE}/auth/{}", provider.as_str())
}

/// The cookie with this value; `SameSite` is lax, since the request comes from the provider's site.
pub fn cookie(app: &App, provider: Provider, value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path(path(provider))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_behind_tls)
        .max_age(Duration::seconds(SECONDS))
        .finish()
}

/// A cookie that deletes it.
pub fn gone(provider: Provider) -> Cookie<'static> {
    let mut cookie = Cookie::build(COOKIE, "").path(path(provider)).http_only(true).finish();
    cookie.make_removal();
    cookie
}

/// Answers with a refusal: a browser is redirected to the login page, which shows it; a script gets the problem.
pub fn refused(request: &HttpRequest, provider: Provider, error: SignInError) -> HttpResponse {
    let problem = error.problem();
    let error = ApiError::from(error);
    let mut answer = if is_person(request) {
        let to = format!("/login?problem={}", problem.as_str());
        HttpResponse::Found().insert_header((LOCATION, to)).finish()
    } else {
        error.error_response()
    };
    // If the cookie stays, the user only has to begin anew, as after any refusal.
    if let Err(error) = answer.add_cookie(&gone(provider)) {
        tracing::warn!(%error, "a cookie could not be taken away");
    }
    answer
}

/// Whether the request accepts HTML, as that of a browser that opens an address does.
fn is_person(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}
