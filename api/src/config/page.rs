//! The table of settings for people: docs/settings.md, and a list for the command line.

use super::Settings;
use super::table::{Declared, one_line};

const HEAD: &str = "\
# Settings

Environment variables, or the same names in lower case in the TOML file that `OCIM_CONFIG` names. The environment takes
precedence. With a value that is not valid, or an unknown name in the file, the program does not start and names it.

Programs are found on `PATH`; Postgres' also in `PG_BINDIR` and `/usr/lib/postgresql/*/bin`.

This page is generated from the program: change the declaration, then run `make settings`.
";

/// docs/settings.md. `others`: the sections that other rooms declare.
pub fn markdown(others: &[Declared]) -> String {
    let mut page = HEAD.to_owned();
    for section in Settings::own().iter().chain(others) {
        page += &format!("\n## {}\n\n{}\n\n", section.title, one_line(section.about));
        page += "| name | default | what it is |\n|---|---|---|\n";
        for entry in (section.entries)() {
            page += &format!("| `{}` | {} | {} |\n", entry.variable(), entry.value(), entry.help());
        }
    }
    page
}

/// Names and defaults by section, without help, for a terminal.
pub fn list(others: &[Declared]) -> String {
    let mut list =
        "SETTINGS, environment variables, or in the TOML file that OCIM_CONFIG names; docs/settings.md says what each \
                    is. OCIM_LOG sets what is logged.\n"
            .to_owned();
    for section in Settings::own().iter().chain(others) {
        list += &format!("\n  {}\n", section.title);
        for entry in (section.entries)() {
            list += &format!("    {:<36} {}\n", entry.variable(), entry.value().replace('`', ""));
        }
    }
    list
}
