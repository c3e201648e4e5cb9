use actix_web::{HttpResponse, post, web};
use shared_types::FieldError;
use shared_types::user::{CreatedToken, NewToken, Scope};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Person;
use crate::platform::users::own;

/// Create an API token
///
/// The secret is only in this answer. A token cannot create tokens. A user may have 50 tokens that have not expired.
#[utoipa::path(tag = "auth", request_body = NewToken, responses(
    (status = 201, description = "The token, with its secret", body = CreatedToken),
    (status = 409, description = "You have as many tokens as a user may have; nothing was saved"),
    (status = 422, description = "Some fields are not valid"),
))]
#[post("/auth/tokens")]
pub async fn create_token(
    app: web::Data<App>,
    Person(who): Person,
    Json(new): Json<NewToken>,
) -> Result<HttpResponse, ApiError> {
    let NewToken { name, role, scopes, expires_in_days } = new;
    let mut scopes = scopes.unwrap_or_else(|| Scope::ALL.to_vec());
    let are_too_many = scopes.len() > Scope::ALL.len();
    scopes.retain(|scope| scope.role() <= role);
    scopes.sort_unstable();
    scopes.dedup();
    let days = expires_in_days.unwrap_or(90);
    let mut errors = Vec::new();
    if name.trim().is_empty() || name.chars().count() > 100 || name.contains('\0') {
        errors.push(FieldError::new("name", "Must have 1 to 100 characters."));
    }
    if role > who.role {
        errors.push(FieldError::new("role", format!("May not be more than your own: {}.", who.role.as_str())));
    }
    if are_too_many {
        errors.push(FieldError::new("scopes", format!("Name {} at most.", Scope::ALL.len())));
    } else if scopes.is_empty() {
        errors.push(FieldError::new("scopes", format!("Name at least one that the role {} may.", role.as_str())));
    }
    if !(1..=365).contains(&days) {
        errors.push(FieldError::new("expires_in_days", "Must be 1 to 365."));
    }
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let (token, secret) = own::create_token(app.db(), &who, (name.trim(), role, &scopes, days)).await?;
    Ok(HttpResponse::Created().json(CreatedToken { token, secret: secret.reveal().to_owned() }))
}
