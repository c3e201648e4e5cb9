#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

fn sources(entries: &[&str]) -> Sources {
    Sources::new(entries.iter().copied(), Vec::new()).unwrap()
}

fn check(entries: &[&str], allowed: &[&str], refused: &[&str]) {
    let sources = sources(entries);
    for repository in allowed {
        assert_eq!(sources.allows(repository), Ok(()), "{repository} with {entries:?}");
    }
    for repository in refused {
        assert!(sources.allows(repository).is_err(), "{repository} with {entries:?}");
    }
}

#[test]
fn by_default_any_https_server_is_allowed_and_nothing_of_this_host() {
    let allowed = [
        "https://github.com/openedx/configuration",
        "https://github.com/openedx/configuration.git",
        "HTTPS://GitHub.com:443/openedx/configuration/",
        "https://bot:s3cret@git.example:8443/a/b",
        "https://10.1.2.3/a/b",
        "https://[2001:db8::1]/a/b",
    ];
    let refused = [
        "http://github.com/openedx/configuration",
        "git://github.com/openedx/configuration",
        "ssh://git@github.com/openedx/configuration",
        "git@github.com:openedx/configuration.git",
        "file:///etc",
        "/etc",
        "/",
        "ext::sh -c date",
        "-u:x",
        "",
        "relative/path",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://127.0.0.1./x",
        "https://0/x",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://%6cocalhost/x",
        "https://ⓛocalhost/x",
        "https://git.localhost/x",
        "https://ip6-loopback/x",
        "https://user@localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:a9fe:a9fe]/x",
        "https://[64:ff9b::169.254.169.254]/x",
    ];
    check(&[], &allowed, &refused);
    check(&["https://*"], &allowed, &refused);
    check(&["", " "], &allowed, &refused);
}

#[test]
fn a_path_is_allowed_with_what_is_below_it() {
    check(
        &["https://GitHub.com/acme/*"],
        &[
            "https://github.com/acme/configuration",
            "https://github.com./acme/configuration.git",
            "https://github.com:443//acme//configuration/",
            "https://github.com/%61cme/configuration",
            "https://token:x@github.com/acme/a/b",
        ],
        &[
            "https://github.com/acme",
            "https://github.com/acme.git",
            "https://github.com/acme-evil/configuration",
            "https://github.com/Acme/configuration",
            "https://github.com/other/configuration",
            "https://github.com/acme/../other/configuration",
            "https://github.com/acme/%2e%2e/other/configuration",
            "https://github.com/acme/%2E./other/configuration",
            "https://github.com/acme%2f..%2fother/configuration",
            "https://github.com/acme/..%2fother",
            "https://github.com/acme/%252e%252e/other",
            "https://github.com/acme/..%5cother",
            "https://github.com/acme/a?x=/acme/b",
            "https://github.com/acme/a#b",
            "https://github.com:8443/acme/configuration",
            "http://github.com/acme/configuration",
            "https://github.com.evil.example/acme/configuration",
            "https://github.com@evil.example/acme/configuration",
            "https://evil.example\\@github.com/acme/configuration",
            "https://evil.example\\.github.com/acme/configuration",
            "https://github.com/acme/a b",
            "https://github.com/acme/\nb",
            "https://sub.github.com/acme/configuration",
        ],
    );
}

#[test]
fn one_repository_is_allowed_and_no_other() {
    check(
        &["https://git.example/acme/configuration.git"],
        &["https://git.example/acme/configuration", "https://git.example/acme/configuration.git/"],
        &[
            "https://git.example/acme/configuration/x",
            "https://git.example/acme",
            "https://git.example/acme/configurations",
        ],
    );
    check(
        &["https://git.example"],
        &["https://git.example/x", "https://git.example/a/b"],
        &["https://other.example/x"],
    );
}

#[test]
fn what_is_local_is_allowed_where_it_is_named_exactly() {
    check(
        &["http://127.0.0.1:3000/*", "https://localhost/acme/*", "https://169.254.169.254/*"],
        &["http://127.0.0.1:3000/x.git", "https://localhost/acme/x", "https://169.254.169.254/x"],
        &["http://127.0.0.1/x.git", "http://127.0.0.1:3001/x", "https://localhost/x", "https://[::1]/acme/x"],
    );
}

