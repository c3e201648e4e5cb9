//! The routes of all operations.

use actix_web::web;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{
    activity, app_servers, assets, auth, certificates, client_errors, events, extract, gateways, health,
    instance_types, instances, logs, metrics, openapi, problems, pull_requests, queue, retention, servers,
    source_credentials, system, users, webhooks,
};

/// The routes of the documented operations.
pub fn api(config: &mut ServiceConfig) {
    config.service(health::healthz).service(health::readyz).service(metrics::read_metrics);
    let v1 = scope::scope("/api/v1")
        .configure(signing_in)
        .configure(user_accounts)
        .configure(instance_verbs)
        .configure(app_server_verbs)
        .configure(pull_request_verbs)
        .configure(audit_trail_and_logs)
        .configure(build_queue)
        .configure(gateway_verbs)
        .configure(machines_and_system)
        .configure(credentials_of_sources)
        // The document itself, and the answer to unknown paths
        .route("/openapi.yaml", web::get().to(problems::yaml))
        .route("/openapi.json", web::get().to(problems::json))
        .default_service(web::to(problems::nothing_here));
    config.service(v1);
}

fn signing_in(config: &mut ServiceConfig) {
    config
        .service(auth::login)
        .service(auth::logout)
        .service(auth::list_sign_in_providers)
        .service(auth::begin_sign_in)
        .service(auth::finish_sign_in)
        .service(auth::current_user)
        .service(auth::change_password)
        .service(auth::list_sessions)
        .service(auth::end_session)
        .service(auth::end_other_sessions)
        .service(auth::list_tokens)
        .service(auth::create_token)
        .service(auth::current_token)
        .service(auth::delete_token)
        .service(auth::list_ssh_keys)
        .service(auth::add_ssh_key)
        .service(auth::delete_ssh_key);
}

fn user_accounts(config: &mut ServiceConfig) {
    config
        .service(users::list_users)
        .service(users::create_user)
        .service(users::read_user)
        .service(users::update_user)
        .service(users::delete_user)
        .service(users::set_user_password)
        .service(users::list_user_sessions)
        .service(users::end_user_session)
        .service(users::end_user_sessions)
        .service(users::list_user_tokens)
        .service(users::delete_user_token)
        .service(users::delete_user_tokens);
}

fn instance_verbs(config: &mut ServiceConfig) {
    config
        .service(instance_types::list_instance_types)
        .service(instances::list_instances)
        .service(instances::create_instance)
        .service(instances::read_instance)
        .service(instances::update_instance)
        .service(instances::archive_instance)
        .service(instances::restore_instance)
        .service(instances::purge_instance)
        .service(instances::list_instance_app_servers)
        .service(instances::launch_app_server)
        .service(instances::render_instance)
        .service(instances::list_resources)
        .service(instances::choose_resources)
        .service(instances::show_resource_credentials)
        .service(instances::rotate_resource_password)
        .service(instances::read_instance_dns)
        .service(instances::check_instance_dns)
        .service(instances::list_backups)
        .service(instances::create_backup)
        .service(instances::verify_backup)
        .service(instances::restore_backup)
        .service(instances::delete_backup)
        .service(instances::read_certificate)
        .service(instances::renew_certificate)
        .service(instances::list_activations)
        .service(instances::roll_back_instance)
        .service(instances::hold_instance)
        .service(instances::lift_hold)
        .service(instances::begin_maintenance)
        .service(instances::end_maintenance)
        .service(instances::end_neutralisation)
        .service(instances::dismiss_migration)
        .service(instances::list_instance_logs)
        .service(instances::list_instance_log_matches)
        .service(instances::stream_instance_logs);
}

fn app_server_verbs(config: &mut ServiceConfig) {
    config
        .service(app_servers::list_app_servers)
        .service(app_servers::read_app_server)
        .service(app_servers::activate_app_server)
        .service(app_servers::stop_app_server)
        .service(app_servers::terminate_app_server)
        .service(app_servers::diff_app_server)
        .service(app_servers::pin_app_server)
        .service(app_servers::unpin_app_server)
        .service(app_servers::read_checks)
        .service(app_servers::check_app_server)
        .service(app_servers::list_preview_links)
        .service(app_servers::create_preview_link)
        .service(app_servers::delete_preview_link)
        .service(app_servers::read_app_server_access)
        .service(app_servers::install_ssh_keys)
        .service(app_servers::list_app_server_logs)
        .service(app_servers::list_app_server_log_matches)
        .service(app_servers::stream_app_server_logs);
}

fn pull_request_verbs(config: &mut ServiceConfig) {
    config
        .service(pull_requests::list_pull_requests)
        .service(pull_requests::watch_pull_request)
        .service(pull_requests::read_pull_request)
        .service(pull_requests::update_instance_from_pull_request)
        .service(pull_requests::approve_pull_request)
        .service(pull_requests::ignore_pull_request)
        .service(webhooks::receive_github_webhook);
}

fn audit_trail_and_logs(config: &mut ServiceConfig) {
    config.service(activity::list_activity).service(logs::list_logs);
}

fn build_queue(config: &mut ServiceConfig) {
    config.service(queue::read_queue).service(queue::pause_queue).service(queue::resume_queue);
}

fn gateway_verbs(config: &mut ServiceConfig) {
    config
        .service(gateways::list_gateways)
        .service(gateways::add_gateway)
        .service(gateways::exchange_with_gateway)
        .service(gateways::give_certificates_to_gateway)
        .service(gateways::renew_gateway_token)
        .service(gateways::remove_gateway);
}

fn machines_and_system(config: &mut ServiceConfig) {
    config
        .service(certificates::list_certificates)
        .service(retention::list_retention)
        .service(servers::list_servers)
        // Must come before `/servers/{id}`.
        .service(servers::list_orphans)
        .service(servers::remove_orphans)
        .service(servers::count_servers)
        .service(servers::read_server)
        .service(events::stream_events)
        .service(system::read_system)
        .service(client_errors::report_client_error);
}

fn credentials_of_sources(config: &mut ServiceConfig) {
    config
        .service(source_credentials::list_source_credentials)
        .service(source_credentials::create_source_credential)
        .service(source_credentials::delete_source_credential);
}

/// The other routes: the document, its reference, and the frontend.
pub fn pages(config: &mut web::ServiceConfig, document: OpenApi, known: web::Data<problems::Known>) {
    config
        .app_data(extract::query_config())
        .app_data(extract::path_config())
        .app_data(known)
        .service(web::resource("/docs/problems").get(problems::page))
        .service(
            utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
                .url("/api/v1/openapi.json", document)
                .config(utoipa_swagger_ui::Config::default().use_base_layout()),
        )
        .service(web::resource("/docs").get(async || web::Redirect::to("/docs/").see_other()))
        .service(web::scope("/api").default_service(web::to(problems::nothing_here)))
        .default_service(web::to(assets::serve));
}

/// The complete OpenAPI document of all operations.
pub fn document() -> OpenApi {
    use utoipa_actix_web::AppExt;
    let (_, document) =
        actix_web::App::new().into_utoipa_app().openapi(openapi::base()).configure(api).split_for_parts();
    openapi::complete(document)
}
