//! What an app server of a site is built from: the playbooks, the variables, the git references to pin.
//!
//! The settings' variables override those that ocim generates, which all begin with `ocim_`.

use serde_json::{Map, Value, json};
use shared_types::applications::site::{SiteSettings, first_label};
use shared_types::yaml;

use super::resources;
use crate::applications::literal::literal;
use crate::instances::application::{ApplicationError, GENERATED, Layer, Playbook, Reference, Requirements, Snapshot};
use crate::resources::connection::Connection;
use crate::routing::public::PublicUrls;

/// Determines what an app server is built from.
pub(super) fn snapshot(
    name: &str,
    settings: &SiteSettings,
    urls: PublicUrls,
    connections: &[Connection],
) -> Result<Snapshot, ApplicationError> {
    let own = yaml::parse_map(&settings.variables)
        .map_err(|error| ApplicationError(format!("The variables cannot be read. {error}.")))?;
    let mut layers = vec![
        Layer { origin: GENERATED, variables: generated(name, settings, urls) },
        Layer { origin: "variables", variables: own },
    ];
    if !connections.is_empty() {
        let variables = Map::from_iter([(resources::VARIABLE.to_owned(), resources::variable(connections))]);
        layers.insert(1, Layer { origin: "databases", variables });
    }
    let variables = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), yaml::merge);
    let playbooks = settings.playbooks.iter().map(|source| Playbook {
        source_repo: source.repository.clone(),
        version: source.version.clone(),
        playbook_path: source.path.clone(),
        requirements: Requirements::File(source.requirements.clone()),
    });
    Ok(Snapshot {
        playbooks: playbooks.collect(),
        references: references(settings, &variables),
        machine_name_prefix: machine_name_prefix(settings),
        variables,
        layers,
    })
}

fn generated(name: &str, settings: &SiteSettings, urls: PublicUrls) -> Map<String, Value> {
    let protocol = settings.protocol.as_str();
    let url = |host: &String| urls.url(protocol, host).trim_end_matches('/').to_owned();
    let urls: Vec<_> = settings.hostnames.iter().map(url).collect();
    let pairs = [
        ("ocim_instance", json!(literal(name))),
        ("ocim_hostnames", json!(settings.hostnames)),
        ("ocim_urls", json!(urls)),
        ("ocim_protocol", json!(protocol)),
    ];
    let versions = settings.playbooks.iter().zip(1..).map(|(source, number)| (variable(number), json!(source.version)));
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(versions).collect()
}

/// The variable with the commit of a playbook; playbooks are numbered from 1.
fn variable(number: usize) -> String {
    format!("ocim_playbook_{number}_commit")
}

/// Every playbook's version, under the name of its repository. A variable of the settings with the same name overrides
/// it, and is not pinned.
fn references(settings: &SiteSettings, variables: &Map<String, Value>) -> Vec<Reference> {
    let mut made: Vec<Reference> = Vec::new();
    for (source, number) in settings.playbooks.iter().zip(1..) {
        let variable = variable(number);
        if variables.get(&variable).and_then(Value::as_str) != Some(&source.version) {
            continue;
        }
        let word = word(&source.repository);
        let before = made.iter().filter(|other| self::word(&other.repository) == word).count();
        let name = if before == 0 { word.to_owned() } else { format!("{word} {}", before + 1) };
        made.push(Reference {
            name,
            repository: source.repository.clone(),
            version: source.version.clone(),
            variables: vec![variable],
        });
    }
    made
}

/// Prefix of a machine's name: at most 20 letters, digits and hyphens.
fn machine_name_prefix(settings: &SiteSettings) -> String {
    const MAX: usize = 20;
    let name: String = format!("site-{}", first_label(settings.domain())).chars().take(MAX).collect();
    name.trim_end_matches('-').to_owned()
}

/// A repository's name: the last part of its address.
fn word(repository: &str) -> &str {
    let last = repository.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(repository);
    last.strip_suffix(".git").unwrap_or(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;
    use crate::applications::site::testing::{sample, site};

    fn of(variables: &str) -> Snapshot {
        let settings = SiteSettings { variables: variables.into(), ..sample() };
        snapshot("Riverside {{ x }}", &settings, site().urls, &[]).unwrap()
    }

    #[test]
    fn playbooks_run_in_the_order_of_the_settings() {
        let made = of("");
        let paths: Vec<_> = made.playbooks.iter().map(|one| one.playbook_path.as_str()).collect();
        assert_eq!(paths, ["base.yml", "playbooks/site.yml", "playbooks/more.yml"]);
    }

    #[test]
    fn machines_are_named_after_the_main_host_name() {
        assert_eq!(machine_name_prefix(&sample()), "site-school");
        let long = SiteSettings { hostnames: vec!["abcdefghijklmn-opq.example".into()], ..sample() };
        assert_eq!(machine_name_prefix(&long), "site-abcdefghijklmn");
    }

    #[test]
    fn a_playbook_learns_its_names_and_where_visitors_find_them() {
        let variables = of("school_language: fr\n").variables;
        assert_eq!(variables["ocim_instance"], r#"Riverside {{ "{" }}{ x }}"#);
        assert_eq!(variables["ocim_hostnames"], json!(["school.campus.example", "school-content.campus.example"]));
        let urls = ["http://school.campus.example:8080", "http://school-content.campus.example:8080"];
        assert_eq!(variables["ocim_urls"], json!(urls));
        assert_eq!(variables["ocim_protocol"], "http");
        assert_eq!(variables["school_language"], "fr");
    }

    #[test]
    fn variables_of_the_settings_win() {
        let made = of("ocim_urls: [https://other.example]\nocim_playbook_2_commit: theirs\n");
        assert_eq!(made.variables["ocim_urls"], json!(["https://other.example"]));
        let names: Vec<_> = made.references.iter().flat_map(|one| &one.variables).collect();
        assert_eq!(names, ["ocim_playbook_1_commit", "ocim_playbook_3_commit"]);
    }

    #[test]
    fn every_playbooks_version_is_pinned() {
        let rows: Vec<_> = of("").references.into_iter().map(|one| (one.name, one.version, one.variables)).collect();
        let row =
            |name: &str, version: &str, number: usize| (name.to_owned(), version.to_owned(), vec![variable(number)]);
        assert_eq!(rows, [row("base", "v2", 1), row("school", "main", 2), row("school 2", "main", 3)]);
    }

    #[test]
    fn repositories_are_called_by_the_end_of_their_address() {
        for (address, name) in [
            ("https://git.example/a/school.git", "school"),
            ("git@git.example:school.git", "school"),
            ("/srv/school/", "school"),
        ] {
            assert_eq!(word(address), name, "{address}");
        }
    }

    #[test]
    fn variables_that_are_no_map_are_told() {
        let settings = SiteSettings { variables: "- a".into(), ..sample() };
        let Err(ApplicationError(words)) = snapshot("x", &settings, site().urls, &[]) else { panic!("- a") };
        assert!(words.contains("Line 1, column 1: must be a map"), "{words}");
    }
}
