//! The wheels of a repository's `wheels.txt`, so that machines need no network: downloaded on the manager, cached as
//! one tar for each content of the file, and passed to the playbook as [`VARIABLE`].
//!
//! `wheels.txt` is a requirements file of pip. Only wheels are accepted: nothing is built here for other hosts. They
//! are for the Python that runs Ansible, unless a comment `# pip: --python-version 3.12 --platform …` names another.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::inside::{self, Inside};
use super::pip::{self, Pip};
use super::port::AnsibleError;
use super::printing::{self, Printer, failed, failed_at, remove_dir};
use super::requirements::{Origin, RequirementsFile, cache_name, period, read_all};
use super::run_dir::RunDir;
use crate::platform::cache::{self, Hold};
use crate::platform::command::Output;
use crate::platform::files::{lock, open_plain, private_dir};
use crate::platform::sandbox::{self, Wall};

/// The variable with the path of the tar. If the user has set it, it is kept and nothing is downloaded.
pub(super) const VARIABLE: &str = "ocim_wheels";

/// The file's name; the file beside the playbook is preferred over the one at the top of the repository.
const FILE: &str = "wheels.txt";

/// Prefix of a comment with options for `pip download`.
const COMMENT: &str = "# pip:";

/// The options allowed in such a comment; each has a value.
const OPTIONS: &[&str] = &["--python-version", "--platform", "--abi", "--implementation"];

/// Timeout of a download.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Timeout of asking Python for its identity.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Limit for all wheels of a file, in bytes.
const MAX_SIZE: u64 = 2 << 30;

/// Prints what else decides which wheels are downloaded.
const PYTHON: &str = "import sys, platform; print(sys.implementation.cache_tag, platform.machine())";

