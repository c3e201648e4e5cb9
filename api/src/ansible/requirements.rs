//! Requirements in the form that pip gets, and a key of their content.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::port::{AnsibleError, Requirements};
use super::printing::failed_at;
use super::run_dir::RunDir;
use crate::platform::sandbox::Wall;

/// Limit for the requirements files and the files they name, in total, in bytes.
const TEXT_LIMIT: usize = 1 << 20;

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
    text: String,
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
        let text = files.iter().flat_map(|file| [&file.text, "\0"]).collect();
        Ok(Self { files, text, work_dir })
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

    /// The text of all files.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
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
        let bytes = fs::read(&path).map_err(|error| failed_at(&path, &error))?;
        if files.iter().map(|file| file.text.len()).sum::<usize>() + bytes.len() > TEXT_LIMIT {
            return Err(AnsibleError::Permanent(format!("the requirements are longer than {TEXT_LIMIT} bytes")));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        wanted.extend(text.lines().filter_map(named_file).map(|name| path.with_file_name("").join(name)));
        files.push(RequirementsFile { path: within.to_owned(), text });
    }
    Ok(files)
}

/// The file named by `-r file`, `-rfile`, `--requirement file` or `--requirement=file`, and the same for constraints.
fn named_file(line: &str) -> Option<&str> {
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
