//! How this host gets its packages: release, sources and options (mirrors, proxies, certificates). The base tree is
//! made with the same ones, so that it can be made on every host that can install a package.

use std::fs;

use super::command::run;
use super::error::LocalError;

/// The options of apt that decide how files are fetched; the rest of the host's apt configuration is not copied.
const FETCH_OPTIONS: &[&str] = &[
    "Acquire::http",
    "Acquire::https",
    "Acquire::ftp",
    "Acquire::tor",
    "Acquire::Proxy-Auto-Detect",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
    "Acquire::Retries",
    "Acquire::ForceIPv4",
    "Acquire::ForceIPv6",
];

/// The code name of the host's release, such as `bookworm`.
pub(super) fn release() -> Result<String, LocalError> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    release_of(&text).ok_or_else(|| {
        LocalError::BaseTree("this host is no Debian or Ubuntu (no VERSION_CODENAME in /etc/os-release)".into())
    })
}

/// The host's source files that list the release itself, as apt reads them.
pub(super) async fn sources(release: &str) -> Result<Vec<String>, LocalError> {
    let text = run(
        "apt-get",
        &["indextargets", "--format", "$(RELEASE)|$(COMPONENT)|$(SOURCESENTRY)", "Created-By: Packages"],
    )
    .await?;
    let files = source_files(&text, release);
    if files.is_empty() {
        return Err(LocalError::BaseTree(format!(
            "apt has no source for {release} main: add one to /etc/apt/sources.list.d"
        )));
    }
    Ok(files)
}

/// The host's fetch options in apt's own format. May hold a proxy's password: write them to a file, never as arguments.
pub(super) async fn acquire_options() -> Result<String, LocalError> {
    Ok(fetch_options(&run("apt-config", &["dump", "Acquire"]).await?))
}

fn release_of(os_release: &str) -> Option<String> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?.trim_matches('"');
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    is_name.then(|| name.to_owned())
}

/// Skips third parties' suites: they may be for another architecture or need a login.
fn source_files(targets: &str, release: &str) -> Vec<String> {
    let suites = [release.to_owned(), format!("{release}-updates"), format!("{release}-security")];
    let mut files: Vec<String> = Vec::new();
    for line in targets.lines() {
        let mut fields = line.splitn(3, '|');
        let (Some(suite), Some(component), Some(entry)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let file = entry.rsplit_once(':').map_or(entry, |(file, _line)| file).to_owned();
        let is_wanted = suites.iter().any(|known| known == suite) && matches!(component, "main" | "universe");
        if is_wanted && file.starts_with('/') && !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

fn fetch_options(dump: &str) -> String {
    let is_wanted = |line: &&str| {
        let name = line.split_once(' ').map_or(*line, |(name, _)| name);
        FETCH_OPTIONS.iter().any(|option| name == *option || name.starts_with(&format!("{option}::")))
    };
    dump.lines().filter(is_wanted).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_release_is_read_from_os_release() {
        assert_eq!(release_of("ID=debian\nVERSION_CODENAME=bookworm\n").unwrap(), "bookworm");
        assert_eq!(release_of("VERSION_CODENAME=\"noble\"").unwrap(), "noble");
        assert_eq!(release_of("ID=arch\n"), None);
        assert_eq!(release_of("VERSION_CODENAME=--x\n"), None);
    }

    #[test]
    fn only_files_with_the_releases_own_suites_are_taken() {
        let targets = "bookworm|main|/etc/apt/sources.list.d/debian.sources:1\n\
                       bookworm-security|main|/etc/apt/sources.list.d/debian.sources:2\n\
                       bookworm|stable|/etc/apt/sources.list.d/vendor.list:1\n\
                       nodistro|main|/etc/apt/sources.list.d/other.sources:1\n";
        assert_eq!(source_files(targets, "bookworm"), ["/etc/apt/sources.list.d/debian.sources"]);
        assert!(source_files(targets, "trixie").is_empty());
    }

    #[test]
    fn only_fetch_options_are_taken_over() {
        let dump = "Acquire \"\";\nAcquire::http::Proxy \"http://cache:3142\";\nAcquire::httpx \"1\";\n\
                    Acquire::Languages:: \"none\";\nAcquire::Check-Date \"false\";\n";
        assert_eq!(
            fetch_options(dump),
            "Acquire::http::Proxy \"http://cache:3142\";\nAcquire::Check-Date \"false\";\n"
        );
    }
}
