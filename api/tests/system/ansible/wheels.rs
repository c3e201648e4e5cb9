//! The wheels in a repository's `wheels.txt`: their download, and the tar that the playbook gets.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ocim::ansible::port::{Ansible, AnsibleError, RunOutcome};
use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, ansible_that_reads, config, git, load, local_play, open_dir, sandbox};

const WHEEL: &str = "tiny-1-py3-none-any.whl";

/// Makes a wheel that `pip` accepts.
const MAKE_WHEEL: &str = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('tiny.py', '')
    wheel.writestr('tiny-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n')
    wheel.writestr('tiny-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.dist-info/RECORD', 'tiny.py,,\\n')
";

/// A directory with the wheel `tiny`, and the first lines of a `wheels.txt` that uses only this directory.
fn index() -> (TempDir, String) {
    let dir = open_dir();
    let status = Command::new("python3").args(["-c", MAKE_WHEEL]).arg(dir.path().join(WHEEL)).status().unwrap();
    assert!(status.success());
    let head = format!("--no-index\n--find-links {}\n", dir.path().display());
    (dir, head)
}

/// A repository whose playbook lists the content of the tar.
fn repository() -> Repository {
    Repository::with_playbook(&local_play(
        "    - command: tar -tf {{ ocim_wheels }}\n      register: it\n    - debug: var=it.stdout\n",
    ))
}

async fn refused(text: &str, index: &Path, dir: &Path) -> AnsibleError {
    let repository = repository();
    repository.commit("wheels.txt", text);
    let spec = repository.load_spec(dir);
    ansible_that_reads(&[index]).prepare(&spec, &mut Taken::default(), &CancellationToken::new()).await.unwrap_err()
}

#[tokio::test]
async fn the_playbook_gets_a_tar_that_is_downloaded_once() {
    let (repository, (index, head), dir) = (repository(), index(), tempfile::tempdir().unwrap());
    repository.commit("wheels.txt", &format!("{head}tiny==1\n"));
    // The virtualenv is the shared one; the wheels' cache is new, so that it has nothing of an earlier test.
    let cache_dir = dir.path().join("cache");
    std::fs::create_dir(&cache_dir).unwrap();
    std::fs::create_dir_all(config().cache_dir.join("venv")).unwrap();
    std::os::unix::fs::symlink(config().cache_dir.join("venv"), cache_dir.join("venv")).unwrap();
    let ansible =
        AnsibleCore::new(AnsibleConfig { cache_dir, sandbox: sandbox(&[index.path()]), ..config() }, Arc::new(git()));
    let download = "Downloading the wheels of wheels.txt (the next run uses them again)";
    let mut downloads = Vec::new();
    for name in ["first", "second"] {
        let spec = repository.spec(&dir.path().join(name));
        let mut taken = Taken::default();
        ansible.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await.unwrap();
        downloads.push(taken.texts().contains(&download));
        let outcome = ansible.run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
        assert!(taken.texts().join("\n").contains(WHEEL), "{:#?}", taken.texts());
    }
    assert_eq!(downloads, [true, false]);
}

#[tokio::test]
async fn a_tar_that_the_variables_name_is_taken_and_nothing_is_downloaded() {
    let (repository, dir) = (repository(), tempfile::tempdir().unwrap());
    repository.commit("wheels.txt", "no-such-package==1\n");
    let own = open_dir();
    let tar = own.path().join("own.tar");
    let status = Command::new("tar").arg("-cf").arg(&tar).args(["-C", "/etc", "hostname"]).status().unwrap();
    assert!(status.success());
    let mut spec = repository.spec(&dir.path().join("run"));
    spec.variables.insert("ocim_wheels".to_owned(), tar.display().to_string().into());
    let mut taken = Taken::default();
    let ansible = ansible_that_reads(&[own.path()]);
    ansible.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await.unwrap();
    let outcome = ansible.run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
    assert!(taken.texts().join("\n").contains("hostname"), "{:#?}", taken.texts());
}

#[tokio::test]
async fn a_wheel_that_is_not_to_be_had_ends_the_build_with_its_name() {
    let ((index, head), dir) = (index(), tempfile::tempdir().unwrap());
    let wrong = "0".repeat(64);
    for (number, text, words) in [
        (
            1,
            format!("{head}other==2\n"),
            "No matching distribution found for other==2 (wheels.txt, line 3); it has no wheel for",
        ),
        (2, format!("{head}tiny==1 --hash=sha256:{wrong}\n"), "tiny==1 has none of the hashes that are given"),
        (
            3,
            "# pip: --index-url https://x.example\n".to_owned(),
            "wheels.txt, line 1: there is no option “--index-url”",
        ),
    ] {
        let error = refused(&text, index.path(), &dir.path().join(number.to_string())).await;
        let AnsibleError::Permanent(message) = error else { panic!("{text}: {error:?}") };
        assert!(message.contains(words), "{message}");
    }
}
