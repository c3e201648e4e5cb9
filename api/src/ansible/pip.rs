//! `pip`: how to call it, and the meaning of its failures.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::faults;
use super::inside::Inside;
use super::port::AnsibleError;
use super::requirements::RequirementsFile;
use crate::platform::command::Output;
use crate::platform::sandbox::{Cell, Network, Wall};

/// What pip prints when it did not reach the index, so that the requirement may be right. pip may print it also for a
/// host that answered in the end: then there is no error.
const UNREACHABLE: &[&str] = &[
    "Retrying (Retry",
    "NewConnectionError",
    "Read timed out",
    "ReadTimeoutError",
    "Connection reset",
    "Connection aborted",
    "Connection broken",
    "Max retries exceeded",
    "Could not fetch URL",
    "HTTP error 5",
    "IncompleteRead",
    "Could not resolve host",
    "Failed to connect to",
    "Failed connect to",
    "unable to access '",
    "The requested URL returned error: 5",
    "early EOF",
];

/// Limit of a reason, in characters.
const LONGEST: usize = 600;

/// Whose `pip` it is, as which user, and where.
#[derive(Debug)]
pub(super) struct Pip<'a> {
    pub inside: &'a Inside<'a>,
    pub virtualenv: &'a Path,
    pub verb: &'a str,
    /// Not for what is installed from the cache.
    pub has_network: bool,
}

impl Pip<'_> {
    /// The `pip` of a virtualenv, behind a wall that shows what the environment's settings of pip name.
    pub(super) async fn cell(&self, wall: Wall) -> Result<Cell, AnsibleError> {
        let wall = wall.with_scratch().show_all(named());
        let wall = if self.has_network { wall.reach(Network::Public) } else { wall };
        let mut cell = self.inside.cell(self.virtualenv.join("bin/python"), &wall).await?;
        let is_of_pip = |name: &OsString| name.to_str().is_some_and(|name| name.starts_with("PIP_"));
        // A URL may hold a password, which code without a network needs even less.
        let is_needed = |value: &OsString| self.has_network || !value.to_string_lossy().contains("://");
        let settings = std::env::vars_os().filter(|(name, value)| is_of_pip(name) && is_needed(value));
        // The cache of an earlier run would be another's.
        cell.command.envs(settings).env_remove("PIP_CACHE_DIR").env("PIP_NO_CACHE_DIR", "1");
        // Isolated: the checkout, in which it runs, may have a module of this name.
        cell.command.args(["-I", "-m", "pip", self.verb]);
        cell.command.args(["--no-input", "--no-color", "--disable-pip-version-check", "--progress-bar", "off"]);
        Ok(cell)
    }
}

/// Files and directories of this host that the settings of pip name: they are the operator's choice.
fn named() -> Vec<PathBuf> {
    let values =
        ["PIP_FIND_LINKS", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok());
    let words: Vec<String> =
        values.flat_map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let paths = words.iter().map(|word| Path::new(word.strip_prefix("file://").unwrap_or(word)));
    let paths = paths.chain([Path::new("/etc/pip.conf")]);
    paths.filter(|path| path.is_absolute() && path.exists()).map(Path::to_owned).collect()
}

/// An error in pip's own words if it failed. `files` are the requirements files it was given.
pub(super) fn succeeded(output: &Output, files: &[RequirementsFile]) -> Result<(), AnsibleError> {
    judge("the requirements cannot be installed", output, files)
}

/// Like [`succeeded`], with a given beginning of the sentence.
pub(super) fn judge(what: &str, output: &Output, files: &[RequirementsFile]) -> Result<(), AnsibleError> {
    if output.success {
        return Ok(());
    }
    let said = sentence(&output.stdout, files);
    let words: String = format!("{what}: {said}").chars().take(LONGEST).collect();
    let is_unreachable = UNREACHABLE.iter().any(|words| output.stdout.contains(words));
    if is_unreachable || faults::is_ours(output) {
        return Err(AnsibleError::Transient(words));
    }
    Err(AnsibleError::Permanent(words))
}

/// Finds the sentence that says what is wrong.
fn sentence(said: &str, files: &[RequirementsFile]) -> String {
    if let Some(sentence) = of_a_build(said).or_else(|| of_hashes(said, files)) {
        return sentence;
    }
    let errors = said.lines().filter_map(|line| line.strip_prefix("ERROR: "));
    // This error only links to documentation; the conflict is reported before it.
    let mut errors = errors.filter(|error| !error.starts_with("ResolutionImpossible"));
    if let Some(error) = errors.next_back() {
        let requirement = error.strip_prefix("No matching distribution found for ");
        let place = requirement.and_then(|requirement| place(requirement, files));
        return format!("{error}{}", place.unwrap_or_default());
    }
    said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("pip said nothing").to_owned()
}

