//! The variables that every Open edX app server gets, under edx/configuration's own names.

use serde_json::{Map, Value, json};
use shared_types::OpenEdxSettings;
use shared_types::yaml::typed;

use super::code;
use super::names::{lms_domain, studio_domain};

/// The port that the web server listens on for all sites; the gateway in front of it has the public ones.
const NGINX_PORT: u16 = 80;
/// How long a worker may take to finish its task when it is stopped, in seconds.
const WORKER_STOP_WAIT_SECS: u32 = 1200;

/// The variables, in the order people read them. Every text is a string whatever is in it: an instance may be named «On».
pub(super) fn generated(name: &str, settings: &OpenEdxSettings, github_admins: &[String]) -> Map<String, Value> {
    let groups = [
        sites(name, settings),
        environment(),
        mail(settings),
        security_updates(),
        versions(settings),
        features(settings),
        admins(github_admins),
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

fn environment() -> Group {
    vec![
        ("EDXAPP_SETTINGS", json!("openstack")),
        ("XQUEUE_SETTINGS", json!("openstack_settings")),
        ("COMMON_VHOST_ROLE_NAME", json!("openstack")),
        ("FORUM_RACK_ENV", json!("production")),
        ("FORUM_SINATRA_ENV", json!("production")),
        ("EDXAPP_TIME_ZONE", json!("UTC")),
        ("edxapp_worker_default_stopwaitsecs", json!(WORKER_STOP_WAIT_SECS)),
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

fn versions(settings: &OpenEdxSettings) -> Group {
    vec![
        ("edx_ansible_source_repo", json!(settings.configuration_source_repo_url)),
        ("configuration_version", json!(settings.configuration_version)),
        (code::REPOSITORY, json!(settings.edx_platform_repository_url)),
        (code::VERSION, json!(settings.edx_platform_commit)),
        ("forum_version", json!(settings.openedx_release)),
        ("notifier_version", json!(settings.openedx_release)),
        ("xqueue_version", json!(settings.openedx_release)),
        ("certs_version", json!(settings.openedx_release)),
    ]
}

fn features(settings: &OpenEdxSettings) -> Group {
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
    vec![("EDXAPP_FEATURES", features)]
}

/// Absent when there is nobody: an empty list would take away what the playbooks set by themselves.
fn admins(github_admins: &[String]) -> Group {
    if github_admins.is_empty() {
        return vec![];
    }
    let users = github_admins.iter().map(|name| json!({"name": name, "github": true, "type": "admin"})).collect();
    vec![("COMMON_USER_INFO", Value::Array(users))]
}

/// A text that Ansible's templates leave as it is. Without, a name with `{{ … }}` in it (a pull request's title is
/// somebody else's words) would be evaluated on this host.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let opens = character == '{' && matches!(characters.peek(), Some('{' | '%' | '#'));
        if opens { quoted.push_str(r#"{{ "{" }}"#) } else { quoted.push(character) }
    }
    typed::text(&quoted)
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn what_looks_like_a_template_stays_text() {
        assert_eq!(literal("A {plain} name"), "A {plain} name");
        assert_eq!(literal("{{ x }}"), r#"{{ "{" }}{ x }}"#);
        assert_eq!(literal("{%{#"), r#"{{ "{" }}%{{ "{" }}#"#);
        assert_eq!(literal("{{{"), r#"{{ "{" }}{{ "{" }}{"#);
    }
}
