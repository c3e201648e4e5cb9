//! The OpenAPI document: collected from the handlers, completed with what holds for all of them.

use serde::{Deserialize, Serialize};
use shared_types::Problem;
use shared_types::instance::InstanceSort;
use shared_types::openedx::Protocol;
use shared_types::pagination::ByAge;
use shared_types::queue::Tier;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, SecurityRequirement};
use utoipa::{OpenApi as _, ToSchema};

mod complete;
mod examples;

pub use complete::complete;

use super::activity::ActivityFormat;
use super::instances::HealthFilter;
use super::log_view::Format;
use super::principal::COOKIE;

/// What making an instance takes: the name, and any of the settings.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "name": "Astronomy Academy", "sub_domain": "astro" }))]
pub struct NewInstance {
    /// The name, shown to learners as the platform's.
    #[schema(min_length = 1, max_length = 250)]
    pub name: String,
    /// Which application; left out: `openedx`.
    pub instance_type: Option<String>,
    /// The first part of its address.
    #[schema(min_length = 1, max_length = 50)]
    pub sub_domain: String,
    #[serde(flatten)]
    #[schema(inline)]
    optional: OptionalSettings,
}

/// What changing an instance takes: any of name and settings.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "openedx_release": "open-release/teak.2" }))]
pub struct InstancePatch {
    /// The name.
    #[schema(min_length = 1, max_length = 250)]
    pub name: Option<String>,
    /// The first part of its address.
    #[schema(min_length = 1, max_length = 50)]
    pub sub_domain: Option<String>,
    #[serde(flatten)]
    #[schema(inline)]
    optional: OptionalSettings,
}

/// Settings that have a default, which is written where they are left out, blank or null.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct OptionalSettings {
    /// The rest of the address (INSTANCES_BASE_DOMAIN).
    #[schema(max_length = 190)]
    base_domain: Option<String>,
    /// The contact address.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The protocol of the public URLs.
    protocol: Option<Protocol>,
    /// The repository with the playbooks: URL or absolute path (DEFAULT_CONFIGURATION_REPO_URL).
    #[schema(max_length = 500)]
    configuration_source_repo_url: Option<String>,
    /// Its branch, tag or commit (DEFAULT_CONFIGURATION_VERSION).
    #[schema(max_length = 250)]
    configuration_version: Option<String>,
    /// YAML, a map; overrides all other variables.
    #[schema(max_length = 100_000)]
    configuration_extra_settings: Option<String>,
    /// The repository of edx-platform: URL or absolute path (DEFAULT_FORK).
    #[schema(max_length = 500)]
    edx_platform_repository_url: Option<String>,
    /// Its branch, tag or commit; by default the release.
    #[schema(max_length = 250)]
    edx_platform_commit: Option<String>,
    /// The release (DEFAULT_OPENEDX_RELEASE).
    #[schema(max_length = 250)]
    openedx_release: Option<String>,
    /// Whether the databases go with the machine (INSTANCE_EPHEMERAL_DATABASES).
    use_ephemeral_databases: Option<bool>,
    /// The GitHub organization whose team gets SSH access (DEFAULT_ADMIN_ORGANIZATION).
    #[schema(max_length = 39)]
    github_admin_organization_name: Option<String>,
    /// Whose builds begin first; by default production's.
    tier: Option<Tier>,
    /// How many of its app servers may be built at once; by default 1.
    #[schema(minimum = 1, maximum = 20)]
    max_builds: Option<i32>,
    /// Hours that an app server which nobody needs keeps its machine (OCIM_RETENTION_HOURS).
    #[schema(minimum = 1, maximum = 8760)]
    retention_hours: Option<i32>,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "OpenCraft Instance Manager",
        description = "Instances are long-lived; each launches app servers, and one of them gets the traffic.",
        license(name = "AGPL-3.0-or-later", identifier = "AGPL-3.0-or-later"),
    ),
    // What only parameters refer to is not collected from the handlers.
    components(schemas(Problem, ByAge, InstanceSort, HealthFilter, Format, ActivityFormat)),
    tags(
        (name = "instances", description = "Long-lived applications whose settings change"),
        (name = "app servers", description = "Immutable builds of an instance, each on a machine of its own"),
        (name = "queue", description = "Builds that wait, and those who build"),
        (name = "servers", description = "The machines"),
        (name = "activity", description = "Who did what, and what was refused"),
        (name = "logs", description = "What happened, for people"),
        (name = "events", description = "What changes, live"),
        (name = "auth", description = "Signing in; your own password, sessions and API tokens"),
        (name = "users", description = "Who may sign in, and what they may do"),
        (name = "health", description = "For whoever watches the program"),
    ),
)]
struct Base;

/// What the document begins with.
pub fn base() -> OpenApi {
    let mut document = Base::openapi();
    document.security = Some(vec![
        SecurityRequirement::new("session", Vec::<String>::new()),
        SecurityRequirement::new("token", Vec::<String>::new()),
    ]);
    let components = document.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("session".to_owned(), RefOr::T(cookie));
    let signature = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Hub-Signature-256")));
    components.security_schemes.insert("token".to_owned(), RefOr::T(bearer));
    components.security_schemes.insert("signature".to_owned(), RefOr::T(signature));
    document
}
