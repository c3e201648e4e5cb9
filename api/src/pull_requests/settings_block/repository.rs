//! Checks the configuration repository against the allowed ones.

use shared_types::secret;

/// How many allowed repositories a message lists.
const SHOWN: usize = 3;

/// Whether a URL has a password, or a token as its user name.
pub(super) fn has_credentials(url: &str) -> bool {
    !secret::url_passwords(url).is_empty()
}

/// The allowed repository that a URL names, as the administrator's list spells it; that spelling is used. An entry with
/// a password is never found: the password would reach a machine that runs untrusted code.
pub(super) fn allowed<'a>(url: &str, list: &'a [String]) -> Option<&'a str> {
    let wanted = place(url);
    list.iter().find(|known| !has_credentials(known) && place(known) == wanted).map(String::as_str)
}

/// The remedy for a repository that is not in the list: some allowed ones.
pub(super) fn choices(list: &[String]) -> String {
    // Local paths and internal servers are not shown to untrusted authors.
    let shown = list.iter().filter(|known| known.starts_with("https://") && !has_credentials(known));
    let shown: Vec<_> = shown.take(SHOWN).map(String::as_str).collect();
    if shown.is_empty() { "Remove the line".to_owned() } else { format!("Write {}", shown.join(" or ")) }
}

/// A repository's host and path, to compare URLs. Ignores the scheme, its default port, the user `git`, slashes and
/// `.git` at the end, the case of the host and, at GitHub, of the path.
fn place(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url).trim_end_matches('/');
    if url.starts_with('/') {
        return url.to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("ssh", url));
    // After a scheme the path begins at a slash; without one (`git@host:path`) at the colon.
    let is_short = rest.len() == url.len();
    let (authority, path) = rest.split_once(if is_short { ':' } else { '/' }).unwrap_or((rest, ""));
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_prefix("git@").unwrap_or(&authority);
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        "http" => ":80",
        "ssh" | "git+ssh" | "ssh+git" => ":22",
        "git" => ":9418",
        _ => return url.to_owned(),
    };
    let host = authority.strip_suffix(port).unwrap_or(authority);
    let path = path.trim_start_matches('/');
    match host {
        "github.com" | "www.github.com" => format!("github.com/{}", path.to_ascii_lowercase()),
        other => format!("{other}/{path}"),
    }
}
