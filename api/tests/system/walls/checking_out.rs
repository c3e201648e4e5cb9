//! Repositories that would have git run a program, read another's files, or write outside of the checkout.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use ocim::ansible::port::{Ansible as _, AnsibleError};
use ocim::platform::sandbox::RunLimits;
use tokio_util::sync::CancellationToken;

use super::attempts::{LOOT, WORKED};
use super::playing::spec;
use super::world::{World, inside};
use crate::system::ansible::support::{Repository, Taken, load, local_play};

const EVENTS: &[&str] = &[
    "applypatch-msg",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-update",
    "pre-auto-gc",
    "pre-commit",
    "pre-push",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

fn repository() -> Repository {
    Repository::with_playbook(&local_play("    - meta: noop\n"))
}

/// Prepares a build of the repository, with it as the only source; gives its error, if any, and all that it printed.
async fn prepare(world: &World, repository: &Repository, name: &str) -> (Option<String>, String) {
    prepare_from(world, &[repository.address().as_str()], false, repository, name).await
}

/// The same with these sources, and without walls, too.
async fn prepare_from(
    world: &World,
    sources: &[&str],
    is_off: bool,
    repository: &Repository,
    name: &str,
) -> (Option<String>, String) {
    let ansible = world.ansible_from(sources, is_off, RunLimits::default());
    let (mut taken, dir) = (Taken::default(), world.run_dir(name));
    let end = ansible.prepare(&load(&spec(repository, &dir)), &mut taken, &CancellationToken::new()).await;
    let words = match end {
        Ok(_) => None,
        Err(AnsibleError::Permanent(words) | AnsibleError::Transient(words)) => Some(words),
        Err(error) => panic!("{error}"),
    };
    (words, taken.texts().join("\n"))
}

#[test]
fn git_runs_no_hook_and_no_program_of_a_repository() {
    inside("checking_out::git_runs_no_hook_and_no_program_of_a_repository", async |world| {
        let (repository, mark) = (repository(), world.data().join("ran"));
        let program = format!("#!/bin/sh\necho {WORKED} >>'{}'\n", mark.display());
        for name in EVENTS {
            for folder in [".git/hooks", ".githooks", "hooks"] {
                write(&repository, &format!("{folder}/{name}"), &program);
            }
        }
        write(&repository, "program", &program);
        let program = repository.0.path().join("program").display().to_string();
        for setting in
            ["core.fsmonitor", "uploadpack.packObjectsHook", "core.sshCommand", "filter.evil.smudge", "diff.external"]
        {
            repository.git(&["config", setting, &program]);
        }
        repository.git(&["config", "core.hooksPath", ".git/hooks"]);
        // Without a wall, and with the repository's own settings, git runs them.
        repository.commit("x", "x");
        repository.git(&["checkout", "--quiet", "-B", "other", "master"]);
        assert!(fs::read_to_string(&mark).unwrap().contains(WORKED));
        repository.git(&["checkout", "--quiet", "master"]);
        fs::remove_file(&mark).unwrap();
        let (words, _) = prepare(&world, &repository, "11").await;
        assert_eq!(words, None);
        assert!(!mark.exists(), "a program of the repository ran");
    });
}

#[test]
fn a_setting_of_git_that_includes_a_file_does_not_show_it() {
    inside("checking_out::a_setting_of_git_that_includes_a_file_does_not_show_it", async |world| {
        let repository = repository();
        let keys = world.data().join("keys/secrets");
        fs::write(&keys, format!("[walls]\n\tkey = {LOOT}\n")).unwrap();
        repository.git(&["config", "include.path", keys.to_str().unwrap()]);
        assert_eq!(repository.git(&["config", "walls.key"]), LOOT);
        repository.commit(".gitmodules", &format!("[include]\n\tpath = {}\n", keys.display()));
        let (words, said) = prepare(&world, &repository, "12").await;
        assert!(!said.contains(LOOT) && !words.unwrap_or_default().contains(LOOT), "{said}");
        let mut found = Vec::new();
        holders(&world.run_dir("12"), &mut found);
        assert_eq!(found, Vec::<String>::new());
    });
}

#[test]
fn a_submodule_shows_no_repository_that_belongs_to_the_manager() {
    inside("checking_out::a_submodule_shows_no_repository_that_belongs_to_the_manager", async |world| {
        let private = Repository(tempfile::tempdir_in(world.data()).unwrap());
        private.git(&["init", "--quiet", "--initial-branch=master"]);
        let commit = private.commit("secret", LOOT);
        for url in
            [private.address(), format!("file://{}", private.address()), format!("ext::cat {}", private.address())]
        {
            let repository = repository();
            write(&repository, ".gitmodules", &format!("[submodule \"m\"]\n\tpath = m\n\turl = {url}\n"));
            repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},m")]);
            repository.git(&["add", ".gitmodules"]);
            repository.git(&[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.com",
                "commit",
                "--quiet",
                "--message=x",
            ]);
            if !url.starts_with("ext") {
                // Without a wall, git has it.
                let copy = tempfile::tempdir().unwrap();
                let arguments = [
                    "-c",
                    "protocol.file.allow=always",
                    "clone",
                    "--quiet",
                    "--recurse-submodules",
                    "--",
                    &repository.address(),
                ];
                let cloned =
                    std::process::Command::new("git").args(arguments).arg(copy.path().join("x")).status().unwrap();
                assert!(cloned.success() && fs::read_to_string(copy.path().join("x/m/secret")).unwrap() == LOOT);
            }
            let (words, said) = prepare(&world, &repository, "13").await;
            let words = words.unwrap_or_else(|| panic!("{url} was checked out: {said}"));
            assert!(words.contains("the submodule m cannot be checked out"), "{words}");
            assert!(url.starts_with("ext") || words.contains("OCIM_CONFIGURATION_SOURCES"), "{words}");
            assert!(!world.run_dir("13").join("checkout/m/secret").exists(), "{url}");
        }
    });
}

