//! Playbooks that cannot be loaded: Ansible's own message with file, line and column, for each version in
//! `OCIM_TEST_ANSIBLE_VERSIONS` (`2.10,2.12,2.16,2.19`; by default the suite's).

use std::path::Path;

use ocim::ansible::port::{Ansible, AnsibleError, LoadSpec};
use tokio_util::sync::CancellationToken;

use super::support::{REQUIREMENTS, Repository, Taken, ansible, local_play};

/// A version of Ansible to load playbooks with.
#[derive(Debug, Clone)]
struct Version {
    requirements: String,
    /// 216 for 2.16. `None`: the suite's version, which is newer than 2.15.
    number: Option<u32>,
}

fn versions() -> Vec<Version> {
    let Ok(list) = std::env::var("OCIM_TEST_ANSIBLE_VERSIONS") else {
        return vec![Version { requirements: REQUIREMENTS.to_owned(), number: None }];
    };
    let version = |name: &str| {
        let minor: u32 = name.strip_prefix("2.").unwrap().parse().unwrap();
        let requirements = match minor {
            // The package's name in this version only. Its templates need functions that Jinja2 3.1 removed.
            10 => "ansible-base==2.10.17\njinja2<3.1\n".to_owned(),
            minor => format!("ansible-core>=2.{minor},<2.{}\n", minor + 1),
        };
        Version { requirements, number: Some(200 + minor) }
    };
    list.split(',').map(str::trim).map(version).collect()
}

/// A repository with these files beside a playbook.
fn repository(version: &Version, playbook: &str, files: &[(&str, &str)]) -> Repository {
    let repository = Repository::with_playbook(playbook);
    for (path, text) in [("requirements.txt", version.requirements.as_str())].iter().chain(files) {
        if *path != "requirements.txt" || *text != REQUIREMENTS {
            repository.commit(path, text);
        }
    }
    repository
}

async fn load(spec: &LoadSpec) -> (Result<u32, AnsibleError>, Taken) {
    let mut taken = Taken::default();
    (ansible().prepare(spec, &mut taken, &CancellationToken::new()).await, taken)
}

/// Why a playbook cannot be loaded. Asserts that the reason has no local path, and that no file with variables is left.
async fn refusal(repository: &Repository, dir: &Path) -> String {
    let spec = repository.load_spec(&dir.join("0-loaded"));
    let (loaded, _) = load(&spec).await;
    let Err(AnsibleError::Permanent(message)) = loaded else { panic!("{loaded:?}") };
    assert!(!message.contains(dir.to_str().unwrap()), "{message}");
    assert!(!spec.dir.join("variables.json").exists(), "the variables are gone");
    message
}

/// A play with these lines.
fn play(lines: &str) -> String {
    format!("- hosts: app\n  gather_facts: false\n{lines}")
}

/// A file that needs a vault password.
const VAULT: &str = "$ANSIBLE_VAULT;1.1;AES256\n6162630a\n";

/// A kind of playbook that cannot be loaded.
struct Kind {
    name: &'static str,
    playbook: String,
    /// Path and text of a file beside the playbook.
    file: Option<(&'static str, &'static str)>,
    /// The parts of the reason that all versions share.
    words: &'static [&'static str],
}

fn kind(
    name: &'static str,
    playbook: String,
    file: Option<(&'static str, &'static str)>,
    words: &'static [&'static str],
) -> Kind {
    Kind { name, playbook, file, words }
}

