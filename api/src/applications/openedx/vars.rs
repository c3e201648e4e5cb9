//! The variables of every Open edX app server, under the names that edx/configuration uses in its release.

use serde_json::{Map, Value, json};
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::applications::openedx::Protocol;

use super::Installation;
use super::names::{lms_domain, studio_domain};
use super::releases::{self, Release};
use super::spellings::{self, CONFIGURATION_VERSION, PLATFORM_REPOSITORY, PLATFORM_VERSION};
use crate::applications::literal::literal;

/// The port of the machine's web server for all sites; the public ports are the gateway's.
const NGINX_PORT: u16 = 80;
/// Time for a worker to finish its task when it is stopped, in seconds.
const WORKER_STOP_WAIT_SECS: u32 = 1200;

/// The variables, in reading order. Every text stays a string, even a name like «On».
pub(super) fn generated(name: &str, settings: &OpenEdxSettings, installation: &Installation) -> Map<String, Value> {
    let release = releases::recognise(&settings.openedx_release);
    let groups = [
        sites(name, settings),
        gateway(settings, installation.scheme(settings)),
        environment(&release),
        mail(settings),
        security_updates(),
        services(),
        versions(settings, &release),
        features(settings, &release),
        admins(&installation.github_admins),
    ];
    groups.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect()
}

