//! Adds to the document what all operations have in common, so that no handler repeats it: headers, and the problems
//! that follow from method, path and credentials.

use shared_types::ProblemType;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement};

use super::{examples, types};
use crate::http::{
    extract,
    needs::{self, Need},
};
use shared_types::pagination::{DEFAULT_LIMIT, MAX_LIMIT};

/// A text without null characters, which the database does not take.
const NO_NULL: &str = "^[^\\x00]*$";

/// Facts about an operation that decide which headers and problems it gets.
struct Facts {
    /// Whether its path is below `/api`.
    is_api: bool,
    is_get: bool,
    /// Whether it needs no credentials.
    is_open: bool,
    has_id: bool,
    has_body: bool,
    /// Whether it takes an `Idempotency-Key`.
    has_key: bool,
    /// Whether its JSON answers carry an `ETag`.
    has_tag: bool,
    /// Whether it needs a signature instead of a user.
    is_signed: bool,
    /// Whether it needs a gateway's token instead of a user.
    is_of_gateways: bool,
}

/// Adds all of that to the document.
pub fn complete(mut document: OpenApi) -> OpenApi {
    types::add(&mut document);
    let may_be_empty = bodies_that_may_be_empty(&document);
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PATCH", &mut item.patch),
            ("PUT", &mut item.put),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                let facts = facts(path, method, operation);
                add_limits(operation);
                let_out(operation, &may_be_empty);
                add_headers(operation, &facts);
                add_problems(operation, &facts);
                say_need(operation);
            }
        }
    }
    examples::add(&mut document);
    document
}

/// The schemas of bodies that may be left out, since all their fields are optional.
fn bodies_that_may_be_empty(document: &OpenApi) -> Vec<String> {
    let schemas = document.components.iter().flat_map(|components| &components.schemas);
    let is_empty =
        |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(object)) if object.required.is_empty());
    schemas.filter(|(_, schema)| is_empty(schema)).map(|(name, _)| name.clone()).collect()
}

/// Marks the body as optional if it may be left out.
fn let_out(operation: &mut Operation, may_be_empty: &[String]) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let Some(RefOr::T(content)) = body.content.get("application/json") else { return };
    if let Some(RefOr::Ref(to)) = &content.schema
        && may_be_empty.iter().any(|name| to.ref_location.rsplit('/').next() == Some(name))
    {
        body.required = Some(Required::False);
    }
}

/// Adds limits and patterns to the parameters that many operations take.
fn add_limits(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(Parameter {
            name,
            parameter_in: ParameterIn::Query,
            schema: Some(RefOr::T(Schema::Object(it))),
            ..
        }) = parameter
        else {
            continue;
        };
        match name.as_str() {
            "limit" => {
                it.minimum = Some(1.into());
                it.maximum = Some(MAX_LIMIT.into());
                it.default = Some(DEFAULT_LIMIT.into());
            }
            "cursor" => {
                it.pattern = Some("^[A-Za-z0-9_-]+$".to_owned());
                it.max_length = Some(2000);
            }
            "q" => {
                it.pattern = Some(NO_NULL.to_owned());
                it.max_length = Some(extract::MAX_TEXT);
            }
            // Other parameters declare their own limits.
            _ => {}
        }
    }
}

fn facts(path: &str, method: &str, operation: &Operation) -> Facts {
    let is_signed = path.starts_with("/api/v1/webhooks/");
    let is_of_gateways = path == "/api/v1/gateway/exchange";
    let is_about_people = path.starts_with("/api/v1/auth/") || path.starts_with("/api/v1/users");
    let answers_json = operation.responses.responses.get("200").is_some_and(|response| match response {
        RefOr::T(response) => response.content.contains_key("application/json"),
        RefOr::Ref(_) => false,
    });
    let is_api = path.starts_with("/api/");
    Facts {
        is_api,
        is_get: method == "GET",
        is_open: operation
            .security
            .as_ref()
            .is_some_and(|security| security.iter().all(|one| *one == SecurityRequirement::default())),
        has_id: path.contains('{'),
        has_body: operation.request_body.is_some(),
        has_key: is_api && method == "POST" && !is_about_people && !is_signed && !is_of_gateways,
        is_signed,
        is_of_gateways,
        has_tag: is_api && method == "GET" && answers_json && !path.starts_with("/api/v1/auth/"),
    }
}

