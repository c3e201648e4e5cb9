//! Combines the generic part of an instance with that of its application.

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use shared_types::applications::SiteAddress;
use shared_types::instance::Site;
use shared_types::{Instance, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract;
use crate::instances::application::Sites;
use crate::instances::backups::copy;
use crate::instances::builds::migration::view::{self as migration, Migrations};
use crate::instances::settings::care::Care;
use crate::instances::settings::read::{self, InstanceView};
use crate::pull_requests::store::rows::source_of;

/// Reads one instance for the API.
pub async fn read(app: &App, id: InstanceId) -> Result<Instance, ApiError> {
    let mut conn = app.db().conn().await?;
    let view = read::instance(&app.manager, &mut conn, id).await?;
    let InstanceView {
        summary,
        settings,
        sites,
        fallback,
        app_servers,
        care,
        hold,
        maintenance,
        pending_changes,
        warnings,
        refused_sources,
        version,
    } = view;
    let Migrations { next: next_migration, past: migrations } = migration::read(&app.manager, &mut conn, id).await?;
    let source_pr = source_of(&mut conn, id, &app.watch.rules.github_url).await?;
    let Care { tier, max_builds, retention_hours, provider, https } = care;
    let sites: Vec<Site> = sites.map(|sites| sites_of(app, sites)).unwrap_or_default();
    Ok(Instance {
        summary,
        settings: settings.as_object().cloned().unwrap_or_default(),
        url: sites.first().map(|site| site.url.clone()).unwrap_or_default(),
        studio_url: sites.iter().find(|site| site.name == "studio").map(|site| site.url.clone()).unwrap_or_default(),
        sites,
        tier,
        max_builds,
        retention_hours,
        provider,
        https,
        hold,
        maintenance,
        copy: copy::read(&mut conn, id).await?,
        next_migration,
        migrations,
        fallback_app_server_id: fallback,
        appservers: app_servers,
        pending_changes,
        warnings,
        refused_sources,
        source_pr,
        etag: etag(version),
    })
}

fn sites_of(app: &App, sites: Sites) -> Vec<Site> {
    let Sites { sites, protocol } = sites;
    let site = |SiteAddress { name, label, hostname }| Site { name, label, url: app.public_url(protocol, &hostname) };
    sites.into_iter().map(site).collect()
}

/// Answers with an instance and its `ETag`.
pub fn answer(mut builder: actix_web::HttpResponseBuilder, instance: &Instance) -> HttpResponse {
    builder.insert_header((ETAG, instance.etag.clone())).json(instance)
}

fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The instance's version in `If-Match`.
pub fn version(request: &actix_web::HttpRequest) -> Result<i64, ApiError> {
    extract::if_match(request, "instance")
}
