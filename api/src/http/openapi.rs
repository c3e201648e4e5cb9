//! The OpenAPI document: collected from the handlers, completed with what holds for all of them.

use serde::{Deserialize, Serialize};
use shared_types::openedx::Protocol;
use shared_types::queue::Tier;
use shared_types::{Problem, ProblemType};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement};
use utoipa::{OpenApi as _, ToSchema};

use super::needs::{self, Need};
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
    components(schemas(Problem)),
    tags(
        (name = "instances", description = "Long-lived applications whose settings change"),
        (name = "app servers", description = "Immutable builds of an instance, each on a machine of its own"),
        (name = "queue", description = "Builds that wait, and those who build"),
        (name = "servers", description = "The machines"),
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
    components.security_schemes.insert("token".to_owned(), RefOr::T(bearer));
    document
}

/// Adds the problems that follow from how an operation is asked, so that no handler repeats them.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let has_id = path.contains('{');
        let operations = [
            (&mut item.get, false),
            (&mut item.post, true),
            (&mut item.patch, true),
            (&mut item.put, true),
            (&mut item.delete, true),
        ];
        for (operation, changes) in operations {
            if let Some(operation) = operation {
                complete_operation(operation, has_id, changes);
                say_need(operation);
            }
        }
    }
    document
}

/// Says which role and scope an operation takes, in words and as `x-required-scope`.
fn say_need(operation: &mut Operation) {
    let Some(need) = operation.operation_id.as_deref().and_then(needs::of) else {
        return;
    };
    if need == Need::Session {
        operation.security = Some(vec![SecurityRequirement::new("session", Vec::<String>::new())]);
    }
    let words = operation.description.take().filter(|words| !words.is_empty());
    operation.description = Some(words.map_or_else(|| need.words(), |words| format!("{words}\n\n{}", need.words())));
    let said = ExtensionsBuilder::new().add("x-required-scope", need.as_str()).build();
    operation.extensions.get_or_insert_default().merge(said);
}

fn complete_operation(operation: &mut Operation, has_id: bool, changes: bool) {
    use ProblemType as P;
    let is_open = operation
        .security
        .as_ref()
        .is_some_and(|security| security.iter().all(|one| *one == SecurityRequirement::default()));
    let is_health = operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == "health"));
    let has_body = operation.request_body.is_some();
    let has_query = operation.parameters.as_ref().is_some_and(|all| {
        all.iter().any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query))
    });
    let wanted = [
        (P::BadRequest, has_body || has_query),
        (P::Unauthenticated, !is_health),
        (P::Forbidden, changes || !is_open),
        (P::NotFound, has_id),
        (P::TooLarge, has_body),
        (P::UnsupportedMediaType, has_body),
        (P::Invalid, has_body),
        (P::Unavailable, !is_health),
    ];
    for (kind, _) in wanted.into_iter().filter(|(kind, is_wanted)| *is_wanted && !(is_health && *kind == P::Forbidden))
    {
        let status = kind.status().to_string();
        let response = || RefOr::T(ResponseBuilder::new().description(kind.title()).build());
        operation.responses.responses.entry(status).or_insert_with(response);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.parse::<u16>().is_ok_and(|status| status >= 400)
        {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            response.content.insert("application/problem+json".to_owned(), RefOr::T(problem));
        }
    }
}
