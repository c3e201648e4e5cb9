//! Finds and masks passwords inside URLs.

/// The passwords (or tokens) inside the URLs of a text, as they are written and, where that differs, decoded.
pub fn url_passwords(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, end) in spans(text) {
        let Some(written) = text.get(start..end) else { continue };
        let decoded = percent_decoded(written);
        if decoded != written {
            found.push(decoded);
        }
        found.push(written.to_owned());
    }
    found
}

/// The text with `hidden` in the place of each password inside a URL: `https://user:••••••@host/`.
pub fn without_url_passwords(text: &str, hidden: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans(text) {
        shown.push_str(text.get(done..start).unwrap_or_default());
        shown.push_str(hidden);
        done = end;
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    shown
}

/// Where passwords inside URLs are, in bytes. In `http` and `https` a name without a password is a token; elsewhere
/// (`ssh://git@host`) it is a name.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let begin = at + mark.len();
        let authority = text.get(begin..).unwrap_or_default();
        let end = authority.find(ends_authority).unwrap_or(authority.len());
        let Some(user_end) = authority.get(..end).unwrap_or_default().rfind('@') else { continue };
        let user = authority.get(..user_end).unwrap_or_default();
        let start = match user.find(':') {
            Some(colon) => colon + 1,
            None if is_http(text, at) => 0,
            None => continue,
        };
        if start < user_end {
            found.push((begin + start, begin + user_end));
        }
    }
    found
}

fn is_http(text: &str, end: usize) -> bool {
    let ends_with = |word: &str| {
        let start = end.checked_sub(word.len());
        start.and_then(|start| text.get(start..end)).is_some_and(|before| before.eq_ignore_ascii_case(word))
    };
    ends_with("http") || ends_with("https")
}

fn ends_authority(character: char) -> bool {
    character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`' | '\\')
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let coded = others.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match coded.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = others.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_found_and_names_stay() {
        let hide = |text| without_url_passwords(text, "*");
        assert_eq!(hide("clone https://me:p%40ss@host/a.git now"), "clone https://me:*@host/a.git now");
        assert_eq!(hide("'https://ghp_token@github.com/a'"), "'https://*@github.com/a'");
        assert_eq!(
            hide("ssh://git@host/a and git@host:a and http://host/@x"),
            "ssh://git@host/a and git@host:a and http://host/@x"
        );
        assert_eq!(hide("https://a:b@x https://c:d@y"), "https://a:*@x https://c:*@y");
        assert_eq!(hide("https://me:p@ss@host/"), "https://me:*@host/");
        assert_eq!(url_passwords("https://me:p%40ss@host/"), ["p@ss", "p%40ss"]);
        assert_eq!(hide("://@ https://:@x"), "://@ https://:@x");
    }
}
