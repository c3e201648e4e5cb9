#![allow(clippy::panic, clippy::unwrap_used)]

use super::tests::read_for;

fn warnings(body: &str) -> Vec<(u32, String)> {
    let found = read_for(body, "pr12.sandbox.example.com", &[]).unwrap();
    found.warnings.into_iter().map(|one| (one.line.unwrap(), one.detail)).collect()
}

/// Asserts that there is one warning, in this line and with these words, and that nothing is set.
fn warned(body: &str, line: u32, words: &str) {
    let found = warnings(body);
    assert!(
        matches!(found.as_slice(), [(at, detail)] if *at == line && detail.contains(words)),
        "line {line}, {words}: {found:?} in {body:?}"
    );
    assert_eq!(read_for(body, "", &[]).unwrap().extra_settings, "", "{body:?}");
}

#[test]
fn a_heading_that_is_almost_right_is_named() {
    for heading in [
        "**Settings:**",
        "**Settings**:",
        "### Settings",
        "## Settings ##",
        "***Settings***",
        "**settings**",
        "**SETTINGS**",
        "_Settings_",
        "*Settings*",
        "Settings",
        "Settings:",
        "** Settings **",
        "**Setting**",
        "**Setings**",
        "**Settigns**",
        "**Settings** (YAML)",
        "**Settings**\u{200b}",
        "\u{feff}**Settings**",
        "**Set\u{ad}tings**",
        "<b>Settings</b>",
        "**Settings**&nbsp;",
        "    **Settings**",
        "\t**Settings**",
        "- **Settings**",
        "1. **Settings**",
        "`**Settings**`",
        "Settings\n--------",
    ] {
        warned(&format!("Hello\n\n{heading}\n```yaml\nA: 1\n```\n"), 3, "almost **Settings**");
        warned(&format!("Hello\r\n\r\n{heading}\r\n\r\n~~~\r\nA: 1\r\n~~~"), 3, "almost **Settings**");
    }
    warned("### Settings\n```yaml\nA: 1\n", 1, "almost **Settings**");
    warned("### Settings\n```\nA:\n\tB: 1\n```\n", 1, "almost **Settings**");
    warned("### Settings\nas follows\n```yml\nA: 1\n```\n", 1, "almost **Settings**");
}

#[test]
fn what_stands_between_heading_and_block_is_named() {
    warned("**Settings**\n\u{200b}\n```\nA: 1\n```", 2, "stands between **Settings** and the block");
    warned("**Settings**\nsee here\n```\nA: 1\n```", 2, "stands between **Settings** and the block");
    warned("x\n\n**Settings**\n\n---\n\n```yaml\nA: 1\n```", 5, "stands between **Settings** and the block");
    warned("**Settings**\n    ```\nA: 1\n    ```", 2, "indented or in a list");
    warned("**Settings**\n- ```yaml\n  A: 1\n  ```", 2, "indented or in a list");
    warned("x\n**Settings** ```yaml\nA: 1\n```", 2, "on a line of its own");
    warned("**Settings**```\nA: 1\n```", 1, "on a line of its own");
}

#[test]
fn prose_and_code_of_other_kinds_make_no_warning() {
    for body in [
        "",
        "Settings",
        "**Settings:**\n\nnone",
        "### Settings\nWe changed the settings.\n",
        "See the settings below:\n```yaml\nA: 1\n```",
        "These settings:\n```\nA: 1\n```",
        "### Settings\n```python\nFOO = 1\n```",
        "### Settings\n```\nFOO = 1\n```",
        "### Settings\n```sh\nls\n```",
        "### Settings\n```\n```",
        "### Settings\n\nOne.\n\n## Tests\n```yaml\nA: 1\n```",
        "### Settings\n\n**Tests**\n```yaml\nA: 1\n```",
        "### Settings\na\nb\nc\n```yaml\nA: 1\n```",
        "**Settings**\n\nnone, thanks\n\n```sh\nmake\n```",
        "> **Settings**\n> ```\n> A: 1\n> ```",
        "> ### Settings\n```yaml\nA: 1\n```",
        "<!-- ### Settings -->\n```yaml\nA: 1\n```",
        "<!--\n### Settings\n```yaml\nA: 1\n```\n-->",
        "````\n### Settings\n```yaml\nA: 1\n```\n````",
        "### Meetings\n```yaml\nA: 1\n```",
        "**Settings**\n```yaml\nA: 1\n```\n\n**Tutor requirements**\n```\ntutor>=16,<17\n```",
    ] {
        assert_eq!(warnings(body), Vec::new(), "{body:?}");
    }
}

#[test]
fn a_second_block_is_named_and_the_first_one_counts() {
    let body = "**Settings**\n```yaml\nA: 1\n```\n\n**Settings**\n```yaml\nB: 1\n```";
    assert_eq!(read_for(body, "", &[]).unwrap().extra_settings, "A: 1\n");
    let found = warnings(body);
    assert!(matches!(found.as_slice(), [(7, words)] if words.contains("Only the first block")), "{found:?}");
    let many = "### Settings\n```yaml\nA: 1\n```\n".repeat(100);
    assert_eq!(warnings(&many).len(), 5, "they are bounded");
}

#[test]
fn variables_that_surprise_are_named_with_their_line_in_the_body() {
    let body = "Text\n\n**Settings**\n```yaml\nFEATURES:\n  # NOTES: true\nB: 1\nMY-VAR: 2\n```\n";
    let found = warnings(body);
    let of = |line: u32, name: &str| found.iter().any(|(at, detail)| *at == line && detail.contains(name));
    assert!(found.len() == 2 && of(5, "FEATURES") && of(8, "MY-VAR"), "{found:?}");
}

#[test]
fn host_names_that_are_not_routed_are_named_with_their_line_in_the_body() {
    let body =
        "**Settings**\n```yaml\nA: 1\nEDXAPP_LMS_BASE: other.example\nEDXAPP_CMS_BASE: studio.pr1.example.org\n```\n";
    let found = read_for(body, "pr1.example.org", &[]).unwrap().warnings;
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.line, Some(4));
    assert!(one.detail.contains("names other.example, which is not routed"), "{}", one.detail);
}
