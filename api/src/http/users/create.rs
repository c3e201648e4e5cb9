use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, post, web};
use shared_types::user::{Account, NewUser};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::platform::users::accounts;

/// Create a user
///
/// A password is accepted by an estimate of how long guessing it would take. Without a password, the user can sign in
/// only at a provider, until a password is set.
#[utoipa::path(tag = "users", request_body = NewUser, responses(
    (status = 201, description = "The user", body = Account, headers(("location" = String, description = "Its path"))),
    (status = 422, description = "The name is no name or taken, or the password too weak; nothing was saved"),
))]
#[post("/users")]
pub async fn create_user(
    app: web::Data<App>,
    Admin(who): Admin,
    Json(new): Json<NewUser>,
) -> Result<HttpResponse, ApiError> {
    let row = accounts::create(app.db(), &who.actor, new).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, format!("/api/v1/users/{}", row.id)));
    Ok(view::answer(answer, row))
}
