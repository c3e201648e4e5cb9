//! Extracts from Ansible's output the sentence that says why it ended, with file, line and column.
//!
//! Up to 2.18 Ansible prints `ERROR! …`, and after an empty line `The error appears to be in '…': line 3, column 5`;
//! since 2.19 `[ERROR]: …` and `Origin: …:3:5`. For invalid YAML, versions up to 2.18 first report invalid JSON.

use super::run_dir::RunDir;

/// Limit of a sentence, in characters.
const LONGEST: usize = 600;

/// Prefixes of the line of an error.
const ERRORS: &[&str] = &["ERROR! ", "[ERROR]: ", "ERROR: "];

/// First message of versions up to 2.18 for invalid YAML.
const NO_JSON: &str = "We were unable to read either as JSON nor YAML";

/// Lines that follow an error and do not belong to it.
const AFTER: &[&str] = &[
    "The error appears to",
    "Origin: ",
    "<<< caused by",
    "[WARNING]",
    "[DEPRECATION WARNING]",
    "to see the full traceback",
    "Starting galaxy",
    "Process install",
    "Starting collection install",
];

/// Advice between the lines of an error.
const ADVICE: &[&str] = &["If you are using a module and expect the file to exist", "JSON: "];

/// Position of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
}

/// Finds the sentence. Paths in it are made relative to the repository.
pub(super) fn find(said: &str, dir: &RunDir) -> String {
    let text = shorten_paths(said, dir);
    match first_error(&text) {
        Some(error) => of(error),
        None => without_error(&text),
    }
}

/// Turns an error, without its `ERROR` prefix, into one sentence with the position.
pub(super) fn of(error: &str) -> String {
    let mut sentence = body(error);
    if let Some((before, _)) =
        sentence.split_once(" was not found in ").filter(|(before, _)| before.contains("the role "))
    {
        sentence = format!("{before} was not found");
    }
    let mut place = find_place(error);
    if let Some((before, within)) = within_words(&sentence) {
        (sentence, place) = (before, Some(within));
    }
    let mut sentence: String = sentence.chars().take(LONGEST).collect();
    if let Some(Place { file, line, column }) = place {
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        let column = column.map(|column| format!(", column {column}")).unwrap_or_default();
        sentence = format!("{} ({file}{line}{column})", sentence.trim_end_matches('.'));
    }
    sentence
}

/// A task's message; an error of Ansible itself, which quotes the playbook, becomes one sentence.
pub(super) fn with_place(message: String) -> String {
    if message.lines().any(|line| appears(line).is_some()) { of(&message) } else { message }
}

/// The text from the first error on.
fn first_error(text: &str) -> Option<&str> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(start) = ERRORS.iter().find(|start| line.starts_with(**start)) {
            return text.get(at + start.len()..);
        }
        at += line.len();
    }
    None
}

/// The lines of an error, joined.
fn body(error: &str) -> String {
    let yaml = error.find("Syntax Error while loading YAML").filter(|_| error.starts_with(NO_JSON));
    let text = yaml.and_then(|at| error.get(at..)).unwrap_or(error);
    let is_part = |line: &&str| !line.trim().is_empty() && !AFTER.iter().any(|after| line.starts_with(after));
    let lines = text.lines().take_while(is_part).map(str::trim);
    let lines = lines.filter(|line| !ADVICE.iter().any(|advice| line.starts_with(advice)));
    let sentence = lines.collect::<Vec<_>>().join(" ");
    // The error's first line is a sentence, or a heading of the following ones.
    sentence.replacen("while loading YAML. ", "while loading YAML: ", 1)
}

/// For a program that ended without `ERROR`: the last line of a traceback, else the first that is not a warning.
fn without_error(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_traceback = lines().any(|line| line.starts_with("Traceback (most recent call last)"));
    let first = lines().find(|line| !line.starts_with('['));
    let found = if is_traceback { lines().next_back() } else { first };
    found.unwrap_or("Ansible said nothing").to_owned()
}

fn find_place(error: &str) -> Option<Place> {
    error.lines().find_map(|line| match line.strip_prefix("Origin: ") {
        Some(origin) => Some(origin_of(origin.trim())),
        None => appears(line),
    })
}

/// Parses `file`, `file:line` or `file:line:column`.
fn origin_of(origin: &str) -> Place {
    let number =
        |text: &str| text.rsplit_once(':').and_then(|(rest, last)| Some((rest.to_owned(), last.parse().ok()?)));
    match number(origin) {
        None => Place { file: origin.to_owned(), line: None, column: None },
        Some((rest, last)) => match number(&rest) {
            None => Place { file: rest, line: Some(last), column: None },
            Some((file, line)) => Place { file, line: Some(line), column: Some(last) },
        },
    }
}

/// Parses `The error appears to be in 'file': line 3, column 5, but may`.
fn appears(line: &str) -> Option<Place> {
    let (_, rest) = line.strip_prefix("The error appears to")?.split_once(" in '")?;
    let (file, rest) = rest.split_once("': line ")?;
    Some(Place { file: file.to_owned(), line: leading_number(rest), column: after_column(rest) })
}

