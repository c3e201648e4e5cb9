//! Where people find an Open edX instance, and what proves that an app server of it works.

use shared_types::OpenEdxSettings;

use super::names::{lms_domain, studio_domain};
use crate::instances::application::{Addresses, CheckSpec};

/// The LMS first, then Studio.
pub(super) fn addresses(settings: &OpenEdxSettings) -> Addresses {
    Addresses { hostnames: vec![lms_domain(settings), studio_domain(settings)], protocol: settings.protocol.as_str() }
}

/// Both must answer: they are different processes.
pub(super) fn checks(settings: &OpenEdxSettings) -> Vec<CheckSpec> {
    let heartbeat = |name: &str, hostname| CheckSpec { name: name.to_owned(), hostname, path: "/heartbeat".to_owned() };
    vec![heartbeat("lms", lms_domain(settings)), heartbeat("studio", studio_domain(settings))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::openedx::testing::sample;

    #[test]
    fn lms_and_studio() {
        let settings = sample();
        let expected = ["astro.campus.example", "studio.astro.campus.example"];
        assert_eq!(
            addresses(&settings),
            Addresses { hostnames: expected.map(str::to_owned).into(), protocol: "https" }
        );
        let checks: Vec<_> =
            checks(&settings).into_iter().map(|check| (check.name, check.hostname, check.path)).collect();
        assert_eq!(
            checks,
            [("lms", expected[0]), ("studio", expected[1])].map(|(name, host)| (
                name.to_owned(),
                host.to_owned(),
                "/heartbeat".to_owned()
            ))
        );
    }
}
