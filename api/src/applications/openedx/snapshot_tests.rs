#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use insta::assert_json_snapshot;
use serde_json::json;

use super::*;
use crate::applications::openedx::releases::RELEASES;
use crate::applications::openedx::testing::sample;
use shared_types::applications::openedx::Protocol;

/// Every variable that operators of edx/configuration rely on, in every release.
const NAMES: &str = "COMMON_HOSTNAME EDXAPP_PLATFORM_NAME EDXAPP_LMS_NGINX_PORT EDXAPP_LMS_PREVIEW_NGINX_PORT \
    EDXAPP_CMS_NGINX_PORT EDXAPP_SITE_NAME EDXAPP_LMS_SITE_NAME EDXAPP_LMS_BASE EDXAPP_PREVIEW_LMS_BASE \
    EDXAPP_CMS_SITE_NAME EDXAPP_CMS_BASE COMMON_VHOST_ROLE_NAME FORUM_RACK_ENV \
    FORUM_SINATRA_ENV EDXAPP_CONTACT_EMAIL EDXAPP_TECH_SUPPORT_EMAIL EDXAPP_BUGS_EMAIL \
    EDXAPP_FEEDBACK_SUBMISSION_EMAIL EDXAPP_DEFAULT_FROM_EMAIL EDXAPP_DEFAULT_FEEDBACK_EMAIL EDXAPP_SERVER_EMAIL \
    EDXAPP_DEFAULT_SERVER_EMAIL EDXAPP_BULK_EMAIL_DEFAULT_FROM_EMAIL EDXAPP_TIME_ZONE COMMON_SECURITY_UPDATES \
    SECURITY_UNATTENDED_UPGRADES SECURITY_UPGRADE_ON_ANSIBLE SECURITY_UPDATE_ALL_PACKAGES edx_ansible_source_repo \
    edx_platform_repo EDX_PLATFORM_REPO edx_platform_version EDX_PLATFORM_VERSION configuration_version \
    CONFIGURATION_VERSION forum_version FORUM_VERSION xqueue_version XQUEUE_VERSION demo_version DEMO_VERSION \
    INSIGHTS_VERSION ANALYTICS_API_VERSION edxapp_worker_default_stopwaitsecs EDXAPP_WORKER_DEFAULT_STOPWAITSECS \
    NGINX_SET_X_FORWARDED_HEADERS NGINX_ENABLE_SSL NGINX_REDIRECT_TO_HTTPS EDXAPP_LMS_BASE_SCHEME EDXAPP_LMS_HTTPS \
    EDXAPP_SESSION_COOKIE_DOMAIN EDXAPP_SESSION_COOKIE_SECURE EDXAPP_CSRF_COOKIE_SECURE \
    EDXAPP_LOGIN_REDIRECT_WHITELIST SANDBOX_ENABLE_ECOMMERCE SANDBOX_ENABLE_DISCOVERY SANDBOX_ENABLE_ANALYTICS_API \
    SANDBOX_ENABLE_INSIGHTS MFES MFE_FLAGS_SETUP_FLAGS_LIST";

/// The variables that only this release gets.
fn particular(release: &str) -> Vec<String> {
    let settings = OpenEdxSettings { openedx_release: release.into(), ..sample() };
    let names: Vec<_> = NAMES.split_whitespace().collect();
    let mut found: Vec<_> = snapshot_of(&settings).variables.into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| found.iter().any(|other| other == name)), "{release}: {found:?}");
    found.retain(|name| !names.contains(&name.as_str()));
    found.sort_unstable();
    found
}

/// A snapshot in an installation with default values.
fn snapshot(name: &str, settings: &OpenEdxSettings, owned: OwnedVariables) -> Result<Snapshot, ApplicationError> {
    super::snapshot(name, settings, &Installation::default(), owned)
}

fn snapshot_of(settings: &OpenEdxSettings) -> Snapshot {
    snapshot("Astronomy Academy", settings, OwnedVariables::default()).unwrap()
}

