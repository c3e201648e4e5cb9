//! The cookies of a session and of a known browser. Where TLS ends in front of ocim, their names have the prefix
//! `__Host-`: no other host of the same domain, such as an instance, can set them.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};

use crate::app::App;
use crate::platform::users::login::{Cookies, SESSION_DAYS};
use crate::platform::users::store::browsers;
use crate::platform::users::{Carrier, Secret};

/// The name of the session's cookie, without its prefix.
pub const SESSION: &str = "ocim_session";
/// The name of the cookie that marks a browser in which a user has signed in before, without its prefix.
const BROWSER: &str = "ocim_browser";

/// The kind of cookie that secrets are sent in.
pub fn carrier(app: &App) -> Carrier {
    if app.is_behind_tls { Carrier::Host } else { Carrier::Plain }
}

/// The name of a cookie of this kind.
pub fn name(carrier: Carrier, name: &str) -> String {
    format!("{}{name}", carrier.prefix())
}

/// The hash of the session's secret that the browser sent. A cookie without the prefix is accepted behind TLS, too: it is
/// of a session that began before the prefix was used, since the hashes of others differ.
pub fn session(app: &App, request: &HttpRequest) -> Option<Vec<u8>> {
    hash(request, carrier(app), SESSION).or_else(|| hash(request, Carrier::Plain, SESSION))
}

/// The cookies that the browser sent.
pub fn sent(app: &App, request: &HttpRequest) -> Cookies {
    let carrier = carrier(app);
    Cookies { carrier, session: session(app, request), browser: hash(request, carrier, BROWSER) }
}

fn hash(request: &HttpRequest, carrier: Carrier, of: &str) -> Option<Vec<u8>> {
    request.cookie(&name(carrier, of)).map(|cookie| carrier.hash(cookie.value()))
}

/// The cookie that holds this session secret.
pub fn of(app: &App, secret: &Secret) -> Cookie<'static> {
    made(app, SESSION, secret, SESSION_DAYS)
}

/// The cookie that marks a known browser. It gives no rights: with it, wrong passwords of others cause no delay.
pub fn browser(app: &App, secret: &Secret) -> Cookie<'static> {
    made(app, BROWSER, secret, browsers::DAYS)
}

fn made(app: &App, of: &str, secret: &Secret, days: i64) -> Cookie<'static> {
    Cookie::build(name(carrier(app), of), secret.reveal().to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_behind_tls)
        .max_age(Duration::days(days))
        .finish()
}

/// Cookies that delete the session's, of both kinds that may be there.
pub fn gone(app: &App) -> Vec<Cookie<'static>> {
    let kinds = [Carrier::Plain, Carrier::Host].into_iter().take(if app.is_behind_tls { 2 } else { 1 });
    kinds.map(|carrier| removal(carrier, SESSION, "/".to_owned())).collect()
}

/// A cookie that deletes another one.
pub fn removal(carrier: Carrier, of: &str, path: String) -> Cookie<'static> {
    // Browsers ignore a cookie with the prefix that is not secure.
    let is_secure = carrier == Carrier::Host;
    let mut cookie = Cookie::build(name(carrier, of), "").path(path).http_only(true).secure(is_secure).finish();
    cookie.make_removal();
    cookie
}
