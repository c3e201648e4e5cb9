//! Makes the cookie of a session.

use actix_web::cookie::{Cookie, SameSite, time::Duration};

use crate::app::App;
use crate::http::principal::COOKIE;
use crate::platform::users::Secret;
use crate::platform::users::login::SESSION_DAYS;

/// The cookie that holds this session secret.
pub fn of(app: &App, secret: &Secret) -> Cookie<'static> {
    Cookie::build(COOKIE, secret.reveal().to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_behind_tls)
        .max_age(Duration::days(SESSION_DAYS))
        .finish()
}
