//! Generic code says no word of an application, neither in names nor in strings; comments may.

use super::everywhere;

/// Lines that may say such words outside the rooms of applications: the file, and the beginning of the line.
const EXCEPTIONS: &[(&str, &str)] = &[
    // A field of the API from before an instance had any number of sites; its users read it.
    ("api/src/http/instances/view.rs", "studio_url:"),
    ("shared-types/src/instance.rs", "pub studio_url:"),
    ("shared-types/src/instance.rs", "#[schema(example = \"https://studio."),
];

/// Folders that know the application types.
const ROOMS: &[&str] = &["api/src/applications/", "api/src/start/", "shared-types/src/applications/"];

/// Words that only applications use, in lower case.
const WORDS: &[&str] = &["lms", "sub_domain", "tutor"];
/// What other such words begin with.
const BEGINNINGS: &[&str] = &["edx", "openedx", "studio"];

fn says_an_application(line: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_said = |word: &str| WORDS.contains(&word) || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    // A word may stand directly after the escape of a line end.
    line.replace("\\n", "  ").to_lowercase().split(|c| !is_word(c)).any(is_said)
}

#[test]
fn words_of_applications_are_recognized() {
    for line in
        ["let edx = 1;", "\"a\\nEDXAPP_X: 1\"", "\"acme/edx-platform\"", "pub studio_url: String", "OpenEdx::new()"]
    {
        assert!(says_an_application(line), "{line}");
    }
    for line in ["let films = 1;", "own_sub_domain()", "tutorial", "\"subdomain\"", "default_tutor_release", "indexed"]
    {
        assert!(!says_an_application(line), "{line}");
    }
}

#[test]
fn generic_code_says_no_word_of_an_application() {
    let (mut wrong, mut excepted) = (Vec::new(), Vec::new());
    for file in everywhere() {
        let name = file.name();
        if file.is_test() || ROOMS.iter().any(|room| name.starts_with(room)) {
            continue;
        }
        for (number, line) in (1..).zip(file.source.product().lines()).filter(|(_, line)| says_an_application(line)) {
            let exception = EXCEPTIONS.iter().find(|(of, start)| *of == name && line.trim().starts_with(start));
            match exception {
                Some(exception) => excepted.push(exception),
                None => wrong.push(format!("{name}:{number}: {}", line.trim())),
            }
        }
    }
    assert!(wrong.is_empty(), "move these into a folder of applications:\n{}", wrong.join("\n"));
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|exception| !excepted.contains(exception)).collect();
    assert!(unused.is_empty(), "remove these exceptions, no line needs them: {unused:?}");
}