/// Parses `… in "b'file'", line 3, column 1`, the format of the requirements reader.
fn within_words(sentence: &str) -> Option<(String, Place)> {
    let (before, rest) = sentence.split_once(" in \"b'")?;
    let (file, rest) = rest.split_once("'\", line ")?;
    let place = Place { file: file.to_owned(), line: leading_number(rest), column: after_column(rest) };
    Some((before.to_owned(), place))
}

fn after_column(text: &str) -> Option<usize> {
    leading_number(text.split_once("column ")?.1)
}

fn leading_number(text: &str) -> Option<usize> {
    text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// Replaces paths of the run's directory by those in the repository.
pub(super) fn shorten_paths(text: &str, dir: &RunDir) -> String {
    let (checkout, home) = (dir.checkout().display().to_string(), dir.join("home").display().to_string());
    let text = text.replace(&format!("{checkout}/"), "").replace(&checkout, ".");
    text.replace(&home, "~").replace(&format!("{}/", dir.path().display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        find(text, &RunDir::at("/data/runs/7/0-1".as_ref()))
    }

    #[test]
    fn of_versions_up_to_2_18() {
        let text = "[WARNING]: a warning that is\nlonger than a line\nERROR! the role 'nope' was not found in \
            /data/runs/7/0-1/checkout/playbooks/roles:/data/runs/7/0-1/home/.ansible/roles\n\n\
            The error appears to be in '/data/runs/7/0-1/checkout/playbooks/site.yml': line 4, column 7, but may\n\
            be elsewhere in the file depending on the exact syntax problem.\n\nThe offending line appears to be:\n\n  - nope\n";
        assert_eq!(said(text), "the role 'nope' was not found (playbooks/site.yml, line 4, column 7)");
        let text = "ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each:\n\
            JSON: Expecting value: line 1 column 1 (char 0)\n\nSyntax Error while loading YAML.\n  did not find expected ',' or '}'\n\n\
            The error appears to be in '/data/runs/7/0-1/checkout/site.yml': line 4, column 1, but may\n";
        assert_eq!(
            said(text),
            "Syntax Error while loading YAML: did not find expected ',' or '}' (site.yml, line 4, column 1)"
        );
        let text = "ERROR! The vault password file /data/runs/7/0-1/home/.vault_pass was not found\n";
        assert_eq!(said(text), "The vault password file ~/.vault_pass was not found");
        let text = "ERROR! Unable to retrieve file contents\nCould not find or access \
            '/data/runs/7/0-1/checkout/playbooks/none.yml' on the Ansible Controller.\nIf you are using a module and expect the \
            file to exist on the remote, see the remote_src option\n";
        assert_eq!(
            said(text),
            "Unable to retrieve file contents Could not find or access 'playbooks/none.yml' on the Ansible Controller."
        );
    }

    #[test]
    fn of_versions_since_2_19() {
        let text = "[WARNING]: x\n[ERROR]: YAML parsing failed: While parsing a flow mapping did not find expected ',' or '}'.\n\
            Origin: /data/runs/7/0-1/checkout/playbooks/site.yml:4:1\n\n(source not shown: file truncated)\n";
        assert_eq!(
            said(text),
            "YAML parsing failed: While parsing a flow mapping did not find expected ',' or '}' (playbooks/site.yml, line 4, \
             column 1)"
        );
        let text = "[ERROR]: Invalid vars_files file '/data/runs/7/0-1/checkout/v.yml': Attempting to decrypt but no vault \
            secrets found.\n\nInvalid vars_files file.\n\n<<< caused by >>>\n\nAttempting\nOrigin: /data/runs/7/0-1/checkout/v.yml\n";
        assert_eq!(
            said(text),
            "Invalid vars_files file 'v.yml': Attempting to decrypt but no vault secrets found (v.yml)"
        );
    }

    #[test]
    fn of_a_program_that_ended_before() {
        let text = "Traceback (most recent call last):\n  File \"x\", line 1\nImportError: cannot import name 'environmentfilter'\n";
        assert_eq!(said(text), "ImportError: cannot import name 'environmentfilter'");
        let text = "Error reading config file (/data/runs/7/0-1/checkout/ansible.cfg): File contains no section headers.\nfile: x";
        assert_eq!(said(text), "Error reading config file (ansible.cfg): File contains no section headers.");
        assert_eq!(said(""), "Ansible said nothing");
    }

    #[test]
    fn of_requirements() {
        let text = "ERROR! Failed to parse the requirements yml at '/data/runs/7/0-1/checkout/requirements.yml' with the \
            following error:\nwhile parsing a flow node\ndid not find expected node content\n  \
            in \"b'/data/runs/7/0-1/checkout/requirements.yml'\", line 3, column 1\n";
        assert_eq!(
            said(text),
            "Failed to parse the requirements yml at 'requirements.yml' with the following error: while parsing a flow node did \
             not find expected node content (requirements.yml, line 3, column 1)"
        );
    }
}
