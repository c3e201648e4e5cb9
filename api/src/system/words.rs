//! Redacts errors for all users who sign in.

/// The most characters of an error that are shown.
const MOST: usize = 200;

/// An error without paths, addresses and credentials; the log has it in full.
pub(super) fn public(error: &str) -> String {
    let tells = |word: &str| word.contains(['/', '@', '\\', '=']) || word.contains("::") || has_dots(word);
    let line = error.split_whitespace().map(|word| if tells(word) { "…" } else { word }).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Whether a word is a host name or an address: dots between letters or digits.
fn has_dots(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
    inner.contains('.')
}

#[cfg(test)]
mod tests {
    use super::public;

    #[test]
    fn where_things_are_is_not_told() {
        assert_eq!(
            public("cannot open /srv/ocim/keys: Permission denied (os error 13)."),
            "cannot open … Permission denied (os error 13)."
        );
        assert_eq!(public("connect to 10.0.0.7:25 (mail.internal.example) failed"), "connect to … … failed");
        assert_eq!(public("postgres://me:pw@db/x refused password=pw [::1]:5432"), "… refused … …");
        assert_eq!(public("the gateway\ndoes not answer"), "the gateway does not answer");
        assert_eq!(public(&"x".repeat(300)).chars().count(), 201);
    }
}
