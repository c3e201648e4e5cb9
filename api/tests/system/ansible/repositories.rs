//! Branches, tags and commits, and references that do not exist.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use ocim::ansible::port::{Ansible, AnsibleError};
use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use ocim::ansible::virtualenv::fill_wheels;
use ocim::git::port::{Git, GitError};
use tokio_util::sync::CancellationToken;

use super::support::{
    REQUIREMENTS, Repository, Taken, all_arguments, ansible, config, git, git_from, git_without_walls, load,
    local_play, prepare,
};

fn empty() -> Repository {
    Repository::with_playbook(&local_play("    - debug: msg=x\n"))
}

#[tokio::test]
async fn a_branch_follows_the_repository_and_a_tag_gives_its_commit() {
    let (repository, git) = (empty(), git());
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "plain"]);
    repository.git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "tag", "-m", "x", "annotated"]);
    repository.git(&["branch", "open-release/x.1"]);
    let resolve = async |version: &str| git.resolve(&repository.address(), version).await.unwrap();
    for version in
        ["master", "plain", "annotated", "open-release/x.1", "refs/heads/master", "HEAD", &first, &first[..9]]
    {
        assert_eq!(resolve(version).await, first, "{version}");
    }
    let second = repository.commit("another", "file");
    assert_eq!((resolve("master").await, resolve("plain").await), (second, first));
    // A full hash is not resolved at the remote.
    let unknown = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(git.resolve("https://192.0.2.1/none.git", unknown).await.unwrap(), unknown);
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_its_repository() {
    let (repository, git) = (empty(), git());
    let address = repository.address();
    let name = address.rsplit('/').next().unwrap();
    for version in ["no-such-branch", "deadbeef", "*", "", "--upload-pack=x"] {
        let expected = format!("{name}: {address} has no branch, tag or commit «{version}»");
        assert_eq!(git.resolve(&address, version).await, Err(GitError::Permanent(expected)));
    }
    for bad in ["/nonexistent/configuration.git", "file:///nonexistent/configuration"] {
        let Err(GitError::Permanent(message)) = git.resolve(bad, "master").await else { panic!("{bad}") };
        assert!(
            message.starts_with(&format!("configuration: {bad} cannot be read: there is no such repository")),
            "{message}"
        );
    }
    for bad in
        ["ext::sh -c date", "relative/path", "ftp://example.com/x", "-x:y", "a\nb", "ssh://user:hunter2@example.com/x"]
    {
        let Err(GitError::Permanent(message)) = git.resolve(bad, "master").await else { panic!("{bad}") };
        assert!(message.starts_with("the repository's address") && !message.contains("hunter2"), "{message}");
    }
    let refused = git_from(&["http://127.0.0.1:9/*"]).resolve("http://user:password@127.0.0.1:9/x.git", "master").await;
    let Err(GitError::Transient(message)) = refused else { panic!("{refused:?}") };
    assert!(message.starts_with("x: http://127.0.0.1:9/x.git cannot be read now"), "{message}");
}

#[tokio::test]
async fn a_checkout_has_exactly_the_files_of_the_commit() {
    let (repository, dir) = (empty(), tempfile::tempdir().unwrap());
    repository.commit(".gitattributes", "hidden export-ignore\n");
    let with = repository.commit("hidden", "kept all the same");
    repository.git(&["rm", "--quiet", "hidden"]);
    let without = repository.commit("later", "x");
    let mut spec = repository.spec(&dir.path().join("run"));
    spec.commit = with;
    assert_eq!(prepare(&spec).await, 1);
    assert_eq!(std::fs::read_to_string(spec.dir.join("checkout/hidden")).unwrap(), "kept all the same");
    spec.commit = without;
    prepare(&spec).await;
    assert!(!spec.dir.join("checkout/hidden").exists() && spec.dir.join("checkout/later").exists());
    // A commit that is on no branch is fetched by its hash.
    repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    repository.git(&["checkout", "--quiet", "--detach"]);
    spec.commit = repository.commit("alone", "x");
    repository.git(&["checkout", "--quiet", "master"]);
    prepare(&spec).await;
    assert!(spec.dir.join("checkout/alone").exists());
}

#[tokio::test]
async fn a_repository_of_another_user_is_read() {
    let (repository, dir) = (empty(), tempfile::tempdir().unwrap());
    for path in [repository.0.path().to_owned(), repository.0.path().join(".git")] {
        std::os::unix::fs::chown(path, Some(12345), Some(12345)).unwrap();
    }
    assert_eq!(prepare(&repository.spec(dir.path())).await, 1);
}