fn with_extra(extra: &str) -> Snapshot {
    snapshot_of(&OpenEdxSettings { configuration_extra_settings: extra.into(), ..sample() })
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

// As long as the variables that it expects.
#[test]
fn all_variables_of_an_instance() {
    let github_admins = ["ada-example".to_owned(), "grace-example".to_owned()].into();
    let installation = Installation { github_admins, ..Installation::default() };
    let made = super::snapshot("Astronomy Academy", &sample(), &installation, OwnedVariables::default()).unwrap();
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
      "NGINX_SET_X_FORWARDED_HEADERS": false,
      "NGINX_ENABLE_SSL": false,
      "NGINX_REDIRECT_TO_HTTPS": false,
      "EDXAPP_LMS_BASE_SCHEME": "https",
      "EDXAPP_LMS_HTTPS": "on",
      "EDXAPP_SESSION_COOKIE_DOMAIN": ".astro.campus.example",
      "EDXAPP_SESSION_COOKIE_SECURE": true,
      "EDXAPP_CSRF_COOKIE_SECURE": true,
      "EDXAPP_LOGIN_REDIRECT_WHITELIST": [
        "studio.astro.campus.example"
      ],
      "EDXAPP_SETTINGS": "openstack",
      "XQUEUE_SETTINGS": "openstack_settings",
      "COMMON_VHOST_ROLE_NAME": "openstack",
      "FORUM_RACK_ENV": "production",
      "FORUM_SINATRA_ENV": "production",
      "EDXAPP_TIME_ZONE": "UTC",
      "edxapp_worker_default_stopwaitsecs": 1200,
      "EDXAPP_WORKER_DEFAULT_STOPWAITSECS": 1200,
      "EDXAPP_CONTACT_EMAIL": "astro@campus.example",
      "EDXAPP_TECH_SUPPORT_EMAIL": "astro@campus.example",
      "EDXAPP_BUGS_EMAIL": "astro@campus.example",
      "EDXAPP_FEEDBACK_SUBMISSION_EMAIL": "astro@campus.example",
      "EDXAPP_DEFAULT_FROM_EMAIL": "astro@campus.example",
      "EDXAPP_DEFAULT_FEEDBACK_EMAIL": "astro@campus.example",
      "EDXAPP_SERVER_EMAIL": "astro@campus.example",
      "EDXAPP_DEFAULT_SERVER_EMAIL": "astro@campus.example",
      "EDXAPP_BULK_EMAIL_DEFAULT_FROM_EMAIL": "astro@campus.example",
      "COMMON_SECURITY_UPDATES": true,
      "SECURITY_UNATTENDED_UPGRADES": true,
      "SECURITY_UPDATE_ALL_PACKAGES": false,
      "SECURITY_UPGRADE_ON_ANSIBLE": true,
      "SANDBOX_ENABLE_ECOMMERCE": false,
      "SANDBOX_ENABLE_DISCOVERY": false,
      "SANDBOX_ENABLE_ANALYTICS_API": false,
      "SANDBOX_ENABLE_INSIGHTS": false,
      "MFES": [],
      "MFE_FLAGS_SETUP_FLAGS_LIST": [],
      "edx_ansible_source_repo": "https://git.example/edx/configuration.git",
      "edx_platform_repo": "https://git.example/astro/edx-platform.git",
      "EDX_PLATFORM_REPO": "https://git.example/astro/edx-platform.git",
      "edx_platform_version": "astro-branch",
      "EDX_PLATFORM_VERSION": "astro-branch",
      "configuration_version": "configuration-1",
      "CONFIGURATION_VERSION": "configuration-1",
      "forum_version": "open-release/quince.3",
      "FORUM_VERSION": "open-release/quince.3",
      "xqueue_version": "open-release/quince.3",
      "XQUEUE_VERSION": "open-release/quince.3",
      "demo_version": "open-release/quince.3",
      "DEMO_VERSION": "open-release/quince.3",
      "INSIGHTS_VERSION": "open-release/quince.3",
      "ANALYTICS_API_VERSION": "open-release/quince.3",
      "ECOMMERCE_VERSION": "open-release/quince.3",
      "ECOMMERCE_WORKER_VERSION": "open-release/quince.3",
      "DISCOVERY_VERSION": "open-release/quince.3",
      "THEMES_VERSION": "open-release/quince.3",
      "MFE_DEPLOY_VERSION": "open-release/quince.3",
      "RETIREMENT_SERVICE_VERSION": "open-release/quince.3",
      "EDXAPP_FEATURES_EXTRA": {
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
fn every_release_gets_the_variables_that_it_reads() {
    let whole = ["EDXAPP_FEATURES", "EDXAPP_SETTINGS", "XQUEUE_SETTINGS"];
    let extra = ["EDXAPP_FEATURES_EXTRA", "EDXAPP_SETTINGS", "XQUEUE_SETTINGS"];
    let ulmo = ["EDXAPP_FEATURES_EXTRA"];
    let either = ["EDXAPP_FEATURES", "EDXAPP_FEATURES_EXTRA"];
    let old = ["CERTS_VERSION", "NOTIFIER_VERSION", "certs_version", "notifier_version"];
    let shops = ["ECOMMERCE_VERSION", "ECOMMERCE_WORKER_VERSION"];
    let shown = ["DISCOVERY_VERSION", "THEMES_VERSION"];
    let certs = ["CERTS_VERSION", "certs_version"];
    let own = ["ACCOUNT_MFE_VERSION", "GRADEBOOK_MFE_VERSION", "PROFILE_MFE_VERSION"];
    let later = ["MFE_DEPLOY_VERSION", "RETIREMENT_SERVICE_VERSION"];
    let expect = |release: &str, parts: &[&[&str]]| {
        let mut expected: Vec<_> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        expected.sort_unstable();
        assert_eq!(particular(release), expected, "{release}");
    };
    expect("open-release/eucalyptus.3", &[&whole, &old]);
    expect("open-release/ginkgo.2", &[&whole, &old, &shops]);
    expect("open-release/hawthorn.2", &[&whole, &old, &shops, &shown]);
    expect("open-release/juniper.master", &[&whole, &old, &shops, &shown]);
    expect("open-release/koa.3", &[&extra, &certs, &shops, &shown, &own]);
    expect("open-release/lilac.3", &[&extra, &certs, &shops, &shown, &later]);
    expect("open-release/maple.3", &[&extra, &shops, &shown, &later]);
    expect("open-release/quince.3", &[&extra, &shops, &shown, &later]);
    expect("release/teak.3", &[&extra, &shops, &shown, &later]);
    expect("release/ulmo.1", &[&ulmo, &shops, &shown, &later]);
    expect("master", &[&ulmo, &shops, &shown, &later]);
    expect("my-branch", &[&either, &old, &shops, &shown, &["MFE_DEPLOY_VERSION"]]);
}

#[test]
fn every_component_has_the_release_and_every_spelling_the_commit() {
    for release in RELEASES {
        let settings = OpenEdxSettings { openedx_release: format!("open-release/{}.1", release.name), ..sample() };
        let made = snapshot_of(&settings);
        for name in release.versions {
            assert_eq!(made.variables[*name], settings.openedx_release, "{name}");
        }
        for name in ["edx_platform_version", "EDX_PLATFORM_VERSION"] {
            assert_eq!(made.variables[name], "astro-branch", "{}", release.name);
        }
        assert_eq!(made.references[0].variables, ["edx_platform_version", "EDX_PLATFORM_VERSION"], "{}", release.name);
    }
}

#[test]
fn the_gateway_says_the_scheme_of_all_urls_where_it_has_one() {
    let variables = |protocol, public_scheme| {
        let settings = OpenEdxSettings { protocol, ..sample() };
        let installation = Installation { public_scheme, ..Installation::default() };
        super::snapshot("x", &settings, &installation, OwnedVariables::default()).unwrap().variables
    };
    for (protocol, public_scheme, scheme) in [
        (Protocol::Http, None, "http"),
        (Protocol::Https, None, "https"),
        (Protocol::Http, Some(Protocol::Https), "https"),
        (Protocol::Https, Some(Protocol::Http), "http"),
    ] {
        let variables = variables(protocol, public_scheme);
        assert_eq!(variables["EDXAPP_LMS_BASE_SCHEME"], scheme);
        assert_eq!(variables["EDXAPP_LMS_HTTPS"], if scheme == "https" { "on" } else { "off" });
        assert_eq!(variables["EDXAPP_SESSION_COOKIE_SECURE"], scheme == "https");
        assert_eq!(variables["NGINX_SET_X_FORWARDED_HEADERS"], false);
    }
}

#[test]
fn extra_settings_of_an_older_release_count_in_a_newer_one() {
    let extra = "EDXAPP_FEATURES:\n  ENABLE_NOTES: on\nforum_version: theirs\n";
    let variables = with_extra(extra).variables;
    assert_eq!(variables["EDXAPP_FEATURES_EXTRA"]["ENABLE_NOTES"], true);
    assert_eq!(variables["EDXAPP_FEATURES_EXTRA"]["ENABLE_DISCUSSION_SERVICE"], true);
    assert!(!variables.contains_key("EDXAPP_FEATURES"));
    assert_eq!((&variables["forum_version"], &variables["FORUM_VERSION"]), (&json!("theirs"), &json!("theirs")));
}

#[test]
fn names_stay_strings() {
    for name in ["On", "123", "~", "it's \"so\": { yes }", "two\nlines\n", "# no comment", "- a", "日本: ☃", "<<"] {
        let made = snapshot(name, &sample(), OwnedVariables::default()).unwrap();
        assert_eq!(made.variables["EDXAPP_PLATFORM_NAME"], json!(name));
        let read_again = yaml::parse_map(&yaml::to_yaml(&made.variables)).unwrap();
        assert_eq!(read_again, made.variables, "{name}");
    }
}

#[test]
fn one_playbook_from_the_settings() {
    let text = "ansible==8.7.0\nboto3\n";
    let inline = OpenEdxSettings { configuration_requirements: text.into(), ..sample() };
    assert_eq!(snapshot_of(&inline).playbooks[0].requirements, Requirements::Text(text.into()));
    let made = snapshot_of(&sample());
    assert_eq!(
        made.playbooks,
        [Playbook {
            source_repo: "https://git.example/edx/configuration.git".into(),
            version: "configuration-1".into(),
            playbook_path: "playbooks/openedx_native.yml".into(),
            requirements: Requirements::File("requirements.txt".into()),
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
    let variables = snapshot("x", &settings, owned).unwrap().variables;
    assert_eq!(variables["EDXAPP_TIME_ZONE"], "d");
    assert_eq!(variables["EDXAPP_MYSQL_HOST"], "d");
    assert_eq!(variables["A"], "s");
    assert_eq!(variables["B"], true);
    let features = &variables["EDXAPP_FEATURES_EXTRA"];
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
            variables: vec!["edx_platform_version".into(), "EDX_PLATFORM_VERSION".into()],
        }
    );
    for made in [with_extra("edx_platform_version: theirs"), with_extra("edx_platform_repo: https://git.example/x.git")]
    {
        assert_eq!(names(&made), ["configuration"]);
    }
    for other_name in ["EDX_PLATFORM_VERSION: theirs", "EDX_PLATFORM_REPO: [x]", "edx_platform_commit: theirs"] {
        assert_eq!(names(&with_extra(other_name)), ["configuration"], "{other_name}: which code runs is not known");
    }
    for same in ["EDX_PLATFORM_VERSION: astro-branch", "EDX_PLATFORM_VERSION: '{{ edx_platform_version }}'"] {
        assert_eq!(names(&with_extra(same)), ["edx-platform", "configuration"], "{same}");
    }
    assert_eq!(with_extra("edx_platform_version: theirs").variables["edx_platform_version"], "theirs");
    assert_eq!(names(&with_extra("configuration_version: 12")), ["edx-platform"]);
    assert_eq!(names(&with_extra("edx_platform_version: astro-branch")), ["edx-platform", "configuration"]);
}

#[test]
fn what_cannot_be_built_is_refused() {
    let refuse = |settings: &OpenEdxSettings| match snapshot("x", settings, OwnedVariables::default()) {
        Err(ApplicationError(words)) => words,
        Ok(made) => panic!("{made:?}"),
    };
    let persistent = OpenEdxSettings { use_ephemeral_databases: false, ..sample() };
    assert!(refuse(&persistent).contains("persistent databases"));
    let no_map = OpenEdxSettings { configuration_extra_settings: "- a".into(), ..sample() };
    assert!(refuse(&no_map).contains("Line 1, column 1: must be a map"));
}