fn kinds() -> Vec<Kind> {
    let task = || play("  tasks:\n    - debug: {msg: x}\n");
    vec![
        kind(
            "a role",
            play("  roles:\n    - nope\n"),
            None,
            &["the role 'nope' was not found (playbooks/site.yml, line 4, column 7)"],
        ),
        kind(
            "a role that a role needs",
            play("  roles: [has]\n"),
            Some(("playbooks/roles/has/meta/main.yml", "dependencies: [nope]\n")),
            &["the role 'nope' was not found (playbooks/roles/has/meta/main.yml, line 1, column 16)"],
        ),
        kind(
            "a playbook that is no YAML",
            "- hosts: app\n  tasks:\n    - debug: {msg: hi\n".to_owned(),
            None,
            &["did not find expected ',' or '}'", "(playbooks/site.yml, line 4, column 1)"],
        ),
        kind(
            "a role's tasks that are no YAML",
            play("  roles: [broken]\n"),
            Some(("playbooks/roles/broken/tasks/main.yml", "- name: a\n  debug:\n   msg: [\n")),
            &["(playbooks/roles/broken/tasks/main.yml, line 4, column 1)"],
        ),
        kind(
            "variables of a group that are no YAML",
            task(),
            Some(("playbooks/group_vars/all.yml", "a: [1\nb: 2\n")),
            &["did not find expected ',' or ']'", "(playbooks/group_vars/all.yml, line 2, column 2)"],
        ),
        kind(
            "a module, or the collection it is in",
            play("  tasks:\n    - no.such.module: {}\n"),
            None,
            &["couldn't resolve module/action 'no.such.module'", "(playbooks/site.yml, line 4, column 7)"],
        ),
        kind(
            "a key that plays have not",
            play("  taks: []\n"),
            None,
            &["'taks' is not a valid attribute for a Play (playbooks/site.yml, line "],
        ),
        kind(
            "a file of tasks",
            play("  tasks:\n    - import_tasks: none.yml\n"),
            None,
            &["Could not find or access 'playbooks/none.yml'"],
        ),
        kind(
            "a vault's password",
            task(),
            Some(("playbooks/ansible.cfg", "[defaults]\nvault_password_file = ~/.vault_pass\n")),
            &["The vault password file ~/.vault_pass was not found"],
        ),
        kind(
            "a vault without a password",
            task(),
            Some(("playbooks/group_vars/all/vault.yml", VAULT)),
            &["Attempting to decrypt but no vault secrets found"],
        ),
        kind(
            "the configuration",
            task(),
            Some(("ansible.cfg", "defaults\n")),
            &["Error reading config file (ansible.cfg): File contains no section headers."],
        ),
    ]
}

#[tokio::test]
async fn what_cannot_be_loaded_is_told_in_ansibles_words_with_file_line_and_column() {
    for version in versions() {
        for Kind { name, playbook, file, words } in kinds() {
            let dir = tempfile::tempdir().unwrap();
            let message = refusal(&repository(&version, &playbook, file.as_slice()), dir.path()).await;
            assert!(message.starts_with("playbooks/site.yml cannot be loaded: "), "{name}: {message}");
            for words in words {
                assert!(message.contains(words), "{name} with {version:?}: {message}");
            }
            assert!(!message.contains("as JSON"), "{name}: {message}");
        }
    }
}

#[tokio::test]
async fn a_vars_file_that_is_missing_is_refused_or_told() {
    let first = play("  vars_files: [secret/missing.yml]\n  tasks:\n    - debug: {msg: x}\n");
    let later = format!("{}{first}", play("  tasks:\n    - debug: {msg: y}\n"));
    let words = "playbooks/site.yml: vars file secret/missing.yml was not found";
    for version in versions() {
        let ignores = version.number.is_none_or(|number| number >= 215);
        let dir = tempfile::tempdir().unwrap();
        let with_first = repository(&version, &first, &[]);
        if ignores {
            let (loaded, taken) = load(&with_first.load_spec(&dir.path().join("first"))).await;
            assert_eq!(loaded, Ok(1));
            let told = format!("{words}; this version of Ansible goes on without it");
            assert!(taken.texts().contains(&told.as_str()), "{version:?}: {:#?}", taken.texts());
        } else {
            let message = refusal(&with_first, dir.path()).await;
            assert!(message.contains("vars file secret/missing.yml was not found"), "{version:?}: {message}");
        }
        let (loaded, taken) = load(&repository(&version, &later, &[]).load_spec(&dir.path().join("later"))).await;
        assert!(loaded.is_ok(), "the play before may write the file: {version:?}: {loaded:?}");
        assert!(taken.texts().iter().any(|text| text.starts_with(words)), "{version:?}: {:#?}", taken.texts());
    }
}

