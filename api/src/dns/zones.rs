//! The zone of a name, among those of the settings; it is never guessed.

use super::DnsError;

/// The most specific of these zones that holds the name. `zones`: the most specific first.
///
/// # Errors
/// [`DnsError::NoZone`] if none of them does.
pub(super) fn zone_of<'a>(zones: &'a [String], name: &str) -> Result<&'a str, DnsError> {
    let found = zones.iter().find(|zone| holds(zone, name)).map(String::as_str);
    found.ok_or_else(|| {
        DnsError::NoZone(format!(
            "{name} is in none of the zones that ocim may write ({}). Set its records at its DNS provider, or add its \
             zone to OCIM_DNS_ZONES.",
            zones.join(", ")
        ))
    })
}

/// Whether a zone holds a name: as its apex or below it.
pub(super) fn holds(zone: &str, name: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_most_specific_zone_holds_the_name() {
        let zones = ["sandbox.example.org".to_owned(), "example.org".to_owned()];
        assert_eq!(zone_of(&zones, "pr17.sandbox.example.org").unwrap(), "sandbox.example.org");
        assert_eq!(zone_of(&zones, "example.org").unwrap(), "example.org");
        let error = zone_of(&zones, "notexample.org").unwrap_err().to_string();
        assert!(error.contains("sandbox.example.org, example.org") && error.contains("OCIM_DNS_ZONES"), "{error}");
    }
}
