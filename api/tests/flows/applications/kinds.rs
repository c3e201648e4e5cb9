//! The application types, as the life of an instance sees them.

use serde_json::{Value, json};

use super::PATH;
use crate::app::TestApp;

/// The differences between the types in the life of an instance.
pub(super) struct Kind {
    /// The body that creates an instance; the setting `yaml` is added.
    pub(super) body: Value,
    /// The setting that holds YAML.
    pub(super) yaml: &'static str,
    pub(super) domain: &'static str,
    pub(super) sites: Value,
    /// The address of the site `studio`; blank: the type has no such site.
    pub(super) studio_url: &'static str,
    /// A setting, its other value, and the line for that value in the variables of a later app server.
    pub(super) change: (&'static str, &'static str, &'static str),
}

impl Kind {
    /// Creates an instance; gives its id.
    pub(super) async fn create(&self, app: &TestApp, yaml: &str) -> i64 {
        let mut body = self.body.clone();
        body[self.yaml] = yaml.into();
        app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
    }

    /// The host names of the sites, the main one first.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let urls = self.sites.as_array().unwrap().iter().map(|site| site["url"].as_str().unwrap());
        urls.map(|url| url.split(['/', ':']).nth(3).unwrap()).collect()
    }
}

/// Every type that the program has, and the one of the tests.
pub(super) fn all() -> [Kind; 4] {
    [open_edx(), tutor(), sites(), notebooks()]
}

pub(super) fn open_edx() -> Kind {
    Kind {
        body: json!({ "name": "Astronomy Academy", "instance_type": "openedx", "sub_domain": "astro" }),
        yaml: "configuration_extra_settings",
        domain: "astro.localhost",
        sites: json!([
            { "name": "lms", "label": "LMS", "url": "http://astro.localhost:8080/" },
            { "name": "studio", "label": "Studio", "url": "http://studio.astro.localhost:8080/" },
        ]),
        studio_url: "http://studio.astro.localhost:8080/",
        change: ("email", "ada@campus.example", "EDXAPP_CONTACT_EMAIL: ada@campus.example\n"),
    }
}

pub(super) fn tutor() -> Kind {
    Kind {
        body: json!({ "name": "Campus", "instance_type": "tutor", "sub_domain": "campus" }),
        yaml: "extra_config",
        domain: "campus.localhost",
        sites: json!([
            { "name": "lms", "label": "LMS", "url": "http://campus.localhost:8080/" },
            { "name": "studio", "label": "Studio", "url": "http://studio.campus.localhost:8080/" },
            { "name": "apps", "label": "Micro-frontends", "url": "http://apps.campus.localhost:8080/" },
            { "name": "meilisearch", "label": "Search", "url": "http://meilisearch.campus.localhost:8080/" },
        ]),
        studio_url: "http://studio.campus.localhost:8080/",
        change: ("language", "fr", "LANGUAGE_CODE: fr\n"),
    }
}

pub(super) fn sites() -> Kind {
    let playbooks = json!([{ "repository": "https://git.example/school.git" }]);
    let hostnames = json!(["school", "school-content"]);
    Kind {
        body: json!({ "name": "School", "instance_type": "site", "hostnames": hostnames, "playbooks": playbooks }),
        yaml: "variables",
        domain: "school.campus.example",
        sites: json!([
            { "name": "school", "label": "school", "url": "https://school.campus.example/" },
            { "name": "school-content", "label": "school-content", "url": "https://school-content.campus.example/" },
        ]),
        studio_url: "",
        change: ("protocol", "http", "ocim_protocol: http\n"),
    }
}

/// A type that only the tests have.
pub(super) fn notebooks() -> Kind {
    Kind {
        body: json!({ "name": "Notes", "instance_type": "notebook", "address": "notes.example" }),
        yaml: "notes",
        domain: "notes.example",
        sites: json!([{ "name": "reader", "label": "Reader", "url": "https://notes.example/" }]),
        studio_url: "",
        change: ("edition", "second", "edition: second\n"),
    }
}
