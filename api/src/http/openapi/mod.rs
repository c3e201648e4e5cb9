//! The OpenAPI document: collected from the handlers, completed with what they have in common.

use serde::{Deserialize, Serialize};
use shared_types::Problem;
use shared_types::applications::DEFAULT;
use shared_types::instance::InstanceSort;
use shared_types::pagination::ByAge;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, SecurityRequirement};
use utoipa::{OpenApi as _, ToSchema};

mod complete;
mod examples;
mod types;

pub use complete::complete;

use super::activity::ActivityFormat;
use super::auth::cookie::SESSION;
use super::instances::HealthFilter;
use super::log_view::Format;

/// The body that creates an instance, without the settings, which `types` adds for each application type.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "name": "Astronomy Academy", DEFAULT.address_field: "astro" }))]
pub struct NewInstance {
    /// The name, shown to visitors if the application shows one.
    #[schema(min_length = 1, max_length = 250)]
    pub name: String,
}

/// The body that changes an instance: any of its name and settings.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "email": "contact@example.com" }))]
pub struct InstancePatch {
    /// The new name, shown to visitors if the application shows one.
    #[schema(min_length = 1, max_length = 250)]
    pub name: Option<String>,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "OpenCraft Instance Manager",
        description = "Instances are long-lived; each launches app servers, and one of them gets the traffic.",
        license(name = "AGPL-3.0-or-later", identifier = "AGPL-3.0-or-later"),
    ),
    // Schemas that only parameters refer to are not collected from the handlers.
    components(schemas(Problem, ByAge, InstanceSort, HealthFilter, Format, ActivityFormat)),
    tags(
        (name = "instances", description = "Long-lived applications whose settings change"),
        (name = "app servers", description = "Immutable builds of an instance, each on a machine of its own"),
        (name = "queue", description = "Builds that wait, and those who build"),
        (name = "servers", description = "The machines"),
        (name = "certificates", description = "Certificates of the instances' host names, which gateways serve"),
        (name = "gateways", description = "Hosts that visitors come through, and their agents"),
        (name = "activity", description = "Who did what, and what was refused"),
        (name = "logs", description = "What happened, for people"),
        (name = "events", description = "What changes, live"),
        (name = "auth", description = "Signing in; your own password, sessions and API tokens"),
        (name = "users", description = "Who may sign in, and what they may do"),
        (name = "source credentials", description = "Deploy keys and tokens of private repositories"),
        (name = "health", description = "Health, metrics and state of this program"),
    ),
)]
struct Base;

/// The general part of the document, without the operations.
pub fn base() -> OpenApi {
    let mut document = Base::openapi();
    document.security = Some(vec![
        SecurityRequirement::new("session", Vec::<String>::new()),
        SecurityRequirement::new("token", Vec::<String>::new()),
    ]);
    let components = document.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION)));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("session".to_owned(), RefOr::T(cookie));
    let signature = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Hub-Signature-256")));
    components.security_schemes.insert("token".to_owned(), RefOr::T(bearer));
    components.security_schemes.insert("signature".to_owned(), RefOr::T(signature));
    let gateway = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The token of a gateway's agent"));
    components.security_schemes.insert("gateway".to_owned(), RefOr::T(SecurityScheme::Http(gateway.build())));
    document
}
