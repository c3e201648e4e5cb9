//! Submodules, and files that are not fetched.

use ocim::ansible::port::{Ansible, AnsibleError};
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, ansible, local_play, open_dir, prepare};

/// A repository with a role that has this many tasks.
fn role(tasks: usize) -> Repository {
    let role = Repository(open_dir());
    role.git(&["init", "--quiet", "--initial-branch=master"]);
    role.commit("tasks/main.yml", &"- debug: msg=x\n".repeat(tasks));
    role
}

impl Repository {
    /// Adds a submodule by its URL, at the commit that `of` is at now.
    fn add_submodule(&self, of: &Repository, url: &str, path: &str) {
        self.record(of, path);
        let section = format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
        let before = std::fs::read_to_string(self.0.path().join(".gitmodules")).unwrap_or_default();
        self.commit_file(".gitmodules", &(before + &section));
    }

    /// Records the current commit of another repository as the submodule's.
    fn record(&self, of: &Repository, path: &str) {
        let commit = of.git(&["rev-parse", "HEAD"]);
        self.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    }

    /// Commits one file together with what is in the index.
    fn commit_file(&self, path: &str, text: &str) -> String {
        let file = self.0.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self.git(&["add", path]);
        self.git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=x"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

fn with_role() -> Repository {
    Repository::with_playbook("- hosts: app\n  gather_facts: false\n  roles: [shared]\n")
}

/// Why a checkout is refused. Asserts that no local path is in the reason.
async fn refusal(repository: &Repository) -> String {
    let dir = tempfile::tempdir().unwrap();
    let refused = ansible()
        .prepare(&repository.load_spec(&dir.path().join("run")), &mut Taken::default(), &CancellationToken::new())
        .await;
    let Err(AnsibleError::Permanent(message)) = refused else { panic!("{refused:?}") };
    assert!(!message.contains(dir.path().to_str().unwrap()), "{message}");
    message
}

#[tokio::test]
async fn submodules_are_at_the_commits_that_are_recorded() {
    let (inner, shared, repository) = (role(1), role(2), with_role());
    shared.add_submodule(&inner, &inner.address(), "files/inner");
    repository.add_submodule(&shared, &shared.address(), "playbooks/roles/shared");
    // Later commits of a submodule are ignored until they are recorded.
    inner.commit("later", "x");
    shared.git(&["update-index", "--force-remove", "files/inner"]);
    shared.commit_file("tasks/main.yml", &"- debug: msg=x\n".repeat(5));
    let dir = tempfile::tempdir().unwrap();
    let spec = repository.spec(&dir.path().join("run"));
    assert_eq!(prepare(&spec).await, 2);
    let within = spec.dir.join("checkout/playbooks/roles/shared/files/inner");
    assert!(within.join("tasks/main.yml").is_file() && !within.join("later").exists());
    repository.record(&shared, "playbooks/roles/shared");
    repository.commit_file("x", "x");
    let spec = repository.spec(&dir.path().join("next"));
    assert_eq!(prepare(&spec).await, 5);
}

#[tokio::test]
async fn a_relative_url_is_relative_to_the_repository() {
    let (shared, repository) = (role(3), with_role());
    let name = shared.0.path().file_name().unwrap().to_str().unwrap().to_owned();
    repository.add_submodule(&shared, &format!("../{name}"), "playbooks/roles/shared");
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(prepare(&repository.spec(dir.path())).await, 3);
    let mut by_url = repository.spec(&dir.path().join("by-url"));
    by_url.source_repo = format!("file://{}", repository.address());
    assert_eq!(prepare(&by_url).await, 3);
}

#[tokio::test]
async fn a_commit_that_only_another_reference_holds_is_found() {
    let (shared, repository) = (role(2), with_role());
    shared.git(&["checkout", "--quiet", "--detach"]);
    shared.commit("tasks/main.yml", &"- debug: msg=x\n".repeat(4));
    shared.git(&["update-ref", "refs/pull/7/head", "HEAD"]);
    repository.add_submodule(&shared, &shared.address(), "playbooks/roles/shared");
    shared.git(&["checkout", "--quiet", "master"]);
    assert_eq!(prepare(&repository.spec(tempfile::tempdir().unwrap().path())).await, 4);
}

#[tokio::test]
async fn an_unavailable_submodule_is_named() {
    let (shared, path) = (role(1), "playbooks/roles/shared");
    let commit = shared.git(&["rev-parse", "HEAD"]);
    let unknown = with_role();
    unknown.record(&shared, path);
    unknown.commit_file("x", "x");
    let message = refusal(&unknown).await;
    assert!(message.contains("the submodule playbooks/roles/shared has no entry in .gitmodules"), "{message}");

    let gone = with_role();
    gone.add_submodule(&shared, "/nonexistent/roles.git", path);
    let message = refusal(&gone).await;
    let words = format!(
        "the submodule {path} (commit {commit}) cannot be checked out: roles: /nonexistent/roles.git cannot be read"
    );
    assert!(message.contains(&words), "{message}");

    let moved = with_role();
    moved.add_submodule(&shared, &role(1).address(), path);
    let other = role(9);
    moved.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.url"), &other.address()]);
    moved.git(&["add", ".gitmodules"]);
    moved.commit_file("x", "x");
    let message = refusal(&moved).await;
    let words = format!("{} has no branch, tag or commit «{commit}»", other.address());
    assert!(
        message.contains(&format!("the submodule {path} (commit {commit}) cannot be")) && message.contains(&words),
        "{message}"
    );

    for (url, words) in [("ext::sh -c date", "must be a URL"), ("--upload-pack=touch /tmp/x", "must be a URL")] {
        let bad = with_role();
        bad.add_submodule(&shared, url, path);
        let message = refusal(&bad).await;
        assert!(
            message.contains(&format!("the submodule {path} cannot be checked out")) && message.contains(words),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_gitmodules_leaves_out_is_left_out() {
    let (shared, repository) = (role(1), Repository::with_playbook(&local_play("    - debug: msg=x\n")));
    repository.add_submodule(&shared, "https://git.invalid/none.git", "docs/theme");
    repository.git(&["config", "--file", ".gitmodules", "submodule.docs/theme.update", "none"]);
    repository.git(&["add", ".gitmodules"]);
    repository.commit_file("x", "x");
    let (mut taken, dir) = (Taken::default(), tempfile::tempdir().unwrap());
    let loaded = ansible().prepare(&repository.load_spec(dir.path()), &mut taken, &CancellationToken::new()).await;
    assert_eq!(loaded, Ok(1));
    let told = "Leaving out the submodule docs/theme: .gitmodules says “update = none”";
    assert!(taken.texts().contains(&told), "{:#?}", taken.texts());
}

#[tokio::test]
async fn recursive_submodules_are_refused() {
    let repository = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    repository.add_submodule(&repository, &repository.address(), "again");
    for _ in 0..12 {
        repository.record(&repository, "again");
        repository.commit_file("count", &repository.git(&["rev-parse", "HEAD"]));
    }
    let message = refusal(&repository).await;
    assert!(message.contains("again/again/again is nested deeper than 10 submodules"), "{message}");
}

#[tokio::test]
async fn files_that_are_not_followed_are_refused() {
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
        oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let lfs = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    lfs.commit("README.md", &format!("# Large files\n\n{pointer}"));
    assert_eq!(prepare(&lfs.spec(tempfile::tempdir().unwrap().path())).await, 1, "a text about pointers is none");
    lfs.commit("files/a.tar.gz", pointer);
    lfs.commit("files/b.tar.gz", pointer);
    let message = refusal(&lfs).await;
    let words =
        "the repository keeps 2 files (first: files/a.tar.gz) in Git LFS, which ocim does not fetch. Commit the files";
    assert!(message.contains(words), "{message}");

    let crypt = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    crypt.commit(".gitattributes", "secrets/** filter=git-crypt diff=git-crypt\n");
    assert_eq!(prepare(&crypt.spec(tempfile::tempdir().unwrap().path())).await, 1, "the filter has no file");
    crypt.commit("secrets/key", "\0GITCRYPT\0x");
    let message = refusal(&crypt).await;
    let words =
        "keeps 1 file (first: secrets/key) behind the git filter “git-crypt” (.gitattributes), which ocim does not run";
    assert!(message.contains(words), "{message}");

    let annex = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    std::os::unix::fs::symlink(".git/annex/objects/x/SHA256E-s1--0", annex.0.path().join("large")).unwrap();
    annex.commit("x", "x");
    let message = refusal(&annex).await;
    assert!(message.contains("keeps 1 file (first: large) in git-annex, which ocim does not fetch"), "{message}");

    let (shared, within) = (role(1), with_role());
    shared.commit("files/a.tar.gz", pointer);
    within.add_submodule(&shared, &shared.address(), "playbooks/roles/shared");
    let message = refusal(&within).await;
    assert!(message.contains("the submodule playbooks/roles/shared") && message.contains("in Git LFS"), "{message}");
}
