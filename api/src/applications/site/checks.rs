//! The checks of a site's app servers.

use std::time::Duration;

use shared_types::applications::site::{SiteCheck, SiteSettings, Statuses, site_name};

use crate::instances::application::{ApplicationError, CheckSpec};

/// The checks of the settings, or a default check for each host name if there are none. Further checks of the same host
/// name are numbered.
///
/// # Errors
/// [`ApplicationError`] if the stored settings are not valid.
pub(super) fn checks(settings: &SiteSettings) -> Result<Vec<CheckSpec>, ApplicationError> {
    let by_default: Vec<SiteCheck> = settings.hostnames.iter().map(|hostname| SiteCheck::of(hostname)).collect();
    let given = if settings.checks.is_empty() { &by_default } else { &settings.checks };
    let mut made: Vec<CheckSpec> = Vec::with_capacity(given.len());
    for check in given {
        let hostname = settings.host_of(check);
        let site = site_name(&settings.hostnames, hostname);
        let before = made.iter().filter(|other| other.hostname == hostname).count();
        made.push(CheckSpec {
            name: if before == 0 { site.to_owned() } else { format!("{site} {}", before + 1) },
            hostname: hostname.to_owned(),
            path: check.path.clone(),
            statuses: statuses(&check.statuses)?.ranges().to_vec(),
            text: Some(check.text.clone()).filter(|text| !text.is_empty()),
            timeout: Duration::from_secs(check.timeout_seconds.into()),
        });
    }
    Ok(made)
}

fn statuses(text: &str) -> Result<Statuses, ApplicationError> {
    text.parse().map_err(|error| ApplicationError(format!("The stored statuses “{text}” cannot be read. {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::applications::site::testing::sample;

    fn of(settings: &SiteSettings) -> Vec<(String, String, String)> {
        let checks = checks(settings).unwrap();
        checks.into_iter().map(|check| (check.name, check.hostname, check.path)).collect()
    }

    fn row(name: &str, host: &str, path: &str) -> (String, String, String) {
        (name.into(), format!("{host}.campus.example"), path.into())
    }

    #[test]
    fn without_checks_each_host_name_is_asked() {
        let expected = [row("school", "school", "/"), row("school-content", "school-content", "/")];
        assert_eq!(of(&sample()), expected);
        assert!(checks(&sample()).unwrap().iter().all(|check| check.accepts(302) && !check.accepts(404)));
    }

    #[test]
    fn a_check_without_a_host_asks_the_main_one_and_each_has_a_name_of_its_own() {
        let check = |path: &str| SiteCheck { path: path.into(), ..SiteCheck::of("") };
        let settings = SiteSettings { checks: vec![check("/health"), check("/other")], ..sample() };
        assert_eq!(of(&settings), [row("school", "school", "/health"), row("school 2", "school", "/other")]);
    }

    #[test]
    fn text_and_timeout_are_asked_for() {
        let check = SiteCheck { text: "ok".into(), timeout_seconds: 9, ..SiteCheck::of("") };
        let made = checks(&SiteSettings { checks: vec![check], ..sample() }).unwrap().remove(0);
        assert_eq!((made.text.as_deref(), made.timeout), (Some("ok"), Duration::from_secs(9)));
        assert_eq!(checks(&sample()).unwrap().remove(0).text, None);
    }

    #[test]
    fn statuses_that_cannot_be_read_are_told() {
        let check = SiteCheck { statuses: "2xx".into(), ..SiteCheck::of("") };
        let Err(ApplicationError(words)) = checks(&SiteSettings { checks: vec![check], ..sample() }) else {
            panic!("2xx")
        };
        assert!(words.starts_with("The stored statuses “2xx” cannot be read."), "{words}");
    }
}
