//! Collections and roles in `requirements.yml`.

use ocim::ansible::port::{Ansible, AnsibleError, RunOutcome};
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, ansible, ansible_that_reads, load, local_play, open_dir};

/// A repository with the collection `acme.tools`, which has a role `hello`.
fn collection() -> Repository {
    let collection = Repository(open_dir());
    collection.git(&["init", "--quiet", "--initial-branch=master"]);
    let about = "namespace: acme\nname: tools\nversion: 1.0.0\nreadme: README.md\nauthors: [me]\n";
    collection.commit("galaxy.yml", about);
    collection.commit("README.md", "x");
    collection.commit("roles/hello/tasks/main.yml", "- debug: {msg: hello from a collection}\n");
    collection
}

fn role() -> Repository {
    let role = Repository(open_dir());
    role.git(&["init", "--quiet", "--initial-branch=master"]);
    role.commit("tasks/main.yml", "- debug: {msg: hello from a role}\n");
    role.commit(
        "meta/main.yml",
        "galaxy_info: {author: me, description: x, license: MIT, min_ansible_version: '2.9'}\n",
    );
    role
}

#[tokio::test]
async fn collections_and_roles_are_installed_and_the_repositorys_own_stay_found() {
    let play =
        "- hosts: app\n  connection: local\n  gather_facts: false\n  roles: [acme.tools.hello, installed, own]\n";
    let (repository, collection, role) = (Repository::with_playbook(play), collection(), role());
    repository.commit("ansible.cfg", "[defaults]\nroles_path = shared/roles\n");
    repository.commit("shared/roles/own/tasks/main.yml", "- debug: {msg: hello from the repository}\n");
    let collections =
        format!("collections:\n  - {{name: 'git+file://{}', type: git, version: master}}\n", collection.address());
    repository.commit("collections/requirements.yml", &collections);
    let roles = format!("- {{src: 'git+file://{}', name: installed}}\n", role.address());
    repository.commit("playbooks/roles/requirements.yml", &roles);
    let dir = tempfile::tempdir().unwrap();
    let spec = repository.spec(&dir.path().join("run"));
    let ansible = ansible_that_reads(&[collection.0.path(), role.0.path()]);
    let mut taken = Taken::default();
    let prepared = ansible.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await;
    assert_eq!(prepared, Ok(3), "{:#?}", taken.texts());
    let outcome = ansible.run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
    let said = taken.texts().join("\n");
    for words in ["hello from a collection", "hello from a role", "hello from the repository"] {
        assert!(said.contains(words), "{said}");
    }
    // A build with the same files installs nothing.
    let mut taken = Taken::default();
    let next = repository.spec(&dir.path().join("next"));
    ansible.prepare(&load(&next), &mut taken, &CancellationToken::new()).await.unwrap();
    assert!(!taken.texts().iter().any(|text| text.starts_with("Installing")), "{:#?}", taken.texts());
}

#[tokio::test]
async fn what_cannot_be_installed_is_told_in_galaxys_words() {
    let nowhere = "/nonexistent/role";
    for (path, text, words) in [
        (
            "requirements.yml",
            "collections:\n  - {name: ./none.tar.gz, type: file}\n".to_owned(),
            "the collections of requirements.yml cannot be installed: Unable to find collection artifact file at",
        ),
        (
            "roles/requirements.yml",
            format!("- {{src: 'git+file://{nowhere}', name: x}}\n"),
            "the roles of roles/requirements.yml cannot be installed: x was NOT installed successfully: - command",
        ),
        (
            "playbooks/requirements.yml",
            "collections:\n  - name: [\n".to_owned(),
            "did not find expected node content (playbooks/requirements.yml, line 3, column 1)",
        ),
    ] {
        let (repository, dir) =
            (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
        repository.commit(path, &text);
        let spec = repository.load_spec(&dir.path().join("run"));
        let refused = ansible().prepare(&spec, &mut Taken::default(), &CancellationToken::new()).await;
        let Err(AnsibleError::Permanent(message)) = refused else { panic!("{path}: {refused:?}") };
        assert!(message.contains(words) && !message.contains(dir.path().to_str().unwrap()), "{message}");
    }
}

#[tokio::test]
async fn an_unavailable_galaxy_server_is_a_transient_error() {
    let (repository, dir) =
        (Repository::with_playbook(&local_play("    - debug: msg=x\n")), tempfile::tempdir().unwrap());
    let text = "collections:\n  - {name: acme.tools, source: 'http://127.0.0.1:9/', version: 1.0.0}\n";
    repository.commit("requirements.yml", text);
    let spec = repository.load_spec(&dir.path().join("run"));
    let refused = ansible().prepare(&spec, &mut Taken::default(), &CancellationToken::new()).await;
    let Err(AnsibleError::Transient(message)) = refused else { panic!("{refused:?}") };
    assert!(message.contains("Connection refused"), "{message}");
}
