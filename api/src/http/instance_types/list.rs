use actix_web::{HttpResponse, get, web};
use shared_types::applications::DEFAULT;
use shared_types::instance_type::{InstanceType, InstanceTypes, PublicUrlTemplates};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::machine;
use crate::instances::settings::persistence;

/// List the application types
///
/// What each type deploys and needs, its settings with their rules and defaults, and templates to begin with.
#[utoipa::path(tag = "instances", responses((status = 200, description = "The types", body = InstanceTypes)))]
#[get("/instance-types")]
pub async fn list_instance_types(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    let items = app.manager.applications.iter().map(|application| {
        let kind = application.kind();
        let missing = app.manager.providers.iter().map(|provider| machine::missing(provider, kind, kind.machine));
        // The default one's words, unless another provider has such machines.
        let unavailable = missing.reduce(|first, other| first.and_then(|words| other.map(|_| words))).flatten();
        let (mut defaults, templates) = (application.defaults(), application.templates());
        // Those of production, the tier of an instance that names none.
        let persistence = persistence::production_default(&app.manager.resources, kind);
        defaults.extend(persistence.map(|(field, value)| (field.to_owned(), value.into())));
        InstanceType::of(kind, kind.word == DEFAULT.word, unavailable, defaults, templates)
    });
    let template = |protocol| app.public_urls.url(protocol, PublicUrlTemplates::HOSTNAME);
    let public_urls = PublicUrlTemplates { http: template("http"), https: template("https") };
    Ok(HttpResponse::Ok().json(InstanceTypes { items: items.collect(), public_urls }))
}
