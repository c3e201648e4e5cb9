//! What a value of a kind must look like, in words for the person who typed it.

/// The most characters of a whole host name (RFC 1035).
pub const HOSTNAME_MAX: usize = 253;

/// Reads a whole number in a range from the text of a form.
///
/// # Errors
/// A sentence for the user that names the range, if the text is no such number.
pub fn check_number(text: &str, least: i32, most: i32) -> Result<i32, String> {
    let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| number_words(least, most))
}

pub(super) fn number_words(least: i32, most: i32) -> String {
    format!("Must be a whole number from {least} to {most}.")
}

/// Checks a host name: parts of lower-case letters, digits and hyphens between dots. Its length is not checked.
///
/// # Errors
/// A sentence for the user if the text is no such host name.
pub fn check_hostname(text: &str) -> Result<(), String> {
    let label_is_fine = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.split('.').all(label_is_fine) {
        Ok(())
    } else {
        Err("Use lower-case letters, digits, hyphens and dots, like `first-academy`; no part may be empty, longer than 63 \
             characters, or begin or end with a hyphen."
            .into())
    }
}

pub(super) fn check_email(text: &str) -> Result<(), String> {
    let fine = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '[' | ']' | '\\')
    };
    match text.rsplit_once('@') {
        Some((local, host))
            if !local.is_empty()
                && !local.contains('@')
                && text.chars().all(fine)
                && check_hostname(&host.to_ascii_lowercase()).is_ok() =>
        {
            Ok(())
        }
        Some(_) | None => Err("Must be a mail address, like contact@example.com.".into()),
    }
}

pub(super) fn check_repository(text: &str) -> Result<(), String> {
    const SCHEMES: [&str; 5] = ["https://", "http://", "ssh://", "git://", "file:///"];
    let has_scheme = SCHEMES.iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let is_scp = !text.contains("://")
        && text.split_once(':').is_some_and(|(host, path)| {
            host.contains('@') && !host.starts_with('-') && !host.contains('/') && !path.is_empty()
        });
    let is_path = text.starts_with('/');
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) || !(has_scheme || is_scp || is_path) {
        return Err("Must be a git URL (https, http, ssh, git, file) or an absolute path, without spaces.".into());
    }
    Ok(())
}

pub(super) fn check_git_ref(text: &str) -> Result<(), String> {
    let forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    if text.starts_with(['-', '/'])
        || text.ends_with(['/', '.'])
        || text.contains("..")
        || text.contains("@{")
        || text.chars().any(forbidden)
    {
        return Err("Must be a git branch, tag or commit hash.".into());
    }
    Ok(())
}

pub(super) fn check_organization(text: &str) -> Result<(), String> {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !text.starts_with('-') {
        Ok(())
    } else {
        Err("Only letters, digits and hyphens.".into())
    }
}

/// Checks a relative path: it stays inside its directory, and no character is special to shells, URLs or options.
pub(super) fn check_path(text: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        !matches!(part, "" | "." | ".." | ".git")
            && !part.starts_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'@'))
    };
    if text.split('/').all(is_part) {
        Ok(())
    } else {
        Err("Must be the path of a file in the repository, like playbooks/site.yml: letters, digits and . _ - + @ between \
             slashes, no part `..`."
            .into())
    }
}

pub(super) fn check_line(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        Err("Must be one line, without control characters.".into())
    } else {
        Ok(())
    }
}