/// Before the requirements whose files have none of the hashes that are given.
pub(super) const MISMATCH: &str = "DO NOT MATCH THE HASHES";
/// Before the requirements without hashes, in a file that has some.
const MISSING: &str = "Hashes are required in --require-hashes mode, but they are missing";
/// Before the requirements without an exact version, in a file with hashes.
const UNPINNED: &str = "In --require-hashes mode, all requirements must have their versions pinned with ==";

/// Which requirement has a wrong hash or none; pip names it below its sentence, which is about all.
fn of_hashes(said: &str, files: &[RequirementsFile]) -> Option<String> {
    for (sentence, what) in [
        (MISMATCH, "has none of the hashes that are given: the file is another one"),
        (MISSING, "has no hash, and other requirements have one: give each a hash, also those that are needed in turn"),
        (UNPINNED, "has no exact version (==), and other requirements have hashes"),
    ] {
        if let Some(name) = below(said, sentence) {
            let place = place(name, files).unwrap_or_default();
            return Some(format!("{name} {what}{place}"));
        }
    }
    None
}

/// The first requirement that pip lists below a sentence: `    kolibri==0.19.5 from https://…:`, or with its hash.
pub(super) fn below<'a>(said: &'a str, sentence: &str) -> Option<&'a str> {
    let (_, rest) = said.split_once(sentence)?;
    let named = rest.lines().skip(1).map(str::trim).find(|line| !line.is_empty())?;
    let ends = [" from ", " (from ", " --hash"];
    Some(ends.iter().fold(named, |name, end| name.split(end).next().unwrap_or(name)).trim_end_matches(':'))
}

/// File and line of a requirement, which pip does not report for one that does not exist.
fn place(requirement: &str, files: &[RequirementsFile]) -> Option<String> {
    let bare = |text: &str| text.chars().filter(|character| !character.is_whitespace()).collect::<String>();
    // pip may add the origin of the requirement, in brackets.
    let wanted = bare(requirement.split(" (from ").next().unwrap_or(requirement)).to_ascii_lowercase();
    let is_it = |line: &str| {
        let line = bare(line).to_ascii_lowercase();
        let rest = line.strip_prefix(&wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['#', ';', '-', '\\']))
    };
    files.iter().find_map(|file| {
        let number = file.text.lines().position(is_it)? + 1;
        Some(format!(" ({}, line {number})", file.path.display()))
    })
}

/// For a package that could not be built: its name, what pip tried, and the last output of the package's own tools.
fn of_a_build(said: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let end = lines.iter().position(|line| *line == "[end of output]")?;
    let begin = lines.iter().take(end).rposition(|line| line.contains("lines of output]"))?;
    let before = lines.get(..begin)?;
    let output = lines.get(begin + 1..end)?;
    let tried = before.iter().rev().find_map(|line| line.strip_prefix("× "));
    let package = before
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("Building wheel for ").or_else(|| line.strip_prefix("Collecting ")));
    // “Building wheel for x (pyproject.toml): finished with status 'error'”
    let package = package.map(|package| package.split(" (pyproject.toml)").next().unwrap_or(package));
    let package = package.map(|package| package.split(" (setup.py)").next().unwrap_or(package));
    let parts = [package, tried.map(|tried| tried.trim_end_matches('.')), cause(output)];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

