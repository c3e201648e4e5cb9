//! The house's rule: dependencies point one way. Read off the `use` lines and paths of every source file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The layers, the lowest first. A module may name modules of lower layers and, where it says so, of its own.
const LAYERS: &[&[&str]] = &[
    // It asks a server over its API and knows nothing else of it.
    &["client"],
    &["children", "config", "origin"],
    &["guard"],
    &["jobs", "db", "vault"],
    &["platform"],
    &["logs", "events", "audit", "answers", "mail", "users", "metrics"],
    &["servers", "routing", "databases", "ansible"],
    &["instances"],
    &["openedx"],
    &["pull_requests"],
    &["worker"],
    &["system"],
    &["app"],
    &["http"],
    &["router"],
    &["start"],
];

/// The pairs within one layer that may name each other.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("jobs", "db"),
    // The queue's own tables are brought up together with ours.
    ("db", "jobs"),
    ("users", "audit"),
    ("vault", "db"),
];

fn sources() -> Vec<(String, PathBuf)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let module = |path: &PathBuf| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    files.into_iter().map(|path| (module(&path), path)).collect()
}

/// The code without comments; what a comment names is no dependency.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every module that `crate::…` names, also in `use crate::{a, b::c}`.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => {
                found.insert(word(part));
            }
            Some(list) => {
                let mut depth = 0;
                let mut item = String::new();
                for c in list.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            found.insert(word(item.trim()));
                            item.clear();
                        }
                        c if depth == 0 => item.push(c),
                        _ => {}
                    }
                }
                found.insert(word(item.trim()));
            }
        }
    }
    found.remove("");
    found
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn dependencies_point_one_way() {
    let mut wrong = Vec::new();
    for (module, path) in sources() {
        if matches!(module.as_str(), "lib" | "main" | "cli") {
            continue;
        }
        let own =
            layer(&module).unwrap_or_else(|| panic!("{module} has no layer: say in {} where it belongs", file!()));
        for other in named(&code(&path)).into_iter().filter(|other| *other != module) {
            let is_fine = layer(&other).is_some_and(|other| other < own)
                || NEIGHBOURS.contains(&(module.as_str(), other.as_str()));
            if !is_fine {
                wrong.push(format!("{} names {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_stores_and_the_database_name_the_orm() {
    let mut wrong = Vec::new();
    for (module, path) in sources() {
        let is_store = path.components().any(|part| part.as_os_str() == "store") || path.ends_with("store.rs");
        let code = code(&path);
        // Queries belong in stores. A verb may open a transaction around several of them.
        let names_queries =
            code.contains("diesel::") && !code.lines().filter(|line| line.contains("diesel::")).all(is_plumbing);
        if names_queries && !is_store && !matches!(module.as_str(), "db" | "jobs") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "queries outside of stores:\n{}", wrong.join("\n"));
}

/// An error's conversion is no query.
fn is_plumbing(line: &str) -> bool {
    line.contains("diesel::result::Error")
}

#[test]
fn only_http_and_its_wiring_name_the_web_server() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|(module, _)| !matches!(module.as_str(), "http" | "router" | "start"))
        .filter(|(_, path)| code(path).contains("actix_web"))
        .map(|(_, path)| path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_client_knows_the_api_and_nobody_knows_the_client() {
    for (module, path) in sources() {
        let named = named(&code(&path));
        let is_fine = match module.as_str() {
            "client" => named.iter().all(|other| other == "client"),
            _ => !named.contains("client"),
        };
        assert!(is_fine, "{} names {named:?}", path.display());
    }
}

#[test]
fn the_generic_instance_names_no_application() {
    for (module, path) in sources() {
        if module == "instances" {
            assert!(!code(&path).to_lowercase().contains("openedx"), "{}", path.display());
        }
    }
}

#[test]
fn the_reader_of_names_finds_them() {
    let found = named("use crate::{db::{Db, DbError}, logs}; crate::events::record(); use crate::http;");
    assert_eq!(found, ["db", "events", "http", "logs"].map(str::to_owned).into());
}