#[test]
fn a_submodule_or_file_behind_a_symbolic_link_is_not_written_outside_of_the_checkout() {
    inside(
        "checking_out::a_submodule_or_file_behind_a_symbolic_link_is_not_written_outside_of_the_checkout",
        async |world| {
            let outside = world.data().join("outside");
            fs::create_dir_all(outside.join("m")).unwrap();
            for what in ["submodule", "file"] {
                for is_link_last in [false, true] {
                    for is_off in [false, true] {
                        behind_a_link(&world, &outside, what, is_link_last, is_off).await;
                    }
                }
            }
        },
    );
}

/// A tree with two entries of one name, of which git keeps the last: a link, and a directory with a submodule or file.
/// Without walls git and the program could write anywhere.
async fn behind_a_link(world: &World, outside: &Path, what: &str, is_link_last: bool, is_off: bool) {
    let (repository, role, dir) = (repository(), repository(), world.run_dir("14"));
    let blob = |text: &str| piped(&repository, &["hash-object", "-w", "--stdin"], text.as_bytes());
    let below = match what {
        "submodule" => format!("160000 commit {}\tm\n", role.git(&["rev-parse", "HEAD"])),
        _ => format!("100644 blob {}\tm\n", blob("evil")),
    };
    let below = piped(&repository, &["mktree", "--missing"], below.as_bytes());
    let mut twice = [("120000 link", blob(outside.to_str().unwrap())), ("40000 link", below)];
    if is_link_last {
        twice.reverse();
    }
    let modules = blob(&format!("[submodule \"m\"]\n\tpath = link/m\n\turl = {}\n", role.address()));
    let [first, second] = twice;
    commit_tree(&repository, &[("100644 .gitmodules", modules), first, second]);
    // The control: the link leads there.
    symlink(outside, repository.0.path().join("link")).unwrap();
    fs::write(repository.0.path().join("link/m/file"), "x").unwrap();
    fs::remove_file(outside.join("m/file")).unwrap();
    let (own, others) = (repository.address(), role.address());
    let (words, said) = prepare_from(world, &[&own, &others], is_off, &repository, "14").await;
    let case = format!("{what}, link last: {is_link_last}, without walls: {is_off}: {words:?} {said}");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1, "{case}");
    assert_eq!(fs::read_dir(outside.join("m")).unwrap().count(), 0, "{case}");
    let link = dir.join("checkout/link");
    assert_eq!(fs::symlink_metadata(&link).unwrap().is_symlink(), is_link_last, "{case}");
    match (what, is_link_last) {
        ("submodule", true) => assert!(words.unwrap().contains("no directory of the repository"), "{case}"),
        ("submodule", false) => assert!(link.join("m/playbooks/site.yml").is_file(), "{case}"),
        (_, true) => {}
        (_, false) => assert!(link.join("m").is_file(), "{case}"),
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_manager_follows_no_symbolic_link_of_a_checkout() {
    inside("checking_out::the_manager_follows_no_symbolic_link_of_a_checkout", async |world| {
        let keys = world.data().join("keys/secrets");
        for path in [
            "requirements.txt",
            "more.txt",
            "wheels.txt",
            "ansible.cfg",
            "requirements.yml",
            "playbooks/site.yml",
            "playbooks/roles/requirements.yml",
            ".gitattributes",
            ".gitmodules",
        ] {
            let repository = repository();
            if path == "more.txt" {
                repository.commit("requirements.txt", "-r more.txt\n");
            }
            if path == "ansible.cfg" {
                // The configuration decides from where these are installed.
                repository.commit("requirements.yml", "collections: []\n");
            }
            let at = repository.0.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            let _ = fs::remove_file(&at);
            symlink(&keys, &at).unwrap();
            assert_eq!(fs::read_to_string(&at).unwrap(), LOOT, "the link itself works");
            if path == ".gitmodules" {
                // Git adds no such link.
                let link = piped(&repository, &["hash-object", "-w", "--stdin"], keys.to_str().unwrap().as_bytes());
                let of = |path: &str| repository.git(&["rev-parse", &format!("HEAD:{path}")]);
                let (playbooks, requirements) = (of("playbooks"), of("requirements.txt"));
                let links = [("120000 .gitmodules", link), ("40000 playbooks", playbooks)];
                commit_tree(&repository, &[links.as_slice(), &[("100644 requirements.txt", requirements)]].concat());
            } else {
                repository.commit("x", "x");
            }
            let (words, said) = prepare(&world, &repository, "15").await;
            let all = format!("{} {said}", words.unwrap_or_default());
            assert!(!all.contains(LOOT), "{path}: {all}");
            let mut found = Vec::new();
            holders(&world.run_dir("15"), &mut found);
            assert_eq!(found, Vec::<String>::new(), "{path}");
            fs::remove_dir_all(world.run_dir("15")).unwrap();
        }
    });
}

/// A file of the working copy that may be run.
fn write(repository: &Repository, path: &str, text: &str) {
    let path = repository.0.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

/// Commits a tree on `master` that git itself would not make: mode with name, and hash, of each entry, in this order.
fn commit_tree(repository: &Repository, entries: &[(&str, String)]) {
    let mut tree = Vec::new();
    for (head, hash) in entries {
        tree.extend(format!("{head}\0").bytes());
        tree.extend((0..hash.len()).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap()));
    }
    let tree = piped(repository, &["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &tree);
    let commit =
        repository.git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit-tree", "-m", "x", &tree]);
    repository.git(&["update-ref", "refs/heads/master", &commit]);
}

fn piped(repository: &Repository, arguments: &[&str], input: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input).unwrap();
    let mut command = std::process::Command::new("git");
    command.arg("-C").arg(repository.0.path()).args(arguments).stdin(file.reopen().unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The regular files of a tree that hold the loot.
fn holders(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => holders(&path, found),
            kind if kind.is_file() && String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(LOOT) => {
                found.push(path.display().to_string());
            }
            _ => {}
        }
    }
}
