use actix_web::{HttpResponse, get, web};
use shared_types::Page;
use shared_types::sign_in::SignInProvider;

use super::elsewhere;
use crate::app::App;

/// List the providers for signing in
///
/// The configured providers. Signing in with a password is always possible.
#[utoipa::path(tag = "auth", security(()), responses(
    (status = 200, description = "The providers that are configured", body = Page<SignInProvider>),
))]
#[get("/auth/providers")]
pub async fn list_sign_in_providers(app: web::Data<App>) -> HttpResponse {
    let providers = app.sign_in.providers().iter().map(|provider| SignInProvider {
        id: provider.id(),
        name: provider.name().to_owned(),
        url: format!("{}/login", elsewhere::path(provider.id())),
    });
    HttpResponse::Ok().json(Page { items: providers.collect(), next_cursor: None })
}
