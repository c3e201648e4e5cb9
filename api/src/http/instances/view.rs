//! Composes what the generic instance and its application say of it.

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use shared_types::{Instance, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract;
use crate::instances::settings::care::Care;
use crate::instances::settings::read::{self, InstanceView};
use crate::pull_requests::store::rows::source_of;

/// One instance as it travels.
pub async fn read(app: &App, id: InstanceId) -> Result<Instance, ApiError> {
    let mut conn = app.db().conn().await?;
    let view = read::instance(&app.manager, &mut conn, id).await?;
    let InstanceView {
        summary,
        settings,
        addresses,
        fallback,
        app_servers,
        care,
        hold,
        pending_changes,
        warnings,
        version,
    } = view;
    let source_pr = source_of(&mut conn, id, &app.watch.rules.github_url).await?;
    let Care { tier, max_builds, retention_hours } = care;
    let url =
        |hostname: Option<&String>| hostname.map(|name| app.public_url(addresses.protocol, name)).unwrap_or_default();
    Ok(Instance {
        summary,
        settings: serde_json::from_value(settings).map_err(ApiError::internal)?,
        url: url(addresses.hostnames.first()),
        studio_url: url(addresses.hostnames.get(1)),
        tier,
        max_builds,
        retention_hours,
        hold,
        fallback_app_server_id: fallback,
        appservers: app_servers,
        pending_changes,
        warnings,
        source_pr,
        etag: etag(version),
    })
}

/// With its `ETag`.
pub fn answer(mut builder: actix_web::HttpResponseBuilder, instance: &Instance) -> HttpResponse {
    builder.insert_header((ETAG, instance.etag.clone())).json(instance)
}

fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version that `If-Match` names.
pub fn version(request: &actix_web::HttpRequest) -> Result<i64, ApiError> {
    extract::if_match(request, "instance")
}
