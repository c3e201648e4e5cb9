//! Three-way merge of a form field when another user has saved meanwhile. Pure.

use shared_types::secret::HIDDEN;
use shared_types::yaml;

/// The result for one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// The typed value stays: the other user has not changed the field.
    Mine,
    /// The other user's value is taken: nothing else was typed.
    Theirs,
    /// Both changed it: the user has to choose.
    Clash,
}

/// Decides by the common base, the typed and the saved value. `is_hidden`: the saved value looks unchanged, but a
/// secret in it was changed, or may have been.
pub fn merged(base: &str, mine: &str, theirs: &str, is_hidden: bool) -> Merged {
    if mine == base || (mine == theirs && !is_hidden) {
        return Merged::Theirs;
    }
    // A mask that is sent back stands for the stored value: the other user's secret stays.
    let gives_up_secrets = marks(mine) < marks(theirs);
    if base == theirs && !(is_hidden && gives_up_secrets) { Merged::Mine } else { Merged::Clash }
}

fn marks(text: &str) -> usize {
    text.matches(HIDDEN).count()
}

/// Merges both changes of a YAML text if they are in different lines and the result is YAML without more surprises than
/// either: if both added the same key, only one would count.
pub fn both(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let lines = |text| -> Vec<&str> { str::lines(text).collect() };
    let (base, my_lines, their_lines) = (lines(base), lines(mine), lines(theirs));
    let (ours, other) = (Hunk::between(&base, &my_lines), Hunk::between(&base, &their_lines));
    let (first, second) =
        if ours.end <= other.start && ours.start < other.start { (ours, other) } else { (other, ours) };
    if first.end > second.start {
        return None;
    }
    let parts = [
        base.get(..first.start)?,
        first.lines,
        base.get(first.end..second.start)?,
        second.lines,
        base.get(second.end..)?,
    ];
    let text = parts.concat().join("\n") + "\n";
    let known: Vec<_> = [mine, theirs].into_iter().flat_map(yaml::advice).collect();
    let surprises = yaml::advice(&text).iter().any(|new| known.iter().all(|one| one.detail != new.detail));
    (yaml::parse_map(&text).is_ok() && !surprises).then_some(text)
}

/// One side's version of the lines from `start` to `end`.
struct Hunk<'a> {
    start: usize,
    end: usize,
    lines: &'a [&'a str],
}

impl<'a> Hunk<'a> {
    /// The smallest range of lines that contains all changes.
    fn between(base: &[&str], changed: &'a [&'a str]) -> Self {
        let start = base.iter().zip(changed).take_while(|(one, other)| one == other).count();
        let rest = base.len().min(changed.len()) - start;
        let ends = base.iter().rev().zip(changed.iter().rev());
        let same = ends.take(rest).take_while(|(one, other)| one == other).count();
        let lines = changed.get(start..changed.len() - same).unwrap_or_default();
        Self { start, end: base.len() - same, lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_what_both_changed_otherwise_needs_a_person() {
        assert_eq!(merged("a", "a", "a", false), Merged::Theirs, "neither side changed it");
        assert_eq!(merged("a", "a", "b", false), Merged::Theirs);
        assert_eq!(merged("a", "b", "a", false), Merged::Mine);
        assert_eq!(merged("a", "b", "b", false), Merged::Theirs, "both to the same");
        assert_eq!(merged("a", "b", "c", false), Merged::Clash);
        assert_eq!(merged("a", "", "c", false), Merged::Clash, "a blank is a value too");
    }

    #[test]
    fn a_secret_that_changed_unseen_is_not_overwritten_unseen() {
        let base = "PASSWORD: \"••••••\"\nA: 1\n";
        let secret_typed = "PASSWORD: new\nA: 1\n";
        let other_line = "PASSWORD: \"••••••\"\nA: 2\n";
        assert_eq!(merged(base, secret_typed, base, true), Merged::Clash);
        assert_eq!(merged(base, secret_typed, base, false), Merged::Mine, "the other user did not touch it");
        assert_eq!(merged(base, other_line, base, true), Merged::Mine, "the mark keeps their secret");
        assert_eq!(merged(base, base, base, true), Merged::Theirs);
    }

    #[test]
    fn changes_in_different_lines_go_together() {
        let base = "A: 1\nB: 2\nC: 3\n";
        assert_eq!(both(base, "A: 9\nB: 2\nC: 3\n", "A: 1\nB: 2\nC: 8\n").as_deref(), Some("A: 9\nB: 2\nC: 8\n"));
        assert_eq!(both(base, "A: 1\nB: 2\nC: 8\n", "A: 9\nB: 2\nC: 3\n").as_deref(), Some("A: 9\nB: 2\nC: 8\n"));
        let appended = both(base, "A: 1\nB: 2\nC: 3\nM: 1\n", "A: 1\nB: 2\nC: 3\nT: 1");
        assert_eq!(appended.as_deref(), Some("A: 1\nB: 2\nC: 3\nT: 1\nM: 1\n"), "both added at the end");
        assert_eq!(both(base, "B: 2\nC: 3\n", "A: 1\nB: 2\nC: 3\nT: 1\n").as_deref(), Some("B: 2\nC: 3\nT: 1\n"));
        assert_eq!(both("", "M: 1\n", "T: 1\n").as_deref(), Some("T: 1\nM: 1\n"));
    }

    #[test]
    fn changes_that_meet_or_make_no_yaml_do_not() {
        let base = "A: 1\nB: 2\n";
        assert_eq!(both(base, "A: 8\nB: 2\n", "A: 9\nB: 2\n"), None, "the same line");
        assert_eq!(both(base, "A: 1\nB: 2\nX: 1\n", "A: 1\nB: 2\nX: 2\n"), None, "the same key twice");
        assert_eq!(both(base, "A: 1\n", "A: 1\nB:\n  C: 1\n"), None, "taken away here, changed there");
    }
}
