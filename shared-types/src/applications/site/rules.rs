//! Rules across fields, for settings that passed each field's own rules.

use std::collections::BTreeSet;

use super::{SiteCheck, SiteResource, SiteSettings, Statuses};
use crate::FieldError;
use crate::hook::Hook;
use crate::resource::ACCOUNT;
use crate::settings::HOSTNAME_MAX;

/// All errors in settings whose host names are whole.
pub fn errors(settings: &SiteSettings) -> Vec<FieldError> {
    let mut errors = Errors(Vec::new());
    check_hostnames(&settings.hostnames, &mut errors);
    if settings.playbooks.is_empty() {
        errors.push("/playbooks", "At least one playbook is needed.");
    }
    check_resources(&settings.resources, &mut errors);
    for (check, at) in settings.checks.iter().zip(0..) {
        check_check(settings, check, &format!("/checks/{at}"), &mut errors);
    }
    check_hooks(&settings.hooks, &mut errors);
    errors.0
}

/// The errors that were found.
struct Errors(Vec<FieldError>);

impl Errors {
    fn push(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), detail: detail.into() });
    }
}

/// Checks the length again: labels were completed to whole names after their own rules were checked.
fn check_hostnames(hostnames: &[String], errors: &mut Errors) {
    if hostnames.is_empty() {
        errors.push("/hostnames", "At least one host name is needed.");
    }
    let mut seen = BTreeSet::new();
    for (name, at) in hostnames.iter().zip(0..) {
        let pointer = format!("/hostnames/{at}");
        let length = name.len();
        if length > HOSTNAME_MAX {
            errors.push(&pointer, format!("A whole host name may have {HOSTNAME_MAX} characters; these are {length}."));
        }
        if !seen.insert(name) {
            errors.push(&pointer, format!("{name} is in the list twice."));
        }
    }
}

fn check_resources(resources: &[SiteResource], errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (SiteResource { kind, name }, at) in resources.iter().zip(0..) {
        let pointer = format!("/resources/{at}/name");
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name == ACCOUNT || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_inner) {
            errors.push(&pointer, "Must have small letters, digits and `_`, the first a letter, and not be `account`.");
        }
        if !seen.insert((kind, name)) {
            errors.push(&pointer, format!("{name} is in the list twice for {}.", kind.name()));
        }
    }
}

fn check_check(settings: &SiteSettings, check: &SiteCheck, pointer: &str, errors: &mut Errors) {
    let SiteCheck { host, path, statuses, text: _, timeout_seconds: _ } = check;
    if !host.is_empty() && !settings.hostnames.contains(host) {
        errors.push(&format!("{pointer}/host"), "Must be one of the instance's host names, or blank for the main one.");
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        errors.push(&format!("{pointer}/path"), "Must begin with / and have no spaces; other characters as %XX.");
    }
    if let Err(error) = statuses.parse::<Statuses>() {
        errors.push(&format!("{pointer}/statuses"), error.to_string());
    }
}

fn check_hooks(hooks: &[Hook], errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (Hook { moment, playbook }, at) in hooks.iter().zip(0..) {
        if !seen.insert((moment, playbook)) {
            errors.push(
                &format!("/hooks/{at}/playbook"),
                format!("{playbook} is in the list twice for the same moment."),
            );
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
pub(super) mod tests;
