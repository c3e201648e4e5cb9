#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use insta::assert_json_snapshot;
use serde_json::json;

use super::*;
use crate::applications::openedx::testing::{open_edx, sample};

fn apply_to(current: Option<&Value>, input: Value) -> Result<Value, Vec<FieldError>> {
    apply(&open_edx().defaults, current, input.as_object().unwrap())
}

fn refused(current: Option<&Value>, input: Value) -> Vec<(String, String)> {
    apply_to(current, input).unwrap_err().into_iter().map(|error| (error.pointer, error.detail)).collect()
}

#[test]
fn every_default_is_written_when_an_instance_is_made() {
    assert_json_snapshot!(apply_to(None, json!({"sub_domain": "demo"})).unwrap(), @r##"
    {
      "sub_domain": "demo",
      "base_domain": "campus.example",
      "protocol": "https",
      "email": "contact@example.com",
      "openedx_release": "master",
      "edx_platform_repository_url": "https://git.example/edx/edx-platform.git",
      "edx_platform_commit": "master",
      "configuration_source_repo_url": "https://git.example/edx/configuration.git",
      "configuration_version": "release-1",
      "configuration_playbook": "playbooks/openedx_native.yml",
      "configuration_requirements": "requirements.txt",
      "configuration_extra_settings": "",
      "use_ephemeral_databases": true,
      "github_admin_organization_name": "open-craft"
    }
    "##);
}

#[test]
fn blank_and_null_ask_for_the_default() {
    let mut input: Map<String, Value> =
        TYPE.schema.fields.iter().map(|field| (field.name.to_owned(), json!(" "))).collect();
    input.insert("sub_domain".into(), json!("demo"));
    input.insert("use_ephemeral_databases".into(), Value::Null);
    let plain = apply_to(None, json!({"sub_domain": "demo"})).unwrap();
    assert_eq!(apply_to(None, Value::Object(input.clone())).unwrap(), plain);
    for (name, value) in &mut input {
        if name != "sub_domain" {
            *value = Value::Null;
        }
    }
    assert_eq!(apply_to(None, Value::Object(input)).unwrap(), plain);
}

#[test]
fn the_commit_follows_the_release() {
    let made = apply_to(None, json!({"sub_domain": "demo", "openedx_release": "open-release/quince.3"})).unwrap();
    assert_eq!(made["edx_platform_commit"], "open-release/quince.3");
    assert_eq!(made["configuration_version"], "release-1");
}

#[test]
fn an_update_changes_what_it_names() {
    let before = serde_json::to_value(sample()).unwrap();
    assert_eq!(apply_to(Some(&before), json!({})).unwrap(), before);
    let after = apply_to(
        Some(&before),
        json!({"openedx_release": "", "edx_platform_commit": null, "use_ephemeral_databases": false, "protocol": "http"}),
    )
    .unwrap();
    let mut expected = before;
    expected["openedx_release"] = json!("master");
    expected["edx_platform_commit"] = json!("master");
    expected["use_ephemeral_databases"] = json!(false);
    expected["protocol"] = json!("http");
    assert_eq!(after, expected);
}

#[test]
fn capitals_and_spaces_that_mean_nothing_go() {
    let made = apply_to(
        None,
        json!({"sub_domain": " Demo ", "base_domain": "Campus.Example", "email": " Jane@Campus.Example ",
               "openedx_release": " v1 ", "configuration_extra_settings": "a: ' B '\n",
               "configuration_playbook": " site.yml ", "configuration_requirements": "ansible \r\nboto\r\n"}),
    )
    .unwrap();
    assert_eq!(made["sub_domain"], "demo");
    assert_eq!(made["base_domain"], "campus.example");
    assert_eq!(made["email"], "Jane@campus.example");
    assert_eq!(made["openedx_release"], "v1");
    assert_eq!(made["configuration_extra_settings"], "a: ' B '\n");
    assert_eq!(made["configuration_playbook"], "site.yml");
    assert_eq!(made["configuration_requirements"], "ansible \nboto\n");
}

#[test]
fn every_wrong_field_is_named() {
    assert_json_snapshot!(
        apply_to(
            None,
            json!({"subdomain": "demo", "a/b": 1, "protocol": "ftp", "email": 7, "use_ephemeral_databases": "yes",
                   "edx_platform_commit": "--upload-pack=x", "configuration_extra_settings": "a: 1\n- b\n"}),
        )
        .unwrap_err(),
        @r##"
        [
          {
            "pointer": "/subdomain",
            "detail": "There is no such setting. There are: sub_domain, base_domain, protocol, email, openedx_release, edx_platform_repository_url, edx_platform_commit, configuration_source_repo_url, configuration_version, configuration_playbook, configuration_requirements, configuration_extra_settings, use_ephemeral_databases, github_admin_organization_name."
          },
          {
            "pointer": "/a~1b",
            "detail": "There is no such setting. There are: sub_domain, base_domain, protocol, email, openedx_release, edx_platform_repository_url, edx_platform_commit, configuration_source_repo_url, configuration_version, configuration_playbook, configuration_requirements, configuration_extra_settings, use_ephemeral_databases, github_admin_organization_name."
          },
          {
            "pointer": "/sub_domain",
            "detail": "A value is needed."
          },
          {
            "pointer": "/protocol",
            "detail": "Must be one of http, https."
          },
          {
            "pointer": "/email",
            "detail": "Must be a string."
          },
          {
            "pointer": "/edx_platform_commit",
            "detail": "Must be a git branch, tag or commit hash."
          },
          {
            "pointer": "/configuration_extra_settings",
            "detail": "Line 2, column 1: a key is expected here; check this line's indentation"
          },
          {
            "pointer": "/use_ephemeral_databases",
            "detail": "Must be true, false or null."
          }
        ]
        "##
    );
}

#[test]
fn extra_settings_must_be_a_map_and_say_the_line() {
    let errors = refused(None, json!({"sub_domain": "demo", "configuration_extra_settings": "# extra\n- a\n"}));
    assert_eq!(errors[0].0, "/configuration_extra_settings");
    assert!(errors[0].1.starts_with("Line 2, column 1: must be a map of variables"), "{}", errors[0].1);
}

#[test]
fn host_names_must_fit_and_not_meet() {
    let of_length = |length: usize| {
        let base_domain = "a".repeat(length - "studio.astro.".len());
        check_together(&OpenEdxSettings { base_domain, ..sample() })
    };
    assert_eq!(of_length(253), Ok(()));
    let errors = of_length(254).unwrap_err();
    assert_eq!(errors[0].pointer, "/sub_domain");
    assert!(errors[0].detail.contains("may have 253 characters; these are 254"), "{}", errors[0].detail);
    let errors = refused(None, json!({"sub_domain": "studio.demo"}));
    assert_eq!(errors[0].0, "/sub_domain");
    assert!(errors[0].1.contains("May not begin with `studio.`"));
}

#[test]
fn settings_of_something_else_are_refused() {
    let errors = refused(Some(&json!({"flavor": "other"})), json!({}));
    assert_eq!(errors[0].0, "");
    assert!(errors[0].1.contains("not those of an Open edX instance"), "{}", errors[0].1);
}
