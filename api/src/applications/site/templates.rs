//! The templates that “New instance” offers: the sites of `ansible/examples`.

use std::path::Path;

use serde_json::{Map, Value, json};
use shared_types::instance_type::InstanceTemplate;

/// Branch of the examples' repositories.
const BRANCH: &str = "master";

/// A template for a new instance.
struct Template {
    /// The name in the API, of the folder in `ansible/examples`, and of the main host.
    name: &'static str,
    /// The name shown to users.
    label: &'static str,
    /// One sentence about what it deploys.
    description: &'static str,
    /// Host names in addition to the main one.
    hostnames: &'static [&'static str],
    /// A path of the main host name, and a text that is on this page only if the site works.
    check: (&'static str, &'static str),
    /// The hooks, as moment and playbook.
    hooks: &'static [(&'static str, &'static str)],
    /// The variables as YAML, with comments on the possible values.
    variables: &'static str,
}

/// The templates, in the order in which users see them.
const TEMPLATES: &[Template] = &[
    Template {
        name: "kolibri",
        label: "Kolibri",
        description: "A learning platform that works without internet access: courses, classes, quizzes and learners' progress.",
        hostnames: &["kolibri-content"],
        check: ("/api/public/info/", "kolibri"),
        hooks: &[],
        variables: "# The password of the administrator `admin`, at least 8 characters. Blank: the site has no administrator.\n\
                    kolibri_admin_password: ''\n\
                    # nonformal or informal: visitors may look around and sign up; formal: they may not.\n\
                    kolibri_preset: nonformal\n\
                    kolibri_language: en\n",
    },
    Template {
        name: "wagtail",
        label: "Wagtail",
        description: "A content management system on Django: pages, pictures and documents, with background workers for planned \
                      publication.",
        hostnames: &[],
        check: ("/health/", "ok"),
        hooks: &[
            ("before_traffic", "playbooks/start_workers.yml"),
            ("after_traffic", "playbooks/stop_workers.yml"),
            ("before_end", "playbooks/stop_workers.yml"),
        ],
        variables: "# The password of the administrator `admin`, at least 8 characters. Blank: the site has no administrator.\n\
                    wagtail_admin_password: ''\n\
                    wagtail_language: en\n",
    },
];

/// Memory of a machine in MB, and disk in GB, sufficient for each template.
const MACHINE: (u32, u32) = (1024, 5);

/// Every template, with the repositories in this directory.
pub(super) fn templates(examples: &Path) -> Vec<InstanceTemplate> {
    let published = |template: &Template| InstanceTemplate {
        name: template.name.to_owned(),
        label: template.label.to_owned(),
        description: template.description.to_owned(),
        settings: template.settings(&examples.join(template.name)),
    };
    TEMPLATES.iter().map(published).collect()
}

impl Template {
    fn settings(&self, repository: &Path) -> Map<String, Value> {
        let hostnames: Vec<_> = std::iter::once(self.name).chain(self.hostnames.iter().copied()).collect();
        // Without a host name, so that the check stays right if the user enters another one.
        let check = json!({ "path": self.check.0, "statuses": "200", "text": self.check.1 });
        let hooks: Vec<_> =
            self.hooks.iter().map(|(moment, playbook)| json!({ "moment": moment, "playbook": playbook })).collect();
        let pairs = [
            ("hostnames", json!(hostnames)),
            ("playbooks", json!([{ "repository": repository.display().to_string(), "version": BRANCH }])),
            ("variables", json!(self.variables)),
            ("checks", json!([check])),
            ("hooks", json!(hooks)),
            ("memory_mb", json!(MACHINE.0)),
            ("disk_gb", json!(MACHINE.1)),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::applications::site::testing::site;
    use crate::applications::site::{checks, read};
    use crate::instances::application::Application as _;

    fn examples() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/examples")
    }

    #[test]
    fn every_template_is_a_valid_instance_and_its_files_are_there() {
        for template in site().templates() {
            let settings = read(&site().settings(None, &template.settings).unwrap()).unwrap();
            assert_eq!(settings.domain(), format!("{}.campus.example", template.name));
            assert_eq!(checks::checks(&settings).unwrap().len(), 1);
            let mut files: Vec<String> = settings.hooks.iter().map(|hook| hook.playbook.clone()).collect();
            files.extend(["README.md", "wheels.txt"].map(str::to_owned));
            files.extend(settings.playbooks.iter().flat_map(|one| [one.path.clone(), one.requirements.clone()]));
            for file in files {
                assert!(examples().join(&template.name).join(&file).is_file(), "{}: {file}", template.name);
            }
        }
    }

    #[test]
    fn a_template_stays_valid_with_other_host_names() {
        for mut template in site().templates() {
            template.settings.insert("hostnames".into(), json!(["school.example.org"]));
            assert!(site().settings(None, &template.settings).is_ok(), "{}", template.name);
        }
    }

    #[test]
    fn every_example_has_a_template() {
        let folders = std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap());
        for folder in folders.filter(|entry| entry.path().is_dir()) {
            let name = folder.file_name().into_string().unwrap();
            assert!(TEMPLATES.iter().any(|template| template.name == name), "{name}");
        }
    }
}
