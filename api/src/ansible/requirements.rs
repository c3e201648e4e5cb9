//! Requirements in the form that pip gets, and a key of their content.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::pins::{self, Pins};
use super::port::{AnsibleError, Requirements};
use super::printing::failed_at;
use super::run_dir::RunDir;
use crate::platform::files::read_plain;
use crate::platform::sandbox::Wall;

/// Limit for the requirements files and the files they name, in total, in bytes.
const TEXT_LIMIT: usize = 1 << 20;

/// How long what was installed is used again, if it is not named by hashes.
const PERIOD: Duration = Duration::from_secs(7 * 24 * 3600);

/// File in a run's directory with requirements that are in no repository. pip names it in its messages.
const GIVEN: &str = "given-requirements.txt";

/// A requirements file, or a constraints file that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequirementsFile {
    /// Path in the repository, for messages.
    pub path: PathBuf,
    pub text: String,
}

/// The requirements files for pip.
#[derive(Debug)]
pub(super) struct Source {
    /// The first one is the requested file; the others are those that it names.
    files: Vec<RequirementsFile>,
    work_dir: PathBuf,
}

impl Source {
    /// Reads the file of the checkout, or writes the requirements to a file beside it.
    ///
    /// # Errors
    /// [`AnsibleError::Permanent`] if the repository has no such file, or the text is too long.
    pub(super) fn read(requirements: &Requirements, dir: &RunDir) -> Result<Self, AnsibleError> {
        let (files, work_dir) = match requirements {
            Requirements::File(path) => {
                let path = dir.in_checkout("requirements file", path)?;
                (read_all(&path, &dir.checkout())?, dir.checkout())
            }
            Requirements::Text(text) => {
                let path = dir.join(GIVEN);
                fs::write(&path, text).map_err(|error| failed_at(&path, &error))?;
                (vec![RequirementsFile { path: GIVEN.into(), text: text.clone() }], dir.path().to_owned())
            }
        };
        Ok(Self { files, work_dir })
    }

    /// The file to install, as pip is to name it: relative to its working directory.
    pub(super) fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| file.path.as_path())
    }

    /// The wall of a pip that reads them: it works where they are, and may build what the checkout holds.
    pub(super) fn wall(&self, dir: &RunDir) -> Wall {
        let wall = Wall::new(&self.work_dir);
        if self.work_dir == dir.checkout() { wall.write(dir.checkout()) } else { wall.copy(dir.join(GIVEN)) }
    }

    /// All files, for error messages.
    pub(super) fn files(&self) -> &[RequirementsFile] {
        &self.files
    }
}

/// The repository that requirements are of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// URL or absolute path.
    pub source_repo: &'a str,
    /// The full hash of the commit.
    pub commit: &'a str,
}

/// The name of what was installed from these files in the cache. `maker`: what else decides what is installed.
///
/// Equal texts need not install equal things. Hashes name every file; then the text is enough. What only the index
/// resolves means the same for every repository, but another thing later, so it is installed again in each period.
/// Anything else may mean other things in another repository or commit, and is never shared with another one.
pub(super) fn cache_name(maker: &str, files: &[RequirementsFile], origin: Origin<'_>, period: u64) -> String {
    let text: String = files.iter().flat_map(|file| [&file.text, "\0"]).collect();
    match pins::of(files) {
        Pins::Hashes => key(maker, &text),
        Pins::Index => format!("{}-{period}", key(maker, &text)),
        Pins::Open => {
            let Origin { source_repo, commit } = origin;
            // A relative path in a file is relative to it.
            let path = files.first().map(|file| file.path.display().to_string()).unwrap_or_default();
            format!("{}-{period}", key(maker, &format!("{source_repo}\0{commit}\0{path}\0{text}")))
        }
    }
}

/// The number of the present period: what is not named by hashes is installed again in each.
pub(super) fn period() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() / PERIOD.as_secs()
}

/// A hash of these requirements and this interpreter.
pub(super) fn key(python: &str, text: &str) -> String {
    let hash = hex::encode(Sha256::new().chain_update(python).chain_update([0]).chain_update(text).finalize());
    hash.get(..32).unwrap_or(&hash).to_owned()
}

