#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use shared_types::applications::tutor::text;
use shared_types::secret;

use super::*;
use crate::applications::tutor::testing::{DATABASES, sample, secrets};

fn of(name: &str, settings: &TutorSettings, migrated_by: Option<&str>) -> Result<Snapshot, ApplicationError> {
    let (secrets, none) = (secrets(), Map::new());
    snapshot(name, settings, Given { secrets: &secrets, databases: &none, storage: &none, migrated_by, wheels: "" })
}

#[test]
fn a_plain_instance_gets_the_configuration_that_tutor_needs() {
    let snapshot = of("Campus", &sample(), None).unwrap();
    let variables = serde_json::to_value(secret::masked(&snapshot.variables)).unwrap();
    let hidden = secret::masked(&secrets::config(&secrets()).unwrap());
    let mut config = json!({
        "PLATFORM_NAME": "Campus", "CONTACT_EMAIL": "contact@example.org", "LANGUAGE_CODE": "en",
        "ENABLE_HTTPS": true, "ENABLE_WEB_PROXY": false, "CADDY_HTTP_PORT": 80, "PLUGINS": ["mfe", "indigo"],
        "LMS_HOST": "demo.example.org", "CMS_HOST": "studio.demo.example.org", "MFE_HOST": "apps.demo.example.org",
        "MEILISEARCH_HOST": "meilisearch.demo.example.org",
    });
    config.as_object_mut().unwrap().extend(hidden);
    assert_eq!(variables["tutor_config"], config);
    let heartbeat = |host: &str| json!({"host": host, "path": "/heartbeat"});
    let expected = json!({
        "tutor_requirements": ["tutor==22.0.3", "tutor-mfe==22.1.0", "tutor-indigo==22.0.0"],
        "tutor_wheels": "", "tutor_databases_are_given": false, "tutor_hold_workers": false,
        "tutor_images_to_build": [], "tutor_platform_version": "", "tutor_upgrade_from": "",
        "tutor_checks": [
            heartbeat("demo.example.org"), heartbeat("studio.demo.example.org"),
            {"host": "apps.demo.example.org", "path": "/authn/login"},
            {"host": "apps.demo.example.org", "path": "/api/mfe_config/v1?mfe=authn"},
            {"host": "demo.example.org", "path": "/heartbeat?extended"},
        ],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&variables[name], value, "{name}");
    }
    assert_eq!(snapshot.references, []);
    let playbook = &snapshot.playbooks[0];
    assert_eq!((playbook.source_repo.as_str(), playbook.version.as_str()), ("/srv/tutor", "master"));
    assert_eq!(playbook.playbook_path, "playbooks/deploy.yml");
}

#[test]
fn two_app_servers_of_an_instance_get_the_same_variables() {
    assert_eq!(of("Campus", &sample(), None).unwrap(), of("Campus", &sample(), None).unwrap());
}

#[test]
fn no_name_reaches_tutor_or_ansible_as_a_template() {
    let name = "{{ cycler.__init__.__globals__.os.popen('id').read() }} \"x\" {% y %}\n\\";
    let snapshot = of(name, &sample(), None).unwrap();
    let shown = snapshot.variables["tutor_config"]["PLATFORM_NAME"].as_str().unwrap();
    assert_eq!(text::fault(shown), None, "{shown}");
    assert!(shown.starts_with("(( cycler"), "{shown}");
}

#[test]
fn every_secret_is_hidden_from_people_and_in_the_layer_of_its_own() {
    let snapshot = of("Campus", &sample(), None).unwrap();
    let shown = serde_json::to_string(&secret::masked(&snapshot.variables)).unwrap();
    assert!(!shown.contains("made-"), "{shown}");
    let origins: Vec<_> = snapshot.layers.iter().map(|layer| layer.origin).collect();
    assert_eq!(origins, ["generated", "secrets", "databases", "extra configuration"]);
}

#[test]
fn databases_elsewhere_replace_those_of_the_machine_and_hold_the_workers() {
    let settings = TutorSettings { databases: DATABASES.into(), release: "verawood".into(), ..sample() };
    let snapshot = of("Campus", &settings, Some("ulmo")).unwrap();
    let config = &snapshot.variables["tutor_config"];
    assert_eq!(
        (&config["RUN_MYSQL"], &config["RUN_MONGODB"], &config["RUN_REDIS"]),
        (&json!(false), &json!(false), &json!(false))
    );
    assert_eq!((&config["MYSQL_HOST"], &config["OPENEDX_MYSQL_PASSWORD"]), (&json!("mysql.example"), &json!("given")));
    assert_eq!(snapshot.variables["tutor_databases_are_given"], true);
    assert_eq!(snapshot.variables["tutor_hold_workers"], true);
    assert_eq!(snapshot.variables["tutor_upgrade_from"], "ulmo");
    assert!(of("Campus", &TutorSettings { release: "ulmo".into(), ..settings }, Some("verawood")).is_err());
}

#[test]
fn buckets_are_part_of_the_configuration_and_leave_databases_on_the_machine() {
    let (secrets, none) = (secrets(), Map::new());
    let storage = Map::from_iter([("S3_STORAGE_BUCKET".to_owned(), json!("ocim-1-7-abcdefgh"))]);
    let given = Given { secrets: &secrets, databases: &none, storage: &storage, migrated_by: None, wheels: "" };
    let made = snapshot("Campus", &sample(), given).unwrap();
    assert_eq!(made.variables["tutor_config"]["S3_STORAGE_BUCKET"], "ocim-1-7-abcdefgh");
    assert_eq!(
        (&made.variables["tutor_config"]["RUN_MYSQL"], &made.variables["tutor_databases_are_given"]),
        (&Value::Null, &json!(false))
    );
    assert!(made.layers.iter().any(|layer| layer.origin == "storage"));
}

#[test]
fn code_that_is_built_is_a_reference_to_pin() {
    let mut settings = TutorSettings {
        images_to_build: "openedx".into(),
        edx_platform_repository_url: "https://github.com/a/edx-platform.git".into(),
        ..sample()
    };
    let reference = |version: &str| Reference {
        name: "edx-platform".into(),
        repository: "https://github.com/a/edx-platform.git".into(),
        version: version.into(),
        variables: vec!["tutor_platform_version".into()],
    };
    assert_eq!(of("Campus", &settings, None).unwrap().references, [reference("release/verawood.1")]);
    settings.edx_platform_commit = "feature".into();
    let snapshot = of("Campus", &settings, None).unwrap();
    assert_eq!(snapshot.references, [reference("feature")]);
    assert_eq!(snapshot.variables["tutor_config"]["EDX_PLATFORM_REPOSITORY"], "https://github.com/a/edx-platform.git");
    assert_eq!(snapshot.variables["tutor_images_to_build"], json!(["openedx"]));
}

#[test]
fn extra_configuration_is_a_variable_of_its_own() {
    let settings = TutorSettings { extra_config: "SMTP_HOST: mail.example\nSMTP_PORT: 25\n".into(), ..sample() };
    let snapshot = of("Campus", &settings, None).unwrap();
    assert_eq!(snapshot.variables["tutor_extra_config"], json!({"SMTP_HOST": "mail.example", "SMTP_PORT": 25}));
}

#[test]
fn releases_before_ulmo_also_have_a_site_for_previews_of_courses() {
    let snapshot = of("Campus", &TutorSettings { release: "teak".into(), ..sample() }, None).unwrap();
    assert_eq!(snapshot.variables["tutor_config"]["PREVIEW_LMS_HOST"], "preview.demo.example.org");
    assert_eq!(snapshot.variables["tutor_requirements"][0], "tutor==20.0.5");
}
