//! The block of a machine's `authorized_keys` with the keys of people. Its lines are made from checked algorithms, Base64 and
//! a label of harmless characters only; the machine's own key and all other lines stand outside of it.

use crate::platform::public_key::PublicKey;

/// The line before the keys. [`BEGIN`] and [`END`] are also in `install_people.sh`.
pub const BEGIN: &str = "# BEGIN ocim people: written by ocim, changes between these two lines are lost";
/// The line after the keys.
pub const END: &str = "# END ocim people";

/// What begins the comment of each key.
const MARK: &str = "ocim:";
/// The most characters of a label.
const MAX_LABEL: usize = 64;

/// The block with these keys, each with the name of its person; both lines are there if there is no key.
pub fn block<'a>(keys: impl IntoIterator<Item = (&'a PublicKey, &'a str)>) -> String {
    let mut block = format!("{BEGIN}\n");
    for (key, person) in keys {
        block.push_str(&format!("{} {MARK}{}\n", key.line(), label(person)));
    }
    block + END + "\n"
}

/// A person's name with `_` in place of all but ASCII letters, digits and a few signs.
fn label(person: &str) -> String {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@' | '/');
    person.chars().take(MAX_LABEL).map(|c| if is_harmless(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::process::Command;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";

    fn key() -> PublicKey {
        PublicKey::parse(KEY).unwrap().0
    }

    #[test]
    fn a_name_cannot_add_a_line_an_option_or_a_marker() {
        for name in ["a\nssh-rsa AAAA", "a b\r\n# END ocim people", "\u{2028}x", "$(reboot)`id`'\"", "Zoë", ""] {
            let block = block([(&key(), name)]);
            let lines: Vec<_> = block.split('\n').collect();
            assert_eq!((lines.len(), lines[0], lines[2], lines[3]), (4, BEGIN, END, ""), "{name:?}");
            let words: Vec<_> = lines[1].split(' ').collect();
            assert_eq!(words[..2].join(" "), KEY, "{name:?}");
            assert_eq!(words.len(), 3, "{name:?}: {block}");
            assert!(words[2].starts_with(MARK));
        }
    }

    #[test]
    fn the_script_knows_both_lines() {
        let script = include_str!("install_people.sh");
        for line in [BEGIN, END] {
            assert!(script.contains(&format!("'{line}'")), "{line}");
        }
    }

    /// Runs the script for the user of this process, with a home directory of the test.
    fn installed(before: Option<&str>, block: &str) -> (bool, Option<String>) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".ssh/authorized_keys");
        if let Some(before) = before {
            std::fs::create_dir(home.path().join(".ssh")).unwrap();
            std::fs::write(&file, before).unwrap();
        }
        let script = format!("getent() {{ echo \"x:x:0:0:x:{}:x\"; }}\n{}", home.path().display(), SCRIPT);
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let mut child = Command::new("sh")
            .args(["-c", &script, "ocim", String::from_utf8(user).unwrap().trim()])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), block.as_bytes()).unwrap();
        let is_done = child.wait_with_output().unwrap().status.success();
        let left = std::fs::read_dir(home.path().join(".ssh")).map_or(0, Iterator::count);
        assert!(left <= 1, "a temporary file is left");
        (is_done, std::fs::read_to_string(&file).ok())
    }

    const SCRIPT: &str = include_str!("install_people.sh");

    #[test]
    fn only_the_block_is_replaced() {
        let new = block([(&key(), "ada")]);
        let old = block([(&key(), "bob"), (&key(), "eve")]);
        let own = "ssh-ed25519 AAAA ocim";
        for (before, after) in [
            (None, new.clone()),
            (Some(own.to_owned()), format!("{own}\n{new}")),
            (Some(format!("{own}\n{old}")), format!("{own}\n{new}")),
            (
                Some(format!("{old}{own}\n# mine\n\n{old}no-pty ssh-rsa BB me\n")),
                format!("{own}\n# mine\n\nno-pty ssh-rsa BB me\n{new}"),
            ),
            // The last line of the block is missing: the keys of people go, all others stay.
            (Some(old.replace(END, own)), format!("{own}\n{new}")),
            (Some(format!("{own}\n{new}")), format!("{own}\n{new}")),
        ] {
            assert_eq!(installed(before.as_deref(), &new), (true, Some(after)), "{before:?}");
        }
        assert_eq!(
            installed(Some(&format!("{own}\n{old}")), &block([])),
            (true, Some(format!("{own}\n{}", block([]))))
        );
    }

    #[test]
    fn a_block_that_is_cut_off_changes_nothing() {
        let new = block([(&key(), "ada")]);
        for cut in ["", &new[..20], new.strip_suffix(&format!("{END}\n")).unwrap()] {
            let (is_done, after) = installed(Some("ssh-ed25519 AAAA ocim\n"), cut);
            assert_eq!((is_done, after.as_deref()), (false, Some("ssh-ed25519 AAAA ocim\n")), "{cut:?}");
        }
    }
}