/// The requirements file, and all files inside the checkout that it names with `-r` and `-c`.
pub(super) fn read_all(requirements: &Path, checkout: &Path) -> Result<Vec<RequirementsFile>, AnsibleError> {
    let root = checkout.canonicalize().map_err(|error| failed_at(checkout, &error))?;
    let (mut files, mut seen, mut wanted) =
        (Vec::<RequirementsFile>::new(), BTreeSet::new(), vec![requirements.to_owned()]);
    while let Some(path) = wanted.pop() {
        // pip itself reports files that are missing or outside.
        let Ok(path) = path.canonicalize() else { continue };
        let Ok(within) = path.strip_prefix(&root) else { continue };
        if !seen.insert(path.clone()) {
            continue;
        }
        let text = read_plain(&path, TEXT_LIMIT as u64 + 1).map_err(|error| failed_at(&path, &error))?;
        if files.iter().map(|file| file.text.len()).sum::<usize>() + text.len() > TEXT_LIMIT {
            return Err(AnsibleError::Permanent(format!("the requirements are longer than {TEXT_LIMIT} bytes")));
        }
        wanted.extend(text.lines().filter_map(named_file).map(|name| path.with_file_name("").join(name)));
        files.push(RequirementsFile { path: within.to_owned(), text });
    }
    Ok(files)
}

/// The file named by `-r file`, `-rfile`, `--requirement file` or `--requirement=file`, and the same for constraints.
pub(super) fn named_file(line: &str) -> Option<&str> {
    let options = ["--requirement", "--constraint", "-r", "-c"];
    let rest = options.iter().find_map(|option| line.trim().strip_prefix(option))?;
    let name = rest.trim_start_matches([' ', '\t', '=']);
    let name = name.split(" #").next().unwrap_or(name).trim();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn named(text: &str, source_repo: &str, commit: &str, period: u64) -> String {
        let files = [RequirementsFile { path: "requirements.txt".into(), text: text.to_owned() }];
        cache_name("3.11", &files, Origin { source_repo, commit }, period)
    }

    #[test]
    fn what_may_mean_other_things_elsewhere_is_shared_with_nobody() {
        let hash = format!("x==1 --hash=sha256:{}", "0".repeat(64));
        let (ours, theirs) = (("https://git.example/ours", "c1"), ("https://git.example/theirs", "c2"));
        for (text, is_shared, is_for_ever) in [
            (hash.as_str(), true, true),
            ("ansible-core==2.16.1", true, false),
            ("ansible>=2.9", true, false),
            ("./roles/local", false, false),
            ("git+https://git.example/x", false, false),
            ("-r https://git.example/x.txt", false, false),
            ("--index-url https://evil.example/simple\nansible-core==2.16.1", false, false),
        ] {
            let name = named(text, ours.0, ours.1, 7);
            assert_eq!(name, named(text, ours.0, ours.1, 7), "{text}");
            assert_eq!(name == named(text, theirs.0, theirs.1, 7), is_shared, "{text}: another repository");
            assert_eq!(name == named(text, ours.0, "c3", 7), is_shared, "{text}: another commit");
            assert_eq!(name == named(text, ours.0, ours.1, 8), is_for_ever, "{text}: a later period");
        }
    }

    #[test]
    fn the_key_covers_the_files_a_file_names() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(
            "requirements.txt",
            "-r more.txt # why\n--constraint=limits.txt\n-r ../outside.txt\n-r requirements.txt\n",
        );
        write("more.txt", "one");
        write("limits.txt", "two");
        let read = || {
            let files = read_all(&dir.path().join("requirements.txt"), dir.path()).unwrap();
            assert_eq!(files[0].path, Path::new("requirements.txt"));
            files.into_iter().map(|file| file.text + "\0").collect::<String>()
        };
        let before = read();
        assert!(before.contains("one") && before.contains("two"));
        write("more.txt", "three");
        assert_ne!(key("3.11", &before), key("3.11", &read()));
        assert_ne!(key("3.11", &before), key("3.12", &before));
    }
}