#[test]
fn ssh_is_allowed_by_login_name_server_and_path_in_both_spellings() {
    let allowed = ["git@git.example:acme/configuration.git", "ssh://git@GIT.example:22/acme/configuration"];
    let refused = [
        "ssh://git.example/acme/configuration",
        "root@git.example:acme/configuration",
        "ssh://git@git.example:2222/acme/configuration",
        "git@git.example:acme/../other",
        "ssh://git@git.example/acme/%2e%2e/other",
        "ssh://git@git.example/acme/..%2fother",
        "git@git.example:other/configuration",
        "git@evil.example:acme/configuration",
        "ssh://git@evil.example@git.example/acme/configuration",
        "ssh://git@git.example#@evil.example/acme/x",
        "ssh://git:hunter2@git.example/acme/configuration",
        "ssh://-oProxyCommand=x/acme/configuration",
        "ssh://git@-oProxyCommand=x/acme/configuration",
        "-oProxyCommand=x@git.example:acme/x",
        "[git@git.example:22]:acme/configuration",
        "git@git.example::acme/configuration",
        "https://git.example/acme/configuration",
    ];
    for entry in ["ssh://git@git.example/acme/*", "git@git.example:acme/*", "git@git.example:/acme/*"] {
        check(&[entry], &allowed, &refused);
    }
    check(&["ssh://git.example/*"], &["ssh://git.example/x", "root@git.example:x"], &["ssh://git.example:23/x"]);
    check(&["ssh://git@[2001:db8::1]:2222/*"], &["ssh://git@[2001:db8:0::1]:2222/x"], &["ssh://git@[2001:db8::1]/x"]);
}

#[test]
fn a_directory_is_allowed_with_what_is_below_it_after_links_are_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    for name in ["git/configuration/.git", "other/x.git", "git-evil", "git/gitlink"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    symlink(at("other"), at("git/out")).unwrap();
    symlink(at("git"), at("in")).unwrap();
    symlink(at("git/configuration"), at("git/again")).unwrap();
    symlink(at("nowhere"), at("git/dangling")).unwrap();
    symlink(at("other/x.git"), at("git/completed.git")).unwrap();
    symlink(at("other/x.git"), at("git/gitlink/.git")).unwrap();
    for entry in [text("git"), text("git/*"), text("in")] {
        let good =
            ["git", "git/configuration", "git/configuration/.git", "git/again", "git/not-yet", "in/configuration"];
        let good = good.map(text);
        let files = good.clone().map(|path| format!("file://{path}"));
        let inside = text("git/configuration/../configuration");
        let bad = [
            "other",
            "other/x.git",
            "git-evil",
            "git/out",
            "git/out/x.git",
            "git/../other",
            "git/out/../git-evil",
            "git/not-yet/../../other",
            "git/dangling",
            "git/dangling/x",
            "git/completed",
            "git/gitlink",
        ]
        .map(text);
        let bad_files = [format!("file://localhost{}", text("git")), format!("file://{}/%2e%2e/other", text("git"))];
        let allowed: Vec<_> = good.iter().chain(&files).chain([&inside]).map(String::as_str).collect();
        let refused: Vec<_> = bad.iter().chain(&bad_files).map(String::as_str).collect();
        check(&[entry.as_str()], &allowed, &refused);
    }
}

#[test]
fn the_programs_own_repositories_are_allowed_beside_any_setting() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("demo");
    for entries in [&[][..], &["https://git.example/*"]] {
        let sources = Sources::new(entries.iter().copied(), vec![own.clone()]).unwrap();
        assert_eq!(sources.allows(&own.join("configuration").display().to_string()), Ok(()));
        assert!(sources.allows(&dir.path().join("keys").display().to_string()).is_err());
    }
}

#[test]
fn a_refusal_names_the_sources_and_hides_the_password() {
    let words = sources(&["https://git.example/acme/*", "/srv/git"])
        .allows("https://bot:hunter2@other.example/x.git")
        .unwrap_err()
        .to_string();
    assert_eq!(
        words,
        "Configuration may not come from https://other.example/x: the allowed sources are https://git.example/acme/*, \
         /srv/git. Choose a repository there, or have an administrator change OCIM_CONFIGURATION_SOURCES."
    );
    for bad in ["ssh://git:hunter2@git.example/x", "https://bot:hunter2@git.example/a b"] {
        let words = sources(&[]).allows(bad).unwrap_err().to_string();
        assert!(!words.contains("hunter2"), "{words}");
    }
}

#[test]
fn an_entry_that_says_nothing_clear_is_refused() {
    for bad in [
        "*",
        "http://*",
        "ssh://*",
        "https://*.example/*",
        "https://git.example/own*",
        "https://git.example/*/x",
        "https://bot:hunter2@git.example/*",
        "https://bot@git.example/*",
        "https://git.example/a/../b",
        "ftp://git.example/*",
        "relative/*",
        "/srv/../etc",
        "git@git.example:*",
    ] {
        let refused = Pattern::parse(bad).map(|pattern| pattern.text);
        let is_plain = bad == "https://git.example/a/../b" && refused == Ok("https://git.example/b".to_owned());
        assert!(refused.is_err() || is_plain, "{bad}: {refused:?}");
        assert!(refused.is_ok() || !refused.unwrap_err().contains("hunter2"), "{bad}");
    }
}