#[tokio::test]
async fn a_damaged_mirror_is_made_anew() {
    let (repository, dir) = (empty(), tempfile::tempdir().unwrap());
    let spec = repository.spec(dir.path());
    prepare(&spec).await;
    let mirrors = std::fs::read_dir(config().cache_dir.join("git")).unwrap().flatten();
    let is_ours = |path: &std::path::Path| path.join("packed-refs").exists() || path.join("refs/heads/master").exists();
    let head = repository.git(&["rev-parse", "HEAD"]);
    let mirror = mirrors.map(|entry| entry.path()).find(|path| {
        is_ours(path) && std::fs::read_to_string(path.join("refs/heads/master")).is_ok_and(|text| text.trim() == head)
    });
    std::fs::write(mirror.unwrap().join("refs/heads/master.lock"), "").unwrap();
    repository.commit("next", "x");
    prepare(&spec).await;
    assert!(spec.dir.join("checkout/next").exists());
}

#[tokio::test]
async fn a_missing_playbook_or_requirement_is_permanent() {
    let (repository, dir) = (empty(), tempfile::tempdir().unwrap());
    let refused =
        async |spec| match ansible().prepare(&load(&spec), &mut Taken::default(), &CancellationToken::new()).await {
            Err(AnsibleError::Permanent(message)) => message,
            other => panic!("{other:?}"),
        };
    let mut spec = repository.spec(dir.path());
    spec.playbook_path = "playbooks/none.yml".to_owned();
    assert_eq!(refused(spec.clone()).await, "the repository has no playbook «playbooks/none.yml» at this version");
    spec.playbook_path = "../../../../../../../../etc/passwd".to_owned();
    assert!(refused(spec).await.ends_with("is no file of the repository"));
    repository.commit("requirements.txt", "no-such-thing-as-this-package==77\n");
    let message = refused(repository.spec(dir.path())).await;
    assert!(message.contains("No matching distribution found for no-such-thing-as-this-package==77"), "{message}");
    repository.commit("requirements.txt", &REQUIREMENTS.replace("ansible-core", "# ansible-core"));
    assert!(refused(repository.spec(dir.path())).await.contains("add ansible-core"));
}

#[tokio::test]
async fn wheels_in_the_cache_are_installed_without_an_index() {
    let (repository, dir) = (empty(), tempfile::tempdir().unwrap());
    let config = AnsibleConfig { cache_dir: dir.path().join("cache"), ..config() };
    let mut progress = Vec::new();
    for expected in [true, false] {
        progress.clear();
        fill_wheels(&config, "packaging\n", &mut |line| progress.push(line.to_owned())).await.unwrap();
        assert_eq!(!progress.is_empty(), expected, "the second time there is nothing to do: {progress:?}");
    }
    repository.commit("requirements.txt", "packaging # as in the cache\n");
    let mut taken = Taken::default();
    let spec = repository.spec(&dir.path().join("run"));
    let refused =
        AnsibleCore::new(config, Arc::new(git())).prepare(&load(&spec), &mut taken, &CancellationToken::new()).await;
    assert!(taken.texts().contains(&"Installed all requirements from the wheel cache"), "{:?}", taken.texts());
    // The wheel is not an Ansible; only its origin matters here.
    assert!(matches!(refused, Err(AnsibleError::Permanent(_))), "{refused:?}");
}

#[tokio::test]
async fn a_password_in_an_address_goes_by_a_header_and_on_no_command_line() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
        while !request.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            request.extend_from_slice(&buffer[..count]);
        }
        let arguments = all_arguments();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        (String::from_utf8(request).unwrap(), arguments)
    });
    let git = git_without_walls(&[&format!("http://{address}/*")]);
    let refused = git.resolve(&format!("http://user:p%40ss+hunter2@{address}/x.git"), "master").await;
    // Ends the server's wait if git did not come.
    drop(std::net::TcpStream::connect(address));
    let (request, arguments) = server.join().unwrap();
    // Base64 of `user:p@ss+hunter2`.
    assert!(request.contains("Authorization: Basic dXNlcjpwQHNzK2h1bnRlcjI="), "{request} {refused:?}");
    assert!(
        arguments.iter().any(|text| text.contains("ls-remote"))
            && !arguments.iter().any(|text| text.contains("hunter2"))
    );
    let Err(GitError::Permanent(message)) = refused else { panic!("{refused:?}") };
    assert!(message.starts_with(&format!("x: http://{address}/x.git cannot be read: there is no such")), "{message}");
}
