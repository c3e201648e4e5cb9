#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use insta::assert_json_snapshot;
use serde_json::json;

use super::*;
use crate::applications::openedx::testing::sample;

/// Every variable that operators of edx/configuration count on.
const NAMES: &str = "COMMON_HOSTNAME EDXAPP_PLATFORM_NAME EDXAPP_LMS_NGINX_PORT EDXAPP_LMS_PREVIEW_NGINX_PORT \
    EDXAPP_CMS_NGINX_PORT EDXAPP_SITE_NAME EDXAPP_LMS_SITE_NAME EDXAPP_LMS_BASE EDXAPP_PREVIEW_LMS_BASE \
    EDXAPP_CMS_SITE_NAME EDXAPP_CMS_BASE EDXAPP_SETTINGS XQUEUE_SETTINGS COMMON_VHOST_ROLE_NAME FORUM_RACK_ENV \
    FORUM_SINATRA_ENV EDXAPP_CONTACT_EMAIL EDXAPP_TECH_SUPPORT_EMAIL EDXAPP_BUGS_EMAIL \
    EDXAPP_FEEDBACK_SUBMISSION_EMAIL EDXAPP_DEFAULT_FROM_EMAIL EDXAPP_DEFAULT_FEEDBACK_EMAIL EDXAPP_SERVER_EMAIL \
    EDXAPP_BULK_EMAIL_DEFAULT_FROM_EMAIL EDXAPP_TIME_ZONE COMMON_SECURITY_UPDATES SECURITY_UNATTENDED_UPGRADES \
    SECURITY_UPGRADE_ON_ANSIBLE SECURITY_UPDATE_ALL_PACKAGES edx_ansible_source_repo edx_platform_repo \
    edx_platform_version configuration_version forum_version notifier_version xqueue_version certs_version \
    EDXAPP_FEATURES edxapp_worker_default_stopwaitsecs";

fn snapshot_of(settings: &OpenEdxSettings) -> Snapshot {
    snapshot("Astronomy Academy", settings, &[], OwnedVariables::default()).unwrap()
}

