//! Host names that no instance may have: this program's own, to which browsers send its cookies, and those that browsers
//! take for an address.

use shared_types::FieldError;
use shared_types::applications::ApplicationType;

use crate::instances::application::Sites;
use crate::instances::{Manager, Refusal};

/// Refuses sites with a reserved host name. `kept`: the sites that the instance has already, whose names stay allowed.
///
/// # Errors
/// [`Refusal::Invalid`], for the field with the address.
pub(super) fn refuse(
    manager: &Manager,
    kind: &ApplicationType,
    sites: &Sites,
    kept: Option<&Sites>,
) -> Result<(), Refusal> {
    let kept = kept.map(Sites::hostnames).unwrap_or_default();
    let new = sites.hostnames().into_iter().filter(|name| !kept.contains(name));
    match new.into_iter().find_map(|name| fault(&name, &manager.options.reserved_hosts)) {
        Some(fault) => Err(Refusal::Invalid(vec![FieldError::new(kind.address_field, fault)])),
        None => Ok(()),
    }
}

/// What is wrong with a host name; none if an instance may have it. `own`: the names of this program, in lower case.
fn fault(name: &str, own: &[String]) -> Option<String> {
    let plain = name.trim_end_matches('.').to_ascii_lowercase();
    if own.contains(&plain) {
        return Some(format!("{name} is the address of this program itself; choose another name."));
    }
    // As in the URL standard: a name that ends in a number is an IPv4 address, or invalid.
    let last = plain.rsplit('.').next().unwrap_or_default();
    let is_number = last.strip_prefix("0x").map_or_else(
        || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
        |hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
    );
    let words = "browsers take a name that ends in a number for an address; choose another name.";
    is_number.then(|| format!("{name} cannot be used: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_those_that_end_in_a_number_are_reserved() {
        let own = ["localhost".to_owned(), "ocim.example".to_owned()];
        for free in ["demo.localhost", "x.ocim.example", "ocim.example.org", "127.example", "a.0b", "1.2.3.4a", "0x.a"]
        {
            assert_eq!(fault(free, &own), None, "{free}");
        }
        for wrong in
            ["localhost", "Ocim.Example", "ocim.example.", "127.0.0.1", "127.1", "2130706433", "a.0x7f", "a.0x"]
        {
            assert!(fault(wrong, &own).is_some(), "{wrong}");
        }
    }
}