type Group = Vec<(&'static str, Value)>;

fn sites(name: &str, settings: &OpenEdxSettings) -> Group {
    let lms = lms_domain(settings);
    let studio = studio_domain(settings);
    vec![
        ("COMMON_HOSTNAME", json!(lms)),
        ("EDXAPP_PLATFORM_NAME", json!(literal(name))),
        ("EDXAPP_SITE_NAME", json!(lms)),
        ("EDXAPP_LMS_NGINX_PORT", json!(NGINX_PORT)),
        ("EDXAPP_LMS_SITE_NAME", json!(lms)),
        ("EDXAPP_LMS_BASE", json!(lms)),
        ("EDXAPP_LMS_PREVIEW_NGINX_PORT", json!(NGINX_PORT)),
        ("EDXAPP_PREVIEW_LMS_BASE", json!(lms)),
        ("EDXAPP_CMS_NGINX_PORT", json!(NGINX_PORT)),
        ("EDXAPP_CMS_SITE_NAME", json!(studio)),
        ("EDXAPP_CMS_BASE", json!(studio)),
    ]
}

/// Settings for a proxy in front that ends TLS and sets `X-Forwarded-*`. Both sites share the session cookie, since
/// users sign in to Studio by the LMS.
fn gateway(settings: &OpenEdxSettings, scheme: Protocol) -> Group {
    let is_https = scheme == Protocol::Https;
    vec![
        ("NGINX_SET_X_FORWARDED_HEADERS", json!(false)),
        ("NGINX_ENABLE_SSL", json!(false)),
        ("NGINX_REDIRECT_TO_HTTPS", json!(false)),
        ("EDXAPP_LMS_BASE_SCHEME", json!(scheme.as_str())),
        ("EDXAPP_LMS_HTTPS", json!(if is_https { "on" } else { "off" })),
        ("EDXAPP_SESSION_COOKIE_DOMAIN", json!(format!(".{}", lms_domain(settings)))),
        ("EDXAPP_SESSION_COOKIE_SECURE", json!(is_https)),
        ("EDXAPP_CSRF_COOKIE_SECURE", json!(is_https)),
        ("EDXAPP_LOGIN_REDIRECT_WHITELIST", json!([studio_domain(settings)])),
    ]
}

/// Without a settings module the playbooks use their default, which every release has.
fn environment(release: &Release) -> Group {
    let openstack = [("EDXAPP_SETTINGS", json!("openstack")), ("XQUEUE_SETTINGS", json!("openstack_settings"))];
    let others = [
        ("COMMON_VHOST_ROLE_NAME", json!("openstack")),
        ("FORUM_RACK_ENV", json!("production")),
        ("FORUM_SINATRA_ENV", json!("production")),
        ("EDXAPP_TIME_ZONE", json!("UTC")),
        ("edxapp_worker_default_stopwaitsecs", json!(WORKER_STOP_WAIT_SECS)),
        ("EDXAPP_WORKER_DEFAULT_STOPWAITSECS", json!(WORKER_STOP_WAIT_SECS)),
    ];
    openstack.into_iter().filter(|_| release.has_openstack_settings).chain(others).collect()
}

/// `openedx_native.yml` would build these for hours, on separate ports; visitors use only the two sites.
fn services() -> Group {
    vec![
        ("SANDBOX_ENABLE_ECOMMERCE", json!(false)),
        ("SANDBOX_ENABLE_DISCOVERY", json!(false)),
        ("SANDBOX_ENABLE_ANALYTICS_API", json!(false)),
        ("SANDBOX_ENABLE_INSIGHTS", json!(false)),
        ("MFES", json!([])),
        ("MFE_FLAGS_SETUP_FLAGS_LIST", json!([])),
    ]
}

fn mail(settings: &OpenEdxSettings) -> Group {
    [
        "EDXAPP_CONTACT_EMAIL",
        "EDXAPP_TECH_SUPPORT_EMAIL",
        "EDXAPP_BUGS_EMAIL",
        "EDXAPP_FEEDBACK_SUBMISSION_EMAIL",
        "EDXAPP_DEFAULT_FROM_EMAIL",
        "EDXAPP_DEFAULT_FEEDBACK_EMAIL",
        "EDXAPP_SERVER_EMAIL",
        "EDXAPP_DEFAULT_SERVER_EMAIL",
        "EDXAPP_BULK_EMAIL_DEFAULT_FROM_EMAIL",
    ]
    .map(|name| (name, json!(settings.email)))
    .into()
}

fn security_updates() -> Group {
    vec![
        ("COMMON_SECURITY_UPDATES", json!(true)),
        ("SECURITY_UNATTENDED_UPGRADES", json!(true)),
        ("SECURITY_UPDATE_ALL_PACKAGES", json!(false)),
        ("SECURITY_UPGRADE_ON_ANSIBLE", json!(true)),
    ]
}

/// Sets each version in both spellings, so that every release deploys the pinned commit.
fn versions(settings: &OpenEdxSettings, release: &Release) -> Group {
    let own = [
        (PLATFORM_REPOSITORY, &settings.edx_platform_repository_url),
        (PLATFORM_VERSION, &settings.edx_platform_commit),
        (CONFIGURATION_VERSION, &settings.configuration_version),
    ];
    let own = own.into_iter().flat_map(|(pair, value)| pair.map(|name| (name, json!(value))));
    let components = release.versions.iter().flat_map(|name| spellings::of(name));
    let components = components.map(|name| (name, json!(settings.openedx_release)));
    let playbooks = ("edx_ansible_source_repo", json!(settings.configuration_source_repo_url));
    std::iter::once(playbooks).chain(own).chain(components).collect()
}

fn features(settings: &OpenEdxSettings, release: &Release) -> Group {
    let features = json!({
        "USE_MICROSITES": false,
        "AUTH_USE_OPENID": false,
        "ENABLE_DISCUSSION_SERVICE": true,
        "ENABLE_INSTRUCTOR_ANALYTICS": true,
        "ENABLE_INSTRUCTOR_EMAIL": true,
        "REQUIRE_COURSE_EMAIL_AUTH": false,
        "ENABLE_PEARSON_HACK_TEST": false,
        "SUBDOMAIN_BRANDING": false,
        "SUBDOMAIN_COURSE_LISTINGS": false,
        "PREVIEW_LMS_BASE": lms_domain(settings),
        "ENABLE_DJANGO_ADMIN_SITE": true,
        "ALLOW_ALL_ADVANCED_COMPONENTS": true,
    });
    release.features.variables(features)
}

/// Absent without admins: an empty list would override the playbooks' own.
fn admins(github_admins: &[String]) -> Group {
    if github_admins.is_empty() {
        return vec![];
    }
    let users = github_admins.iter().map(|name| json!({"name": name, "github": true, "type": "admin"})).collect();
    vec![("COMMON_USER_INFO", Value::Array(users))]
}
