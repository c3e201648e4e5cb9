//! Whose playbooks may be run.

use shared_types::secret;

/// Whether a URL has a password in it, or a token in the place of a user's name.
pub(super) fn has_credentials(url: &str) -> bool {
    !secret::url_passwords(url).is_empty()
}

/// The repository of the list that a URL names, as the list spells it: what is run is what somebody here wrote. One that the
/// list spells with a password is never found: it would reach the machine of a stranger's code.
pub(super) fn allowed<'a>(url: &str, list: &'a [String]) -> Option<&'a str> {
    let wanted = normalised(url);
    list.iter().find(|known| !has_credentials(known) && normalised(known) == wanted).map(String::as_str)
}

/// Without what makes no difference: a `/` or `.git` at the end, the case of the scheme and the host.
fn normalised(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url).trim_end_matches('/');
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{}://", scheme.to_ascii_lowercase()), rest),
        None => (String::new(), url),
    };
    // After a scheme the path begins at a slash; without one (`git@host:path`) at the colon.
    let end = rest.find(if scheme.is_empty() { ':' } else { '/' }).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.starts_with('/') {
        return url.to_owned();
    }
    match authority.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}{user}@{}{path}", host.to_ascii_lowercase()),
        None => format!("{scheme}{}{path}", authority.to_ascii_lowercase()),
    }
}
