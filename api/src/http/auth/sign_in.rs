use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::User;
use shared_types::user::Login;

use super::cookie;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::refuse_other_sites;
use crate::platform::users::login::{SignedIn, login as sign_in};

/// Sign in
///
/// Returns the user and sets the session's cookie; the session of a cookie that was sent ends. After five wrong
/// passwords for one name from one network within 15 minutes, each further one doubles the wait before the next attempt
/// from there: 1 s, 2 s, 4 s, up to 5 minutes. The same holds after thirty from one network, for any names; after a
/// hundred for one name from all networks, up to 30 s. A network is an IPv4 address or the /64 network of an IPv6
/// address. A browser in which the user has signed in before (cookie `ocim_browser`) waits only for its own wrong
/// passwords.
#[utoipa::path(tag = "auth", request_body = Login, security(()), responses(
    (status = 200, description = "Signed in", body = User, headers(("set-cookie" = String, description = "The session"))),
    (status = 429, description = "Too many wrong passwords; Retry-After says when to come back"),
))]
#[post("/auth/login")]
pub async fn login(app: web::Data<App>, request: HttpRequest, body: Json<Login>) -> Result<HttpResponse, ApiError> {
    refuse_other_sites(&request)?;
    let Json(Login { username, password }) = body;
    let cookies = cookie::sent(&app, &request);
    let SignedIn { user, session, browser } = sign_in(app.db(), &username, password, &cookies).await?;
    let mut answer = HttpResponse::Ok();
    answer.cookie(cookie::of(&app, &session));
    if let Some(browser) = browser {
        answer.cookie(cookie::browser(&app, &browser));
    }
    Ok(answer.json(user))
}