fn with_extra(extra: &str) -> Snapshot {
    snapshot_of(&OpenEdxSettings { configuration_extra_settings: extra.into(), ..sample() })
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[test]
fn all_variables_of_an_instance() {
    let admins = ["ada-example".to_owned(), "grace-example".to_owned()];
    let made = snapshot("Astronomy Academy", &sample(), &admins, OwnedVariables::default()).unwrap();
    assert_json_snapshot!(made.variables, @r##"
    {
      "COMMON_HOSTNAME": "astro.campus.example",
      "EDXAPP_PLATFORM_NAME": "Astronomy Academy",
      "EDXAPP_SITE_NAME": "astro.campus.example",
      "EDXAPP_LMS_NGINX_PORT": 80,
      "EDXAPP_LMS_SITE_NAME": "astro.campus.example",
      "EDXAPP_LMS_BASE": "astro.campus.example",
      "EDXAPP_LMS_PREVIEW_NGINX_PORT": 80,
      "EDXAPP_PREVIEW_LMS_BASE": "astro.campus.example",
      "EDXAPP_CMS_NGINX_PORT": 80,
      "EDXAPP_CMS_SITE_NAME": "studio.astro.campus.example",
      "EDXAPP_CMS_BASE": "studio.astro.campus.example",
      "EDXAPP_SETTINGS": "openstack",
      "XQUEUE_SETTINGS": "openstack_settings",
      "COMMON_VHOST_ROLE_NAME": "openstack",
      "FORUM_RACK_ENV": "production",
      "FORUM_SINATRA_ENV": "production",
      "EDXAPP_TIME_ZONE": "UTC",
      "edxapp_worker_default_stopwaitsecs": 1200,
      "EDXAPP_CONTACT_EMAIL": "astro@campus.example",
      "EDXAPP_TECH_SUPPORT_EMAIL": "astro@campus.example",
      "EDXAPP_BUGS_EMAIL": "astro@campus.example",
      "EDXAPP_FEEDBACK_SUBMISSION_EMAIL": "astro@campus.example",
      "EDXAPP_DEFAULT_FROM_EMAIL": "astro@campus.example",
      "EDXAPP_DEFAULT_FEEDBACK_EMAIL": "astro@campus.example",
      "EDXAPP_SERVER_EMAIL": "astro@campus.example",
      "EDXAPP_BULK_EMAIL_DEFAULT_FROM_EMAIL": "astro@campus.example",
      "COMMON_SECURITY_UPDATES": true,
      "SECURITY_UNATTENDED_UPGRADES": true,
      "SECURITY_UPDATE_ALL_PACKAGES": false,
      "SECURITY_UPGRADE_ON_ANSIBLE": true,
      "edx_ansible_source_repo": "https://git.example/edx/configuration.git",
      "configuration_version": "configuration-1",
      "edx_platform_repo": "https://git.example/astro/edx-platform.git",
      "edx_platform_version": "astro-branch",
      "forum_version": "open-release/teak.2",
      "notifier_version": "open-release/teak.2",
      "xqueue_version": "open-release/teak.2",
      "certs_version": "open-release/teak.2",
      "EDXAPP_FEATURES": {
        "USE_MICROSITES": false,
        "AUTH_USE_OPENID": false,
        "ENABLE_DISCUSSION_SERVICE": true,
        "ENABLE_INSTRUCTOR_ANALYTICS": true,
        "ENABLE_INSTRUCTOR_EMAIL": true,
        "REQUIRE_COURSE_EMAIL_AUTH": false,
        "ENABLE_PEARSON_HACK_TEST": false,
        "SUBDOMAIN_BRANDING": false,
        "SUBDOMAIN_COURSE_LISTINGS": false,
        "PREVIEW_LMS_BASE": "astro.campus.example",
        "ENABLE_DJANGO_ADMIN_SITE": true,
        "ALLOW_ALL_ADVANCED_COMPONENTS": true
      },
      "COMMON_USER_INFO": [
        {
          "name": "ada-example",
          "github": true,
          "type": "admin"
        },
        {
          "name": "grace-example",
          "github": true,
          "type": "admin"
        }
      ]
    }
    "##);
}

#[test]
fn every_name_is_there_and_no_other() {
    let mut expected: Vec<_> = NAMES.split_whitespace().collect();
    let variables = snapshot_of(&sample()).variables;
    let mut found: Vec<_> = variables.keys().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn names_stay_strings() {
    for name in ["On", "123", "~", "it's \"so\": { yes }", "two\nlines\n", "# no comment", "- a", "日本: ☃", "<<"] {
        let made = snapshot(name, &sample(), &[], OwnedVariables::default()).unwrap();
        assert_eq!(made.variables["EDXAPP_PLATFORM_NAME"], json!(name));
        let read_again = yaml::parse_map(&yaml::to_yaml(&made.variables)).unwrap();
        assert_eq!(read_again, made.variables, "{name}");
    }
}

#[test]
fn one_playbook_from_the_settings() {
    let made = snapshot_of(&sample());
    assert_eq!(
        made.playbooks,
        [Playbook {
            source_repo: "https://git.example/edx/configuration.git".into(),
            version: "configuration-1".into(),
            playbook_path: "playbooks/edx_sandbox.yml".into(),
            requirements_path: "requirements.txt".into(),
        }]
    );
    assert_eq!(made.machine_name_prefix, "edxapp-astro");
}

#[test]
fn the_later_layer_wins() {
    let owned = OwnedVariables {
        databases: map(json!({"EDXAPP_TIME_ZONE": "d", "EDXAPP_MYSQL_HOST": "d", "A": "d", "B": "d"})),
        storage: map(json!({"A": "s", "B": "s", "EDXAPP_FEATURES": {"FROM_STORAGE": true}})),
    };
    let settings = OpenEdxSettings {
        use_ephemeral_databases: false,
        configuration_extra_settings: "B: yes\nEDXAPP_FEATURES:\n  ENABLE_NOTES: on\n  USE_MICROSITES: true\n".into(),
        ..sample()
    };
    let variables = snapshot("x", &settings, &[], owned).unwrap().variables;
    assert_eq!(variables["EDXAPP_TIME_ZONE"], "d");
    assert_eq!(variables["EDXAPP_MYSQL_HOST"], "d");
    assert_eq!(variables["A"], "s");
    assert_eq!(variables["B"], true);
    let features = &variables["EDXAPP_FEATURES"];
    assert_eq!(features["FROM_STORAGE"], true);
    assert_eq!(features["ENABLE_NOTES"], true);
    assert_eq!(features["USE_MICROSITES"], true);
    assert_eq!(features["ENABLE_DISCUSSION_SERVICE"], true);
}

#[test]
fn references_are_pinned_while_the_variables_follow_the_settings() {
    let names = |made: &Snapshot| made.references.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
    let made = with_extra("");
    assert_eq!(names(&made), ["edx-platform", "configuration"]);
    assert_eq!(
        made.references[0],
        Reference {
            name: "edx-platform".into(),
            repository: "https://git.example/astro/edx-platform.git".into(),
            version: "astro-branch".into(),
            variable: "edx_platform_version".into(),
        }
    );
    for made in [with_extra("edx_platform_version: theirs"), with_extra("edx_platform_repo: https://git.example/x.git")]
    {
        assert_eq!(names(&made), ["configuration"]);
    }
    for other_name in ["EDX_PLATFORM_VERSION: theirs", "EDX_PLATFORM_REPO: [x]", "edx_platform_commit: theirs"] {
        assert_eq!(names(&with_extra(other_name)), ["configuration"], "{other_name}: which code runs is not known");
    }
    assert_eq!(names(&with_extra("EDX_PLATFORM_VERSION: astro-branch")), ["edx-platform", "configuration"]);
    assert_eq!(with_extra("edx_platform_version: theirs").variables["edx_platform_version"], "theirs");
    assert_eq!(names(&with_extra("configuration_version: 12")), ["edx-platform"]);
    assert_eq!(names(&with_extra("edx_platform_version: astro-branch")), ["edx-platform", "configuration"]);
}

#[test]
fn what_cannot_be_built_is_refused() {
    let refuse = |settings: &OpenEdxSettings| match snapshot("x", settings, &[], OwnedVariables::default()) {
        Err(ApplicationError(words)) => words,
        Ok(made) => panic!("{made:?}"),
    };
    let persistent = OpenEdxSettings { use_ephemeral_databases: false, ..sample() };
    assert!(refuse(&persistent).contains("persistent databases"));
    let no_map = OpenEdxSettings { configuration_extra_settings: "- a".into(), ..sample() };
    assert!(refuse(&no_map).contains("Line 1, column 1: must be a map"));
}
