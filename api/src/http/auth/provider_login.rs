use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::elsewhere;
use crate::app::App;
use crate::http::error::ApiError;
use crate::platform::users::sign_in;

/// Where the browser goes after signing in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Begin {
    /// The path to open after signing in, beginning with one slash; `/` by default
    #[param(max_length = 1000, example = "/instances/7")]
    next: Option<String>,
}

/// Begin signing in at a provider
///
/// For browsers: redirects to the provider, which must redirect back to `/callback` within ten minutes. If that is not
/// possible, the browser is redirected to `/login?problem=…`; a client that does not accept `text/html` gets the
/// problem.
#[utoipa::path(
    tag = "auth",
    security(()),
    params(("provider" = String, Path, description = "`oidc` or `github`"), Begin),
    responses(
        (status = 302, description = "To the provider, with a cookie for the way back; or to the login page", headers(
            ("location" = String, description = "Where to"),
            ("set-cookie" = String, description = "The way back"),
        )),
        (status = 401, description = "What the provider says of itself does not hold"),
    ),
)]
#[get("/auth/{provider}/login")]
pub async fn begin_sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    provider: web::Path<String>,
    query: web::Query<Begin>,
) -> Result<HttpResponse, ApiError> {
    let provider = app.sign_in.provider(&provider).ok_or_else(|| ApiError::not_found("provider", &*provider))?;
    elsewhere::admit(&app)?;
    let begun = async {
        let (trip, url) = sign_in::begin(provider, query.into_inner().next).await?;
        Ok((trip.seal(app.keyring())?, url))
    };
    Ok(match begun.await {
        Ok((cookie, url)) => HttpResponse::Found()
            .insert_header((LOCATION, url.as_str()))
            .cookie(elsewhere::cookie(&app, provider.id(), cookie))
            .finish(),
        Err(error) => elsewhere::refused(&app, &request, provider.id(), error),
    })
}