#[tokio::test]
async fn loading_runs_no_task_and_connects_to_nothing() {
    for version in versions() {
        let dir = tempfile::tempdir().unwrap();
        let ran = dir.path().join("ran");
        // Without --tags, Ansible would gather facts from the missing machine; each task would leave a file.
        let touch = |tags: &str| {
            format!("    - command: touch {}\n      delegate_to: localhost\n      tags: [{tags}]\n", ran.display())
        };
        let playbook = format!(
            "- hosts: app\n  tags: [of-the-play]\n  tasks:\n{}{}{}- hosts: localhost\n  connection: local\n  tasks:\n{}",
            touch("always"),
            touch("never"),
            touch("deploy"),
            touch("always"),
        );
        let files = [("playbooks/ansible.cfg", "[defaults]\nforks = 1\n[tags]\nrun = deploy,always\nskip = other\n")];
        let (loaded, taken) = load(&repository(&version, &playbook, &files).load_spec(&dir.path().join("run"))).await;
        assert!(loaded.is_ok_and(|count| count >= 2), "{version:?}: {:#?}", taken.texts());
        assert!(!ran.exists(), "a task ran: {version:?}");
    }
}

#[tokio::test]
async fn facts_that_are_not_known_yet_refuse_nothing() {
    let playbook = "- hosts: app\n  vars_files:\n    - ['{{ ansible_distribution }}.yml', default.yml]\n    \
                    - '{{ ansible_os_family }}.yml'\n  vars_prompt: [{name: x, prompt: x}]\n  tasks:\n    \
                    - debug: {msg: '{{ undefined }}'}\n    - include_role: {name: known_later}\n";
    for version in versions() {
        let dir = tempfile::tempdir().unwrap();
        let repository = repository(&version, playbook, &[("playbooks/default.yml", "a: 1\n")]);
        let (loaded, taken) = load(&repository.load_spec(&dir.path().join("run"))).await;
        assert_eq!(loaded, Ok(2), "{version:?}: {:#?}", taken.texts());
    }
}

#[tokio::test]
async fn a_playbook_that_is_loaded_is_not_loaded_again() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    let mut spec = repository.load_spec(&dir.path().join("run"));
    spec.commit = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(load(&spec).await.0, Ok(1));
    let (again, taken) = load(&spec).await;
    assert_eq!((again, taken.texts()), (Ok(1), vec![]), "it was checked out again");
    // Another playbook, commit or variable is loaded again.
    spec.variables.insert("other".to_owned(), 1.into());
    assert_eq!(load(&spec).await.0, Ok(1));
    let next = repository.commit("playbooks/site.yml", &local_play("    - debug: msg=x\n    - debug: msg=y\n"));
    assert_eq!(load(&LoadSpec { commit: next, ..spec.clone() }).await.0, Ok(2));
    // A load that did not complete is repeated.
    std::fs::remove_file(spec.dir.join("prepared.json")).unwrap();
    assert_eq!(load(&spec).await.0, Ok(1));
}

#[tokio::test]
async fn a_killed_ansible_is_a_transient_error() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    // A plugin of the repository that kills Ansible as the kernel does when memory is short.
    let kills = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n";
    repository.commit("playbooks/vars_plugins/kills.py", kills);
    let (loaded, _) = load(&repository.load_spec(&dir.path().join("run"))).await;
    assert!(matches!(loaded, Err(AnsibleError::Transient(_))), "{loaded:?}");
}
