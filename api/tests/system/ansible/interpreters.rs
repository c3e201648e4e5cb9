//! The choice of a virtualenv's interpreter, and requirements that are not in a repository.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use ocim::ansible::port::{Ansible, AnsibleError, Requirements, RunSpec};
use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use tokio_util::sync::CancellationToken;

use super::support::{REQUIREMENTS, Repository, Taken, config, git, load, local_play};

/// A fake interpreter that installs everything, and then fails to load the installed Ansible.
const TOO_NEW: &str = r#"#!/bin/sh
case "$1 $2" in
  "-c "*) echo "a Python of this test: $0" ;;
  "-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  "-I -m") touch "$(dirname "$0")/ansible-playbook" ;;
  *) printf 'Traceback (most recent call last):\nre.error: global flags not at the start of the expression\n' >&2; exit 1 ;;
esac
"#;

const SAID: &str =
    "ansible-playbook does not run with this Python: re.error: global flags not at the start of the expression";

fn too_new(dir: &Path) -> String {
    let path = dir.join("python9.9");
    fs::write(&path, TOO_NEW).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// Prepares a run with these interpreters; gives the result and the output.
async fn prepare(pythons: &[&str], spec: &RunSpec) -> (Result<u32, AnsibleError>, Vec<String>) {
    let pythons = pythons.iter().map(|name| (*name).to_owned()).collect();
    let ansible = AnsibleCore::new(AnsibleConfig { pythons, ..config() }, Arc::new(git()));
    let mut taken = Taken::default();
    let prepared = ansible.prepare(&load(spec), &mut taken, &CancellationToken::new()).await;
    (prepared, taken.texts().into_iter().map(str::to_owned).collect())
}

#[tokio::test]
async fn the_first_interpreter_that_ansible_runs_with_is_taken() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    let too_new = too_new(dir.path());
    let requirements = format!("{REQUIREMENTS}# {}\n", dir.path().display());
    let spec = |name: &str| RunSpec {
        requirements: Requirements::Text(requirements.clone()),
        ..repository.spec(&dir.path().join(name))
    };
    let (prepared, said) = prepare(&["/nonexistent/python", &too_new, "python3"], &spec("first")).await;
    assert_eq!(prepared, Ok(1), "{said:?}");
    assert!(said.contains(&format!("{too_new} does not fit these requirements: {SAID}")), "{said:?}");
    let (prepared, said) = prepare(&[&too_new, "python3"], &spec("second")).await;
    assert_eq!(prepared, Ok(1));
    assert!(!said.iter().any(|line| line.contains("virtualenv") || line.contains("does not fit")), "{said:?}");
}

#[tokio::test]
async fn a_build_without_a_fitting_interpreter_ends_with_what_each_said() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    let too_new = too_new(dir.path());
    let spec = repository.spec(&dir.path().join("run"));
    let (prepared, _) = prepare(&["/nonexistent/python", &too_new], &spec).await;
    let Err(AnsibleError::Permanent(message)) = prepared else { panic!("{prepared:?}") };
    assert!(
        message.starts_with("no interpreter of OCIM_PYTHONS fits the requirements. /nonexistent/python: "),
        "{message}"
    );
    assert!(message.contains("the Python «/nonexistent/python» does not run"), "{message}");
    assert!(message.ends_with(&format!(" · {too_new}: {SAID}")), "{message}");
    let (prepared, _) = prepare(&[&too_new], &spec).await;
    assert_eq!(prepared, Err(AnsibleError::Permanent(SAID.to_owned())));
}

#[tokio::test]
async fn requirements_of_an_instance_are_installed_without_a_file_in_the_repository() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    repository.git(&["rm", "--quiet", "requirements.txt"]);
    repository.commit("other", "x");
    let spec = |name: &str, text: &str| RunSpec {
        requirements: Requirements::Text(text.to_owned()),
        ..repository.spec(&dir.path().join(name))
    };
    assert_eq!(prepare(&["python3"], &spec("right", REQUIREMENTS)).await.0, Ok(1));
    let (prepared, _) = prepare(&["python3"], &spec("wrong", "--no-index\nno-such-thing-as-this-package==77\n")).await;
    let Err(AnsibleError::Permanent(message)) = prepared else { panic!("{prepared:?}") };
    assert!(message.ends_with("(given-requirements.txt, line 2)"), "{message}");
    let (prepared, _) = prepare(&["python3"], &repository.spec(&dir.path().join("file"))).await;
    let Err(AnsibleError::Permanent(message)) = prepared else { panic!("{prepared:?}") };
    assert_eq!(message, "the repository has no requirements file «requirements.txt» at this version");
}
