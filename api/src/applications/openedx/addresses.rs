//! The public addresses of an Open edX instance, and the checks of its app servers.

use shared_types::applications::openedx;
use shared_types::applications::openedx::OpenEdxSettings;

use super::names::lms_domain;
use crate::instances::application::{CheckSpec, Sites};

/// The sites, LMS first, then Studio.
pub(super) fn sites(settings: &OpenEdxSettings) -> Sites {
    let domain = lms_domain(settings);
    Sites { sites: openedx::sites_of(&domain), protocol: settings.protocol.as_str() }
}

/// Checks of LMS and Studio: both must answer, since they are different processes.
pub(super) fn checks(settings: &OpenEdxSettings) -> Vec<CheckSpec> {
    let sites = sites(settings).sites;
    sites.iter().map(|site| CheckSpec::ok(&site.name, &site.hostname, "/heartbeat")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::openedx::testing::sample;

    #[test]
    fn lms_and_studio() {
        let settings = sample();
        let expected = ["astro.campus.example", "studio.astro.campus.example"];
        let found = sites(&settings);
        assert_eq!((found.hostnames(), found.protocol), (expected.map(str::to_owned).into(), "https"));
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
