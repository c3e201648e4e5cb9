use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{cookie, elsewhere};
use crate::app::App;
use crate::http::error::ApiError;
use crate::platform::users::sign_in::{self, Return, SignInError, Trip};

/// The parameters of the provider's redirect; others are ignored.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Callback {
    /// The authorization code, which is redeemed at the provider
    code: Option<String>,
    /// The state that was sent to the provider when the sign-in began
    state: Option<String>,
    /// The provider's error code, if it sends no authorization code
    error: Option<String>,
}

/// Finish signing in at a provider
///
/// For browsers: the provider redirects here. The user that the provider names is signed in, with the role of their
/// groups (OCIM_SIGN_IN_ROLES), and redirected to the page they came for. After a refusal, the browser is redirected to
/// `/login?problem=…`; a client that does not accept `text/html` gets the problem.
#[utoipa::path(
    tag = "auth",
    security(()),
    params(("provider" = String, Path, description = "`oidc` or `github`"), Callback),
    responses(
        (status = 302, description = "Signed in, to where they wanted to; or to the login page", headers(
            ("location" = String, description = "Where to"),
            ("set-cookie" = String, description = "The session"),
        )),
        (status = 400, description = "Not begun in this browser, or too long ago"),
        (status = 401, description = "What the provider sent does not hold"),
        (status = 403, description = "The provider said no, no group gives a role, or the user is disabled"),
    ),
)]
#[get("/auth/{provider}/callback")]
pub async fn finish_sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    provider: web::Path<String>,
    query: web::Query<Callback>,
) -> Result<HttpResponse, ApiError> {
    let provider = app.sign_in.provider(&provider).ok_or_else(|| ApiError::not_found("provider", &*provider))?;
    elsewhere::admit(&app)?;
    let Callback { code, state, error } = query.into_inner();
    let finished = async {
        let taken_along = request.cookie(&elsewhere::name(&app)).ok_or(SignInError::Expired)?;
        let trip = Trip::open(app.keyring(), taken_along.value(), provider.id(), &state.unwrap_or_default())?;
        let cookies = cookie::sent(&app, &request);
        let back = Return { code, error };
        let (_, secret) = sign_in::finish(app.db(), &app.sign_in, provider, (&trip, back), &cookies).await?;
        Ok((trip.next, secret))
    };
    Ok(match finished.await {
        Ok((next, secret)) => HttpResponse::Found()
            .insert_header((LOCATION, next))
            .cookie(cookie::of(&app, &secret))
            .cookie(elsewhere::gone(&app, provider.id()))
            .finish(),
        Err(error) => elsewhere::refused(&app, &request, provider.id(), error),
    })
}
