//! Finds PostgreSQL's server programs on this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use super::error::EmbeddedError;

/// Where packages install several versions side by side: the parent directory, and the path below each version.
const SHELVES: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) directory: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    pub(super) fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }
}

/// The version that created the existing data, or the newest installed one if there are no data.
pub(super) async fn find(data: &Path) -> Result<Binaries, EmbeddedError> {
    find_in(&candidates(), data).await
}

/// Finds another PostgreSQL program: beside the server's own, or, if the package does not put it there, in a directory
/// of the same or a later version.
pub(super) async fn find_tool(data: &Path, name: &str) -> Result<PathBuf, EmbeddedError> {
    let beside = find(data).await?;
    let own = beside.directory.join(name);
    if own.is_file() {
        return Ok(own);
    }
    let mut best: Option<(u32, PathBuf)> = None;
    for program in candidates().into_iter().map(|directory| directory.join(name)).filter(|program| program.is_file()) {
        let major = major_version(&program).await.filter(|major| *major >= beside.major);
        if let Some(major) = major.filter(|major| best.as_ref().is_none_or(|(least, _)| major < least)) {
            best = Some((major, program));
        }
    }
    Ok(best.map_or(own, |(_, program)| program))
}

async fn find_in(directories: &[PathBuf], data: &Path) -> Result<Binaries, EmbeddedError> {
    let mut installed = Vec::new();
    for directory in directories.iter().filter(|directory| has_both(directory)) {
        if let Some(major) = major_version(&directory.join("postgres")).await {
            installed.push(Binaries { directory: directory.clone(), major });
        }
    }
    let wanted = fs::read_to_string(data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    choose(installed, wanted).map_err(|found| match (wanted, found.is_empty()) {
        (Some(wanted), false) => EmbeddedError::WrongVersion { data: data.to_owned(), wanted, found },
        (_, _) => EmbeddedError::NotInstalled {
            searched: directories.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
        },
    })
}

/// The highest version that fits, the first found if several do. Error: the installed versions, as text.
fn choose(installed: Vec<Binaries>, wanted: Option<u32>) -> Result<Binaries, String> {
    let versions: BTreeSet<u32> = installed.iter().map(|found| found.major).collect();
    installed
        .into_iter()
        .filter(|found| wanted.is_none_or(|wanted| wanted == found.major))
        .reduce(|best, next| if next.major > best.major { next } else { best })
        .ok_or_else(|| versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
}

/// Directories to search, in order of preference. If PG_BINDIR is set, it is the only one.
fn candidates() -> Vec<PathBuf> {
    if let Some(set) = env::var_os("PG_BINDIR").filter(|set| !set.is_empty()) {
        return vec![PathBuf::from(set)];
    }
    let mut found: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).filter(|part| part.is_absolute()).collect())
        .unwrap_or_default();
    for (shelf, inside) in SHELVES {
        let Ok(entries) = fs::read_dir(shelf) else { continue };
        let versions = entries.flatten().filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("postgresql") || name.bytes().all(|byte| byte.is_ascii_digit())
        });
        found.extend(versions.map(|entry| entry.path().join(inside)));
    }
    if !found.iter().any(|path| path.starts_with("/usr/lib/postgresql")) {
        // Not a real directory: tells the reader of the error message where Debian installs PostgreSQL.
        found.push("/usr/lib/postgresql/*/bin".into());
    }
    found
}

fn has_both(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}

/// Parses `postgres --version`: `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`; other programs print the same.
async fn major_version(program: &Path) -> Option<u32> {
    let mut command = tokio::process::Command::new(program);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(10), command.output()).await.ok()?.ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<u32> {
    let digits: String = text.split_once("(PostgreSQL) ")?.1.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { directory: format!("/pg/{major}").into(), major }).collect()
    }

    #[test]
    fn reads_versions() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else 15.8"), None);
    }

    #[test]
    fn takes_the_highest_or_the_one_that_made_the_data() {
        assert_eq!(choose(installed(&[15, 17, 16]), None).unwrap().major, 17);
        assert_eq!(choose(installed(&[15, 17, 16]), Some(16)).unwrap().major, 16);
        assert_eq!(choose(installed(&[15, 17]), Some(16)), Err("15, 17".to_owned()));
        assert_eq!(choose(installed(&[]), None), Err(String::new()));
    }

    #[tokio::test]
    async fn names_the_package_and_the_ways_out_where_nothing_is_installed() {
        let error = find_in(&["/nowhere".into()], Path::new("/no-data")).await.unwrap_err().to_string();
        for word in ["/nowhere", "apt-get install postgresql", "PG_BINDIR", "DATABASE_URL"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