fn add_headers(operation: &mut Operation, facts: &Facts) {
    let header = |name: &str, description: &str, most: Option<usize>| {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(most.map(|_| 1)).max_length(most).build();
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(text))
            .build()
    };
    let parameters = operation.parameters.get_or_insert_default();
    if facts.has_key {
        let words = "Any text of ASCII, new for each request: the same request under the same key is answered as before, and \
            starts nothing twice. Kept for 24 hours.";
        parameters.push(RefOr::T(header("Idempotency-Key", words, Some(255))));
    }
    if facts.has_tag {
        parameters.push(RefOr::T(header("If-None-Match", "The ETag of what is known already", None)));
        let text = || ObjectBuilder::new().schema_type(Type::String).build();
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
            let tag = HeaderBuilder::new().schema(Some(text())).description(Some("Names what was answered"));
            response.headers.insert("etag".to_owned(), RefOr::T(tag.build()));
        }
        let response = ResponseBuilder::new().description("It is what If-None-Match names").build();
        operation.responses.responses.insert("304".to_owned(), RefOr::T(response));
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

/// Adds the role and scope that an operation needs, in words and as `x-required-scope`.
fn say_need(operation: &mut Operation) {
    let Some(need) = operation.operation_id.as_deref().and_then(|name| needs::of(name.parse().ok()?)) else {
        return;
    };
    let scheme = match need {
        Need::Session => Some("session"),
        Need::Signature => Some("signature"),
        Need::Gateway => Some("gateway"),
        Need::Scope(_) => None,
    };
    if let Some(scheme) = scheme {
        operation.security = Some(vec![SecurityRequirement::new(scheme, Vec::<String>::new())]);
    }
    let words = operation.description.take().filter(|words| !words.is_empty());
    operation.description = Some(words.map_or_else(|| need.words(), |words| format!("{words}\n\n{}", need.words())));
    let said = ExtensionsBuilder::new().add("x-required-scope", need.as_str()).build();
    operation.extensions.get_or_insert_default().merge(said);
}

fn add_problems(operation: &mut Operation, facts: &Facts) {
    use ProblemType as P;
    let Facts { is_api, is_get, is_open, has_id, has_body, has_key, has_tag: _, is_signed, is_of_gateways } = *facts;
    let is_for_users = !(is_signed || is_of_gateways);
    let wanted = [
        // For the query, the host or a header.
        (P::BadRequest, true),
        (P::Unauthenticated, is_api),
        (P::Forbidden, is_api && is_for_users && !(is_open && is_get)),
        (P::NotFound, has_id),
        (P::Conflict, has_key),
        (P::TooLarge, has_body),
        (P::UnsupportedMediaType, has_body && !is_signed),
        (P::Invalid, (has_body || has_key) && !is_signed),
        (P::TooManyRequests, true),
        (P::HeadersTooLarge, true),
        (P::Unavailable, true),
    ];
    for (kind, _) in wanted.into_iter().filter(|(_, is_wanted)| *is_wanted) {
        let response = || RefOr::T(ResponseBuilder::new().description(kind.title()).build());
        operation.responses.responses.entry(kind.status().to_string()).or_insert_with(response);
    }
    for (status, response) in &mut operation.responses.responses {
        let kind = ProblemType::ALL.iter().find(|kind| kind.status().to_string() == *status);
        if let (RefOr::T(response), Some(kind)) = (response, kind) {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            response.content.insert("application/problem+json".to_owned(), RefOr::T(problem));
            if matches!(kind, ProblemType::TooManyRequests | ProblemType::Unavailable) {
                let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
                let header = HeaderBuilder::new()
                    .schema(Some(seconds))
                    .description(Some("Seconds until it is worth trying again"));
                response.headers.insert("retry-after".to_owned(), RefOr::T(header.build()));
            }
            response.description = format!("{} (`/docs/problems#{}`)", response.description, kind.as_str());
        }
    }
}