/// The tar with the wheels, made unless it is cached; none if the repository has no `wheels.txt`.
///
/// # Errors
/// [`AnsibleError::Permanent`] for a requirement without a wheel, a wrong hash, or an invalid comment;
/// [`AnsibleError::Transient`] if the index cannot be reached.
pub(super) async fn ensure(
    (cache_dir, virtualenv): (&Path, &Path),
    playbook_path: &str,
    (dir, origin, inside): (&RunDir, Origin<'_>, &Inside<'_>),
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Option<(PathBuf, Hold)>, AnsibleError> {
    let Some(file) = find(&dir.checkout(), playbook_path) else { return Ok(None) };
    let files = read_all(&file, &dir.checkout())?;
    let Some(first) = files.first() else { return Ok(None) };
    let options = options(first)?;
    let python = python(virtualenv, inside, cancel).await?;
    // The virtualenv's own pip downloads them: only who has the same virtualenv may share them.
    let maker = format!("{python}\0{}", virtualenv.display());
    let parent = cache_dir.join("wheelhouse");
    private_dir(&parent).map_err(|error| failed_at(&parent, &error))?;
    let archive = parent.join(cache_name(&maker, &files, origin, period())).with_extension("tar");
    let held = cache::hold(&archive).map_err(|error| failed_at(&archive, &error))?;
    let _lock = lock(&archive.with_extension("lock"), cancel).await?;
    if archive.is_file() {
        return Ok(Some((archive, held)));
    }
    let name = first.path.display();
    printer.say(format!("Downloading the wheels of {name} (the next run uses them again)")).await?;
    let work = archive.with_extension("partial");
    remove_dir(&work)?;
    private_dir(&work).map_err(|error| failed_at(&work, &error))?;
    let wheels = work.join("wheels");
    private_dir(&wheels).map_err(|error| failed_at(&wheels, &error))?;
    let pip = Pip { inside, virtualenv, verb: "download", has_network: true };
    let log = work.join("log");
    let wall = Wall::new(dir.checkout()).write(dir.checkout()).write(&wheels).watch(&log);
    let mut cell = pip.cell(wall.show_all(inside::virtualenv(virtualenv))).await?;
    cell.command.args(["--only-binary", ":all:", "--dest"]).arg(&wheels).args(options);
    cell.command.arg("-r").arg(&first.path);
    let output = printing::print(cell, &log, LIMIT, cancel, printer).await?;
    let made = match downloaded(&output, &files, &python) {
        Ok(()) => {
            let (from, to) = (wheels, archive.clone());
            tokio::task::spawn_blocking(move || pack(&from, &to)).await.map_err(|error| failed(error.into()))?
        }
        Err(error) => Err(error),
    };
    // Only to free space: it is also removed before the next download.
    drop(remove_dir(&work));
    made.map(|()| Some((archive, held)))
}

fn find(checkout: &Path, playbook_path: &str) -> Option<PathBuf> {
    let root = checkout.canonicalize().ok()?;
    let beside = Path::new(playbook_path).parent().unwrap_or_else(|| Path::new(""));
    let files = [root.join(beside).join(FILE), root.join(FILE)];
    files.into_iter().filter_map(|file| file.canonicalize().ok()).find(|file| file.starts_with(&root) && file.is_file())
}

/// The options for `pip download` in the comments of a file.
fn options(file: &RequirementsFile) -> Result<Vec<String>, AnsibleError> {
    let mut options = Vec::new();
    for (line, number) in file.text.lines().zip(1..) {
        let Some(rest) = line.trim().strip_prefix(COMMENT) else { continue };
        let refused = |why: String| {
            let (path, known) = (file.path.display(), OPTIONS.join(", "));
            AnsibleError::Permanent(format!(
                "{path}, line {number}: {why}; “{COMMENT}” may have {known}, each with a value"
            ))
        };
        let mut words = rest.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        while let Some(option) = words.next() {
            if !OPTIONS.contains(&option) {
                return Err(refused(format!("there is no option “{option}”")));
            }
            let value = words.next().filter(|value| !value.starts_with('-'));
            let value = value.ok_or_else(|| refused(format!("{option} has no value")))?;
            options.extend([option.to_owned(), value.to_owned()]);
        }
    }
    Ok(options)
}

async fn python(virtualenv: &Path, inside: &Inside<'_>, cancel: &CancellationToken) -> Result<String, AnsibleError> {
    let wall = Wall::new("/tmp").show_all(inside::virtualenv(virtualenv));
    let mut cell = inside.cell(virtualenv.join("bin/python"), &wall).await?;
    cell.command.args(["-I", "-c", PYTHON]);
    let Output { success, stdout, stderr, code: _ } = sandbox::capture(cell, ASK_LIMIT, cancel).await?;
    if success {
        return Ok(stdout.trim().to_owned());
    }
    Err(AnsibleError::Transient(format!("the Python of the virtualenv does not run: {}", stderr.trim())))
}

fn downloaded(output: &Output, files: &[RequirementsFile], python: &str) -> Result<(), AnsibleError> {
    pip::judge("the wheels cannot be downloaded", output, files).map_err(|error| match error {
        AnsibleError::Permanent(words) if words.contains("No matching distribution") => {
            AnsibleError::Permanent(format!("{words}; it has no wheel for {python}, and only wheels are taken"))
        }
        AnsibleError::Permanent(words) if words.contains("DO NOT MATCH THE HASHES") => {
            let name = pip::below(&output.stdout, pip::MISMATCH).unwrap_or("a wheel");
            AnsibleError::Permanent(format!(
                "the wheels cannot be downloaded: {name} has none of the hashes that are given"
            ))
        }
        other @ (AnsibleError::Permanent(_)
        | AnsibleError::Transient(_)
        | AnsibleError::Sink(_)
        | AnsibleError::Cancelled) => other,
    })
}

/// Packs a directory of wheels into a tar, atomically.
fn pack(wheels: &Path, archive: &Path) -> Result<(), AnsibleError> {
    let part = wheels.with_extension("tar");
    let mut builder = tar::Builder::new(File::create(&part).map_err(|error| failed_at(&part, &error))?);
    let mut size = 0;
    for (name, path) in list(wheels)? {
        let mut file = open_plain(&path).map_err(|error| failed_at(&path, &error))?;
        let length = file.metadata().map_err(|error| failed_at(&path, &error))?.len();
        size += length;
        if size > MAX_SIZE {
            return Err(AnsibleError::Permanent(format!("the wheels are larger than {} MB together", MAX_SIZE >> 20)));
        }
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(length);
        builder.append_data(&mut header, &name, &mut file).map_err(|error| failed_at(&part, &error))?;
    }
    let file = builder.into_inner().map_err(|error| failed_at(&part, &error))?;
    file.sync_all().and_then(|()| fs::rename(&part, archive)).map_err(|error| failed_at(archive, &error))
}

/// File names and paths, sorted by name.
fn list(wheels: &Path) -> Result<Vec<(String, PathBuf)>, AnsibleError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(wheels).map_err(|error| failed_at(wheels, &error))? {
        let entry = entry.map_err(|error| failed_at(wheels, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".whl") {
            return Err(AnsibleError::Permanent(format!("{name} is no wheel; only wheels are taken")));
        }
        found.push((name, entry.path()));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
#[path = "wheels_tests.rs"]
mod tests;
