#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::applications::openedx::PREVIEWS;

const DOMAIN: &str = "pr12.sandbox.example.com";
const KNOWN: &str = "https://github.com/edx/configuration.git";

/// The expected outcome of a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Out {
    /// There is no block.
    Nothing,
    /// The text of the block.
    Text(&'static str),
    /// The trouble's line and a part of its detail.
    Trouble(u32, &'static str),
}
use Out::{Nothing, Text, Trouble as Wrong};

/// Reads a body with the variables of the first application type.
pub(super) fn read_for(body: &str, domain: &str, repositories: &[String]) -> Result<BodySettings, Trouble> {
    read(body, Terms { domain, repositories, previews: &PREVIEWS })
}

pub(super) fn read_known(body: &str) -> Result<BodySettings, Trouble> {
    read_for(body, DOMAIN, &[KNOWN.to_owned(), "git@example.com:a/b.git".to_owned(), "/srv/configuration".to_owned()])
}

pub(super) fn check(cases: &[(&str, &str, Out)]) {
    let names: std::collections::BTreeSet<_> = cases.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
    for (name, body, out) in cases {
        match (read_known(body), out) {
            (Ok(found), Nothing) => assert_eq!(found.extra_settings, "", "{name}"),
            (Ok(found), Text(text)) => assert_eq!(found.extra_settings, *text, "{name}"),
            (Err(found), Wrong(line, words)) => {
                assert!(found.line == *line && found.detail.contains(words), "{name}: {found}");
            }
            (found, out) => panic!("{name}: {found:?} and not {out:?}"),
        }
    }
}

#[test]
fn blocks_are_found_where_they_are() {
    check(&[
        ("an empty body", "", Nothing),
        ("no block", "Fixes the thing.\n\nIt was broken.", Nothing),
        ("as the original wanted it", "Hello\n\n**Settings**\n```yaml\nA: 1\nB: 2\n```\n", Text("A: 1\nB: 2\n")),
        ("no language", "**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("another language", "**Settings**\n``` yml title=x\nA: 1\n```", Text("A: 1\n")),
        ("other signs", "__Settings__\n```\nA: 1\n```", Text("A: 1\n")),
        ("mixed signs", "[*Settings:]\n```\nA: 1\n```", Text("A: 1\n")),
        ("letters are no signs", "MySettingsOK\n```\nA: 1\n```", Nothing),
        ("digits are no signs", "12Settings34\n```\nA: 1\n```", Nothing),
        ("one sign is too few", "*Settings*\n```\nA: 1\n```", Nothing),
        ("three are too many", "***Settings***\n```\nA: 1\n```", Nothing),
        ("a heading of Markdown is another one", "## Settings\n```\nA: 1\n```", Nothing),
        ("words beside the heading", "See **Settings**\n```\nA: 1\n```", Nothing),
        ("the case of the heading matters", "**settings**\n```\nA: 1\n```", Nothing),
        ("CRLF", "x\r\n**Settings**\r\n```yaml\r\nA: 1\r\nB: |\r\n  c\r\n```\r\n", Text("A: 1\nB: |\n  c\n")),
        ("CR", "**Settings**\r```yaml\rA: 1\r```\r", Text("A: 1\n")),
        ("mixed line ends", "**Settings**\r\n```yaml\nA: 1\r```\n", Text("A: 1\n")),
        ("blank lines inside", "**Settings**\n```\n\nA: 1\n\n\nB: 2\n\n```", Text("\nA: 1\n\n\nB: 2\n\n")),
        ("blank lines before the fence", "**Settings**\n\n  \n\n```\nA: 1\n```", Text("A: 1\n")),
        ("no blank line", "**Settings**```\nA: 1\n```", Nothing),
        ("words before the fence", "**Settings**\nsee here\n```\nA: 1\n```", Nothing),
        ("the next heading counts", "**Settings**\nnone\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("tildes", "**Settings**\n~~~yaml\nA: 1\n~~~", Text("A: 1\n")),
        ("backticks do not close tildes", "**Settings**\n~~~yaml\nA: |\n  ```\n~~~", Text("A: |\n  ```\n")),
        ("a long fence", "**Settings**\n`````\nA: |\n  ```\n`````", Text("A: |\n  ```\n")),
        ("a longer end", "**Settings**\n```\nA: 1\n`````", Text("A: 1\n")),
        ("an end with words is none", "**Settings**\n```\nA: 1\n``` #\n```", Wrong(4, "")),
        ("two backticks are no fence", "**Settings**\n``\nA: 1\n``", Nothing),
        ("code within a line", "**Settings**\n```A: 1```\n", Nothing),
        ("spaces after all", "**Settings**  \n```yaml  \nA: 1  \n```  \n", Text("A: 1  \n")),
        ("three spaces before all", "   **Settings**\n   ```\n   A:\n     b: 1\n   ```", Text("A:\n  b: 1\n")),
        ("less before the lines", "**Settings**\n   ```\n A:\n  b: 1\n```", Text("A:\nb: 1\n")),
        ("four spaces are code", "    **Settings**\n```\nA: 1\n```", Nothing),
        ("four before the fence are code", "**Settings**\n    ```\nA: 1\n    ```", Nothing),
        ("four before the end are text", "**Settings**\n```\nA: |\n    ```\n```", Text("A: |\n    ```\n")),
        ("a tab before the heading", "\t**Settings**\n```\nA: 1\n```", Nothing),
        ("an open block", "a\nb\n**Settings**\n\n```yaml\nA: 1\n", Wrong(5, "never closed")),
        ("an open block of tildes", "**Settings**\n~~~\nA: 1\n```", Wrong(2, "never closed")),
        ("a fence at the very end", "**Settings**\n```", Wrong(2, "never closed")),
        ("the first one counts", "**Settings**\n```\nA: 1\n```\n**Settings**\n```\nB: [\n```", Text("A: 1\n")),
        ("an open one after it", "**Settings**\n```\nA: 1\n```\n**Settings**\n```\nB: [\n", Text("A: 1\n")),
        ("an empty block", "**Settings**\n```\n```", Nothing),
        ("an empty first one counts", "**Settings**\n```\n```\n**Settings**\n```\nA: 1\n```", Nothing),
        ("comments alone", "**Settings**\n```\n# none\n```", Text("# none\n")),
        ("a byte order mark", "\u{feff}**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("a heading without a fence", "**Settings**\n\nnone, thanks", Nothing),
        ("a heading at the end", "**Settings**", Nothing),
    ]);
}

#[test]
fn what_is_hidden_or_an_example_asks_for_nothing() {
    check(&[
        ("in a comment", "<!--\n**Settings**\n```\nA: 1\n```\n-->\n", Nothing),
        ("in a comment of one line", "<!-- **Settings** -->\n```\nA: 1\n```", Nothing),
        ("after a comment", "<!--\n**Settings**\n-->\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("in an open comment", "<!-- hello\n**Settings**\n```\nA: 1\n```", Nothing),
        ("a comment beside the heading", "**Settings** <!-- YAML -->\n```\nA: 1\n```", Text("A: 1\n")),
        ("a comment before the fence", "**Settings**\n<!-- YAML\nhere -->\n```\nA: 1\n```", Text("A: 1\n")),
        ("only the fence in a comment", "**Settings**\n<!--\n```\nA: 1\n```\n-->", Nothing),
        ("a comment that is over at once", "<!-->\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("a comment mark in code", "use `<!--` here\n**Settings**\n```\nA: 1\n```\n-->", Text("A: 1\n")),
        ("an open mark in a line", "a <!-- b\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("a comment begun in a line", "a <!-- b\n**Settings**\n```\nA: 1\n```\n-->", Nothing),
        ("a comment mark in a fence", "```\n<!--\n```\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("a comment mark in the block", "**Settings**\n```\nA: <!-- x\n```\n", Text("A: <!-- x\n")),
        ("in another code block", "````\n**Settings**\n```\nA: 1\n```\n````", Nothing),
        ("after another code block", "```sh\nls\n```\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("after code in a list", "- x\n- ```\n  ls\n  ```\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("after code in a quotation", "> ```\n> ls\n> ```\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("after a fence of another kind that is open", "~~~\nls\n**Settings**\n```\nA: 1\n```", Text("A: 1\n")),
        ("in a quotation", "> **Settings**\n> ```\n> A: 1\n> ```", Nothing),
    ]);
}

#[test]
fn mistakes_have_their_line_in_the_body() {
    check(&[
        ("no YAML", "a\n**Settings**\n```\nA: 1\nB: c: d\n```", Wrong(5, "in quotes")),
        ("with CRLF", "a\r\n**Settings**\r\n```\r\nA: 1\r\nB: c: d\r\n```", Wrong(5, "in quotes")),
        ("no map", "**Settings**\n```\n# x\n- a\n```", Wrong(4, "must be a map")),
        (
            "a key that cannot be one",
            "**Settings**\n```\nA: 1\nB: 2\n? [A]\n: 3\n```",
            Wrong(5, "a key must be a scalar"),
        ),
        ("a tag", "**Settings**\n```\nA: !!python/object:os.system x\n```", Wrong(3, "is not allowed")),
        ("a template without templates", "**Settings**\n```\nA: !unsafe '{{ x }}'\n```", Wrong(3, "templates")),
        ("a call without templates", "**Settings**\n```\nA: !unsafe lookup('x')\n```", Wrong(3, "it calls `lookup`")),
        (
            "a secret for everybody",
            "**Settings**\n```\nA: {b: !secret x}\n```",
            Wrong(3, "`!secret` may not be used here"),
        ),
        ("a vault", "**Settings**\n```\nA: !vault x\n```", Wrong(3, "vault")),
        ("the end of a block", "**Settings**\n```\nA: [1,\n```\nmore", Wrong(3, "")),
        ("a second document", "**Settings**\n```\nA: 1\n---\nB: 2\n```", Wrong(4, "second document")),
        ("a letter that is none", "**Settings**\n```\nA: \u{1}\n```", Wrong(3, "U+0001")),
        ("laughs", &laughs(), Wrong(7, "more than")),
    ]);
    let long = |bytes: usize| format!("**Settings**\n```\nA: {}\n#\n```", "x".repeat(bytes));
    assert_eq!(read_known(&long(MAX_BLOCK_BYTES - 6)).unwrap().extra_settings.len(), MAX_BLOCK_BYTES);
    let trouble = read_known(&long(MAX_BLOCK_BYTES - 5)).unwrap_err();
    assert_eq!((trouble.line, trouble.detail.contains("too long")), (4, true), "{trouble}");
    let nested = |depth: usize| format!("**Settings**\n```\nA:\n  {}x{}\n```", "[".repeat(depth), "]".repeat(depth));
    assert!(read_known(&nested(MAX_DEPTH - 1)).is_ok());
    let trouble = read_known(&nested(MAX_DEPTH)).unwrap_err();
    assert_eq!(trouble.to_string(), "line 4: nested deeper than 20 levels: maps and lists in it must be nested less");
}

fn laughs() -> String {
    let mut text = "**Settings**\n```\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    text + "```\n"
}

#[test]
fn a_body_that_is_too_long_is_refused_whole() {
    let block = "**Settings**\r\n```\r\nA: 1\r\n```\r\n";
    let body = |length: usize| format!("{block}{}", "é".repeat((length - block.len()) / 2));
    assert!(read_known(&body(MAX_BODY_BYTES)).is_ok());
    let trouble = read_known(&body(MAX_BODY_BYTES + 2)).unwrap_err();
    assert_eq!((trouble.line, trouble.detail.contains("at most 262144")), (5, true), "{trouble}");
}

#[test]
fn what_ansible_would_run_is_refused() {
    check(&[
        ("a connection", "**Settings**\n```\nA: 1\nansible_connection: local\n```", Wrong(4, "`ansible_connection`")),
        ("arguments of ssh", "**Settings**\n```\n\"ansible_ssh_common_args\": x\n```", Wrong(3, "is not allowed")),
        ("an escaped name", "**Settings**\n```\n\"\\x61nsible_host\": x\n```", Wrong(3, "`ansible_host`")),
        ("a merged name", "**Settings**\n```\nA: &a\n  ansible_host: x\n<<: *a\n```", Wrong(4, "`ansible_host`")),
        ("a name by alias", "**Settings**\n```\nA: &a ansible_host\n*a : x\n```", Wrong(3, "`ansible_host`")),
        ("a debugger", "**Settings**\n```\n_ansible_ansiballz_debugpy_config: {}\n```", Wrong(3, "is not allowed")),
        ("a host's name", "**Settings**\n```\ninventory_hostname: localhost\n```", Wrong(3, "is not allowed")),
        ("hosts", "**Settings**\n```\nhostvars: {}\n```", Wrong(3, "is not allowed")),
        ("a delegation", "**Settings**\n```\ndelegate_to: localhost\n```", Wrong(3, "is not allowed")),
        (
            "deeper it is data",
            "**Settings**\n```\nA: {ansible_host: x, hosts: y}\n```",
            Text("A: {ansible_host: x, hosts: y}\n"),
        ),
        ("capitals are another name", "**Settings**\n```\nANSIBLE_REPO: x\n```", Text("ANSIBLE_REPO: x\n")),
        ("a template", "**Settings**\n```\nA: 1\nB: \"{{ lookup('pipe', 'id') }}\"\n```", Wrong(4, "templates")),
        ("a template without quotes", "**Settings**\n```\nA: {{ b }}\n```", Wrong(3, "")),
        ("a statement", "**Settings**\n```\nA: [x, 'a{% if 1 %}']\n```", Wrong(3, "templates")),
        ("a comment of Jinja", "**Settings**\n```\nA: |\n  a\n  {# b #}\n```", Wrong(4, "templates")),
        ("an escaped template", "**Settings**\n```\nA: \"\\x7b\\u007b b }}\"\n```", Wrong(3, "templates")),
        ("a template over two lines", "**Settings**\n```\nA: \"{\\\n  { b }}\"\n```", Wrong(3, "templates")),
        ("a template as a key", "**Settings**\n```\nA:\n  - B: {c: {'{{ d }}': 1}}\n```", Wrong(4, "templates")),
        ("a template by alias", "**Settings**\n```\nA: &a '{{ b }}'\nC: *a\n```", Wrong(3, "templates")),
        ("a template in a comment", "**Settings**\n```\nA: 1 # {{ b }}\n```", Text("A: 1 # {{ b }}\n")),
        ("one brace", "**Settings**\n```\nA: '{ {b} } }}'\n```", Text("A: '{ {b} } }}'\n")),
        (
            "signs of its own",
            "**Settings**\n```\nA: \"#jinja2:variable_start_string:'[%'\\n[% b %]\"\n```",
            Wrong(3, "templates"),
        ),
        ("a call", "**Settings**\n```\nA: lookup('pipe', 'id')\n```", Wrong(3, "calls `lookup`")),
        ("a call as a key", "**Settings**\n```\nA: [{\"q('pipe', 'id')\": 1}]\n```", Wrong(3, "calls `q`")),
        ("a call in a list", "**Settings**\n```\nA:\n- 1\n- x or q ( 'pipe','id')\n```", Wrong(5, "calls `q`")),
        ("a method", "**Settings**\n```\nA: lipsum.__globals__.os.popen('id')\n```", Wrong(3, "calls `lipsum`")),
        (
            "words with brackets",
            "**Settings**\n```\nA: Astro of example.com (test)\n```",
            Text("A: Astro of example.com (test)\n"),
        ),
        ("a place in brackets", "**Settings**\n```\nA: Univ. Ada (Paris)\n```", Text("A: Univ. Ada (Paris)\n")),
        (
            "a name that is hidden from JSON",
            "**Settings**\n```\nA: {__ansible_unsafe: x}\n```",
            Wrong(3, "`__ansible_`"),
        ),
        (
            "a vault for JSON",
            "**Settings**\n```\nA: __ansible_vault\nB: [{__ansible_vault: x}]\n```",
            Wrong(4, "`__ansible_`"),
        ),
        ("a type for JSON", "**Settings**\n```\n__ansible_type: x\n```", Wrong(3, "`__ansible_`")),
        ("a stored secret", "**Settings**\n```\nA: {B: {$secret: abc}}\n```", Wrong(3, "`$secret`")),
        ("one that was escaped", "**Settings**\n```\nA: {$$secret: abc}\n```", Wrong(3, "`$secret`")),
        ("the mark of a secret", "**Settings**\n```\nA: 1\nPASSWORD: ••••••\n```", Wrong(4, "hidden")),
        ("the mark in a key", "**Settings**\n```\nA: {x••••••: 1}\n```", Wrong(3, "hidden")),
    ]);
}

#[test]
fn the_configuration_repository_must_be_a_known_one() {
    let read_repository = |value: &str| {
        let body = format!("**Settings**\n```\nA: 1\nedx_ansible_source_repo: {value}\n```");
        read_known(&body).map(|found| found.playbooks_repository)
    };
    for same in [
        KNOWN,
        "https://github.com/edx/configuration",
        "https://github.com/edx/configuration/",
        "https://github.com/edx/configuration.git/",
        "https://GitHub.COM/edx/configuration.git",
        "https://github.com/EDX/Configuration.git",
        "http://github.com/edx/configuration.git",
        "https://www.github.com/edx/configuration",
        "https://github.com:443//edx/configuration.git",
        "git@github.com:edx/configuration.git",
        "ssh://git@github.com/edx/configuration",
        "ssh://git@GITHUB.com:22/edx/configuration.git/",
        "git://github.com/edx/configuration.git",
    ] {
        assert_eq!(read_repository(same), Ok(Some(KNOWN.to_owned())), "{same}");
    }
    for same in ["git@EXAMPLE.com:a/b", "https://example.com/a/b", "ssh://git@example.com/a/b.git"] {
        assert_eq!(read_repository(same), Ok(Some("git@example.com:a/b.git".to_owned())), "{same}");
    }
    assert_eq!(read_repository("/srv/configuration/"), Ok(Some("/srv/configuration".to_owned())));
    assert_eq!(read_repository("''"), Ok(None));
    for (value, words) in [
        ("https://github.com/evil/configuration.git", "is not one of"),
        ("https://example.com/A/b.git", "is not one of"),
        ("https://example.com:8443/a/b.git", "is not one of"),
        (
            "https://github.com/openedx/configuration",
            "Write https://github.com/edx/configuration.git, or ask an administrator",
        ),
        ("https://github.com/openedx/configuration", "a repository that was renamed has one name here"),
        ("https://github.com.evil.org/edx/configuration.git", "is not one of"),
        ("https://github.com/edx/configuration.git?x", "is not one of"),
        ("https://github.com/x/../edx/configuration.git", "is not one of"),
        ("https://me:hunter2@github.com/edx/configuration.git", "password"),
        ("https://ghp_token@github.com/edx/configuration.git", "password"),
        ("ssh://eve@github.com/edx/configuration.git", "is not one of"),
        ("/SRV/configuration", "is not one of"),
        ("--upload-pack=x", "Must be a git URL"),
        ("ext::sh -c x", "Must be a git URL"),
        ("12", "must be a text"),
        ("~", "must be a text"),
        ("[a]", "must be a text"),
    ] {
        let trouble = read_repository(value).unwrap_err();
        assert!(trouble.line == 4 && trouble.detail.contains(words), "{value}: {trouble}");
        assert!(!trouble.detail.contains("hunter2") && !trouble.detail.contains("ghp_token"), "{trouble}");
    }
}

#[test]
fn no_configuration_repository_is_known_by_default_or_by_a_url_with_a_password() {
    let not_allowed = read_for("**Settings**\n```\nedx_ansible_source_repo: /x\n```", DOMAIN, &[]).unwrap_err();
    assert!(
        not_allowed.line == 3 && not_allowed.detail.contains("Remove the line, or ask an administrator"),
        "{not_allowed}"
    );
    let secret = ["https://me:hunter2@github.com/edx/configuration.git".to_owned()];
    assert!(read_for(&format!("**Settings**\n```\nedx_ansible_source_repo: {KNOWN}\n```"), DOMAIN, &secret).is_err());
}

#[test]
fn the_configuration_version_must_be_a_reference() {
    let read_version = |value: &str| {
        let body = format!("**Settings**\n```\nB: {{configuration_version: x}}\nconfiguration_version: {value}\n```");
        read_known(&body).map(|found| found.playbooks_version)
    };
    assert_eq!(read_version("release/teak"), Ok(Some("release/teak".to_owned())));
    assert_eq!(read_version("'1.0'"), Ok(Some("1.0".to_owned())));
    assert_eq!(read_version("'  '"), Ok(None));
    let hash = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f";
    for value in [hash, &hash.to_uppercase(), "'0b9f'", "refs/pull/5/head", "refs/heads/teak"] {
        let trouble = read_version(value).unwrap_err();
        assert!(trouble.line == 4 && trouble.detail.contains("branch or a tag"), "{value}: {trouble:?}");
    }
    for value in ["--upload-pack=x", "a b", "a..b", "1.0", "yes", "{}", ""] {
        assert_eq!(read_version(value).unwrap_err().line, 4, "{value}");
    }
    let merged = read_known("**Settings**\n```\nA: &a\n  configuration_version: a b\n<<: *a\n```").unwrap_err();
    assert_eq!(merged.line, 4);
    assert_eq!(read_known("no block").unwrap(), BodySettings::default());
}

#[test]
fn databases_are_asked_for_on_the_domains_line() {
    for (line, expected) in [
        ("nothing", None),
        ("ephemeral databases", None),
        ("pr12.sandbox.example.com", None),
        ("pr12.sandbox.example.com with ephemeral databases", Some(true)),
        ("pr12.sandbox.example.com (with persistent databases)", Some(false)),
        ("**Sandbox**: https://pr12.sandbox.example.com/, ephemeral database.", Some(true)),
        ("PR12.Sandbox.example.COM: Persistent DATABASES!", Some(false)),
        ("_pr12.sandbox.example.com_: **ephemeral** databases", Some(true)),
        ("[x](https://pr12.sandbox.example.com) - ephemeral  \t databases", Some(true)),
        ("We run pr12.sandbox.example.com. It has ephemeral databases", Some(true)),
        ("pr12.sandbox.example.com:8080 ephemeral databases", Some(true)),
        ("pr12.sandbox.example.com ephemeral databases, not persistent databases", Some(true)),
        ("pr12.sandbox.example.com persistent databases, not ephemeral databases", Some(false)),
        ("ephemeral databases: pr12.sandbox.example.com", None),
        ("pr12.sandbox.example.com\nephemeral databases", None),
        ("pr12.sandbox.example.com\npr12.sandbox.example.com persistent database", Some(false)),
        ("xpr12.sandbox.example.com ephemeral databases", None),
        ("x.pr12.sandbox.example.com ephemeral databases", None),
        ("x-pr12.sandbox.example.com ephemeral databases", None),
        ("x_pr12.sandbox.example.com ephemeral databases", None),
        ("épr12.sandbox.example.com ephemeral databases", None),
        ("pr12.sandbox.example.com.evil.org ephemeral databases", None),
        ("pr12.sandbox.example.community ephemeral databases", None),
        ("pr12.sandbox.example.com-x ephemeral databases", None),
        ("x.pr12.sandbox.example.com and pr12.sandbox.example.com: ephemeral databases", Some(true)),
        ("pr12xsandbox.example.com ephemeral databases", None),
        ("pr12.sandbox.example.com ephemerals databases", None),
        ("pr12.sandbox.example.com ephemeral databased", None),
        ("pr12.sandbox.example.com an ephemeral. Databases", None),
        ("<!-- pr12.sandbox.example.com ephemeral databases -->", None),
        ("pr12.sandbox.example.com <!-- ephemeral --> persistent databases", Some(false)),
        ("K pr12.sandbox.example.com İ ephemeral databases", Some(true)),
    ] {
        let found = read_known(&format!("Hello\r\n{line}\r\nbye")).unwrap();
        assert_eq!(found.ephemeral_databases, expected, "{line}");
    }
    assert_eq!(read_for("ephemeral databases", "", &[]).unwrap().ephemeral_databases, None);
}

#[test]
fn all_of_it_together() {
    let body = "Fixes it.\r\n\r\npr12.sandbox.example.com (persistent databases)\r\n\r\n**Settings**\r\n\r\n```yaml\r\n\
                edx_ansible_source_repo: https://GitHub.com/edx/configuration/\r\nconfiguration_version: teak\r\n\r\n\
                EDXAPP_FEATURES:\r\n  ENABLE_NOTES: yes\r\n```\r\n";
    let expected = BodySettings {
        extra_settings:
            "edx_ansible_source_repo: https://GitHub.com/edx/configuration/\nconfiguration_version: teak\n\n\
                         EDXAPP_FEATURES:\n  ENABLE_NOTES: yes\n"
                .to_owned(),
        ephemeral_databases: Some(false),
        playbooks_repository: Some(KNOWN.to_owned()),
        playbooks_version: Some("teak".to_owned()),
        warnings: vec![],
    };
    assert_eq!(read_known(body), Ok(expected));
}

#[test]
fn a_trouble_shows_nothing_that_is_not_text() {
    let body = format!("**Settings**\n```\n\"ansible_\\e[31m\\u202E{}\": 1\n```", "é".repeat(1000));
    let trouble = read_known(&body).unwrap_err();
    assert!(trouble.detail.starts_with("`ansible_\\u{1b}[31m\\u{202e}é"), "{trouble}");
    assert_eq!((trouble.detail.chars().count(), trouble.detail.ends_with('…')), (MAX_DETAIL, true));
}
