//! The rules of the architecture: dependencies point one way, only stores write queries, only `http` uses the web
//! server, and no generic room names an application. Checked on the paths in every source file.

mod evidence;
mod layers;
mod source;
mod words;

use std::path::{Path as FilePath, PathBuf};

use self::layers::{layer, room};
use self::source::{Path, Source};

/// Top folders that may name an application type; tests may, too.
const KNOW_APPLICATIONS: &[&str] = &["applications", "start"];

struct File {
    /// From the root of the repository.
    path: PathBuf,
    module: Path,
    source: Source,
}

impl File {
    fn room(&self) -> &'static str {
        room(&self.module).unwrap_or_else(|| panic!("{} has no layer: give it one in layers.rs", self.path.display()))
    }

    /// Whether all of it is compiled for tests only, by its name.
    fn is_test(&self) -> bool {
        self.module.iter().any(|name| name == "tests" || name == "testing" || name.ends_with("_tests"))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Every source file of the server's crate, except lib.rs, main.rs and cli.rs.
fn files() -> Vec<File> {
    let is_program = |file: &File| ["lib", "main", "cli"].map(|name| vec![name.to_owned()]).contains(&file.module);
    files_of("api").into_iter().filter(|file| !is_program(file)).collect()
}

/// Every source file of all crates.
fn everywhere() -> impl Iterator<Item = File> {
    ["api", "shared-types", "frontend"].into_iter().flat_map(files_of)
}

/// Every source file of the crate in this folder.
fn files_of(folder: &str) -> Vec<File> {
    let repository = FilePath::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let root = repository.join(folder).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let read = |path: PathBuf| {
        let module = module(path.strip_prefix(&root).unwrap());
        let source = Source::read(&module, &std::fs::read_to_string(&path).unwrap());
        File { path: path.strip_prefix(repository).unwrap().to_owned(), module, source }
    };
    paths.into_iter().map(read).collect()
}

fn walk(dir: &FilePath, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The module of a file, from its path below `src`.
fn module(path: &FilePath) -> Path {
    let names = path.with_extension("");
    let mut module: Path = names.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

#[test]
fn dependencies_point_one_way() {
    let mut wrong = Vec::new();
    for file in files() {
        let own = file.room();
        for other in file.source.named() {
            let Some(target) = room(&other) else {
                wrong.push(format!("{}: {} has no layer", file.path.display(), other.join("::")));
                continue;
            };
            if target != own && layer(target) >= layer(own) {
                wrong.push(format!("{}: {own} names {}, of {target}", file.path.display(), other.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_stores_and_the_database_name_the_orm() {
    // The conversion of an error is no query.
    let is_plumbing = |path: &Path| path.starts_with(&["diesel".into(), "result".into(), "Error".into()]);
    let mut wrong = Vec::new();
    for file in files() {
        let is_store = file.module.iter().any(|name| name == "store");
        let writes_queries = file.source.named_of("diesel").iter().any(|path| !is_plumbing(path));
        let is_database = matches!(file.room(), "platform::db" | "platform::jobs" | "instances::builds::lease");
        if writes_queries && !is_store && !is_database {
            wrong.push(file.path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "queries outside of stores:\n{}", wrong.join("\n"));
}

#[test]
fn only_http_and_its_wiring_name_the_web_server() {
    let wrong: Vec<_> = files()
        .into_iter()
        .filter(|file| !matches!(file.room(), "http" | "start"))
        .filter(|file| file.source.code.contains("actix_web"))
        .map(|file| file.path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_client_knows_the_api_and_only_the_agent_of_gateways_knows_the_client() {
    for file in files() {
        let named = file.source.named();
        let names_client = |path: &Path| room(path) == Some("client");
        let is_fine = match file.room() {
            "client" => named.iter().all(names_client),
            // It asks a server over the API, as scripts do.
            "gateway" => true,
            _ => !named.iter().any(names_client),
        };
        assert!(is_fine, "{} names {named:?}", file.path.display());
    }
}

/// Whether a path leads into the folder of an application type, or names the first type in it, which has a unique name.
fn names_a_type(path: &Path) -> bool {
    let is_type = |name: &String| shared_types::applications::of(name).is_some();
    path.iter().any(|name| name.to_lowercase().contains("openedx"))
        || path.windows(2).any(|pair| pair[0] == "applications" && is_type(&pair[1]))
}

#[test]
fn a_path_into_a_types_folder_names_an_application() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Path>();
    for text in ["applications::site::hooks", "shared_types::applications::site", "shared_types::OpenEdxSettings"] {
        assert!(names_a_type(&path(text)), "{text}");
    }
    for text in ["shared_types::applications::MachineNeeds", "shared_types::applications::of", "app::site::Site"] {
        assert!(!names_a_type(&path(text)), "{text}");
    }
}

#[test]
fn generic_rooms_name_no_application() {
    let mut wrong = Vec::new();
    for file in everywhere() {
        if file.is_test() || file.module.first().is_some_and(|top| KNOW_APPLICATIONS.contains(&top.as_str())) {
            continue;
        }
        let mut named = file.source.named();
        named.extend(file.source.named_of("shared_types"));
        let specific = named.iter().filter(|path| names_a_type(path));
        wrong.extend(specific.map(|path| format!("{} names {}", file.path.display(), path.join("::"))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
