//! Helpers shared by the tests of this folder.

use serde_json::{Map, Value};
use shared_types::applications::tutor::TutorSettings;
use shared_types::yaml::typed;

use super::{Defaults, Tutor};

pub(super) const DATABASES: &str = "MYSQL_HOST: mysql.example\nOPENEDX_MYSQL_DATABASE: demo\nOPENEDX_MYSQL_USERNAME: demo\n\
                                    OPENEDX_MYSQL_PASSWORD: given\nMONGODB_HOST: mongo.example\nREDIS_HOST: redis.example\n";

pub(super) fn tutor() -> Tutor {
    Tutor {
        defaults: Defaults {
            base_domain: "example.org".into(),
            email: "contact@example.org".into(),
            protocol: "https".into(),
            release: "verawood".into(),
            playbooks_repository_url: "/srv/tutor".into(),
            playbooks_version: "master".into(),
            wheels: String::new(),
        },
    }
}

pub(super) fn sample() -> TutorSettings {
    TutorSettings {
        sub_domain: "demo".into(),
        base_domain: "example.org".into(),
        protocol: "https".into(),
        email: "contact@example.org".into(),
        release: "verawood".into(),
        language: "en".into(),
        plugins: "mfe indigo".into(),
        requirements: String::new(),
        images_to_build: String::new(),
        openedx_image: String::new(),
        mfe_image: String::new(),
        edx_platform_repository_url: String::new(),
        edx_platform_commit: String::new(),
        persistent_databases: false,
        databases: String::new(),
        extra_config: String::new(),
        playbooks_repository_url: "/srv/tutor".into(),
        playbooks_version: "master".into(),
    }
}

pub(super) fn secrets() -> Map<String, Value> {
    let made = |name: &str| typed::marked(format!("made-{name}").into());
    super::secrets::SPECS.iter().map(|spec| (spec.name.to_owned(), made(spec.name))).collect()
}