/// The line that names what is missing: the compiler's first error, else the last line.
fn cause<'a>(output: &[&'a str]) -> Option<&'a str> {
    let is_compiler = |line: &&&str| line.contains(": fatal error: ") || line.contains(": error: ");
    let is_summary = |line: &str| line.is_empty() || line.starts_with("error: command ") || line.starts_with("note: ");
    let last = output.iter().rev().find(|line| !is_summary(line));
    output.iter().find(is_compiler).or(last).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn failed(said: &str) -> Result<(), AnsibleError> {
        let file = |path: &str, text: &str| RequirementsFile { path: path.into(), text: text.to_owned() };
        let files =
            [file("requirements.txt", "-r more.txt\npackaging\n"), file("more.txt", "# x\nNothing == 1  # y\n")];
        let output = Output { success: false, code: Some(1), stdout: said.to_owned(), stderr: String::new() };
        succeeded(&output, &files)
    }

    fn permanent(words: &str) -> Result<(), AnsibleError> {
        Err(AnsibleError::Permanent(format!("the requirements cannot be installed: {words}")))
    }

    #[test]
    fn an_index_that_was_not_reached_proves_nothing() {
        let unknown = "ERROR: Could not find a version that satisfies the requirement nothing==1 (from versions: none)\n\
                       ERROR: No matching distribution found for nothing==1";
        let said = "No matching distribution found for nothing==1 (more.txt, line 2)";
        assert_eq!(failed(unknown), permanent(said));
        for trouble in [
            "WARNING: Retrying (Retry(total=4)) after NewConnectionError",
            "ERROR: HTTP error 503 while getting https://pypi.example/x",
            "OSError: [Errno 28] No space left on device",
        ] {
            let offline = failed(&format!("{trouble}\n{unknown}"));
            assert!(matches!(offline, Err(AnsibleError::Transient(_))), "{trouble}: {offline:?}");
        }
    }

    #[test]
    fn the_requirement_with_a_wrong_hash_or_none_is_named() {
        let said = "Collecting packaging==23.2\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If \
                    you have updated the package versions, please update the hashes. Otherwise, examine the package contents \
                    carefully; someone may have tampered with them.\n    nothing==1 from https://pypi.example/x.whl (from -r \
                    requirements.txt (line 1)):\n        Expected sha256 aaaa\n             Got        bbbb\n";
        let words = "nothing==1 has none of the hashes that are given: the file is another one (more.txt, line 2)";
        assert_eq!(failed(said), permanent(words));
        let said = "ERROR: Hashes are required in --require-hashes mode, but they are missing from some requirements here. \
                    Here is a list of those requirements along with the hashes their downloaded archives actually had.\n    \
                    nothing==1 --hash=sha256:bbbb\n";
        let words = "nothing==1 has no hash, and other requirements have one: give each a hash, also those that are needed in \
                     turn (more.txt, line 2)";
        assert_eq!(failed(said), permanent(words));
    }

    #[test]
    fn pip_that_was_killed_says_nothing_of_the_requirements() {
        let output = Output { success: false, code: None, stdout: "Collecting x\n".to_owned(), stderr: String::new() };
        assert!(matches!(succeeded(&output, &[]), Err(AnsibleError::Transient(_))));
    }

    #[test]
    fn a_conflict_is_told_and_not_the_page_about_conflicts() {
        let said = "ERROR: Cannot install packaging==22.0 and packaging==23.0 because these package versions have \
                    conflicting dependencies.\n\nThe conflict is caused by:\n\
                    ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/";
        let words = "Cannot install packaging==22.0 and packaging==23.0 because these package versions have conflicting \
                     dependencies.";
        assert_eq!(failed(said), permanent(words));
        let said =
            "ERROR: Invalid requirement: './nodir' (from line 1 of requirements.txt)\nHint: It looks like a path.";
        assert_eq!(failed(said), permanent("Invalid requirement: './nodir' (from line 1 of requirements.txt)"));
    }

    #[test]
    fn a_package_that_cannot_be_built_is_named_with_what_is_missing() {
        let said = "Collecting mysqlclient==1.4.6 (from -r requirements.txt (line 1))\n  \
            error: subprocess-exited-with-error\n  \n  × Getting requirements to build wheel did not run successfully.\n  \
            │ exit code: 1\n  ╰─> [29 lines of output]\n      /bin/sh: 1: mysql_config: not found\n      \
            Traceback (most recent call last):\n      OSError: mysql_config not found\n      [end of output]\n  \n  \
            note: This error originates from a subprocess, and is likely not a problem with pip.\n\
            error: subprocess-exited-with-error\n\n× Getting requirements to build wheel did not run successfully.\n\
            │ exit code: 1\n╰─> See above for output.\n";
        let words = "mysqlclient==1.4.6 (from -r requirements.txt (line 1)): Getting requirements to build wheel did not run \
            successfully: OSError: mysql_config not found";
        assert_eq!(failed(said), permanent(words));
        let said = "Building wheels for collected packages: lxml\n  Building wheel for lxml (setup.py): started\n  \
            Building wheel for lxml (setup.py): finished with status 'error'\n  error: subprocess-exited-with-error\n  \
            × python setup.py bdist_wheel did not run successfully.\n  ╰─> [3 lines of output]\n      \
            gcc -c x.c\n      x.c:1:10: fatal error: libxml/xpath.h: No such file or directory\n      \
            compilation terminated.\n      error: command '/usr/bin/gcc' failed with exit code 1\n      [end of output]\n  \
            ERROR: Failed building wheel for lxml\nERROR: Could not build wheels for lxml\n";
        let words = "lxml: python setup.py bdist_wheel did not run successfully: x.c:1:10: fatal error: libxml/xpath.h: No \
            such file or directory";
        assert_eq!(failed(said), permanent(words));
    }

    #[test]
    fn a_traceback_ends_with_what_is_wrong() {
        let said = "Traceback (most recent call last):\n  File \"x\", line 1, in y\n\
                    pip._vendor.packaging.markers.InvalidMarker: Invalid marker: 'python_version =='\n";
        assert_eq!(
            failed(said),
            permanent("pip._vendor.packaging.markers.InvalidMarker: Invalid marker: 'python_version =='")
        );
    }
}
