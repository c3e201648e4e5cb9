//! Differences between the releases of edx/configuration and edx-platform: one table, and the source of each fact.
//!
//! # Sources
//! Paths without a repository are of `openedx-unsupported/configuration` (the history of edx/configuration, archived in
//! 2024), at the last tag of each release: eucalyptus.3, ficus.4, ginkgo.2, hawthorn.2, ironwood.2, juniper.3, koa.3,
//! lilac.3, maple.3, nutmeg.3, olive.4, palm.4, quince.3, each below `open-release/`. There is none after Quince.
//!
//! - Versions: the list `VERSION_VARS` in `util/install/native.sh` (`sandbox.sh` before Hawthorn), which Open edX' own
//!   installer sets to the release.
//! - Features: `playbooks/roles/edxapp/defaults/main.yml`. `EDXAPP_FEATURES` is a map up to Juniper; since Koa (416790227)
//!   it is `EDXAPP_FEATURES_DEFAULT` with `EDXAPP_FEATURES_EXTRA` over it. edx/configuration of 2U has had neither since
//!   c6f7d86a6, and ignores both.
//! - Settings modules: `{lms,cms}/envs/openstack.py` of openedx/openedx-platform came with Eucalyptus (#11286) and went for
//!   Ulmo (#36908). The default of every release, `aws` or `production`, is right where the module is not needed.

/// The variable for feature switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Features {
    /// `EDXAPP_FEATURES` is the whole map.
    Whole,
    /// `EDXAPP_FEATURES_EXTRA` overrides the playbooks' own features.
    Extra,
    /// Unknown: both are set, so that either one works.
    Either,
}

/// Properties of a release that its variables depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Release {
    /// The name: `quince`. Blank if a release is not recognized.
    pub name: &'static str,
    /// The variable for feature switches.
    pub features: Features,
    /// Whether edx-platform and xqueue have settings modules for OpenStack, which keep files in Swift.
    pub has_openstack_settings: bool,
    /// The variables with the version of a component other than edx-platform, in the spelling of the release.
    pub versions: &'static [&'static str],
}

const EUCALYPTUS: &[&str] = &[
    "certs_version",
    "forum_version",
    "xqueue_version",
    "demo_version",
    "NOTIFIER_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
];

const GINKGO: &[&str] = &[
    "certs_version",
    "forum_version",
    "xqueue_version",
    "demo_version",
    "NOTIFIER_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
];

const HAWTHORN: &[&str] = &[
    "certs_version",
    "forum_version",
    "xqueue_version",
    "demo_version",
    "NOTIFIER_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
    "DISCOVERY_VERSION",
    "THEMES_VERSION",
];

const KOA: &[&str] = &[
    "CERTS_VERSION",
    "FORUM_VERSION",
    "XQUEUE_VERSION",
    "DEMO_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
    "DISCOVERY_VERSION",
    "THEMES_VERSION",
    "ACCOUNT_MFE_VERSION",
    "GRADEBOOK_MFE_VERSION",
    "PROFILE_MFE_VERSION",
];

const LILAC: &[&str] = &[
    "CERTS_VERSION",
    "FORUM_VERSION",
    "XQUEUE_VERSION",
    "DEMO_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
    "DISCOVERY_VERSION",
    "THEMES_VERSION",
    "MFE_DEPLOY_VERSION",
    "RETIREMENT_SERVICE_VERSION",
];

/// For every later release, too: no newer list exists.
const MAPLE: &[&str] = &[
    "FORUM_VERSION",
    "XQUEUE_VERSION",
    "DEMO_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
    "DISCOVERY_VERSION",
    "THEMES_VERSION",
    "MFE_DEPLOY_VERSION",
    "RETIREMENT_SERVICE_VERSION",
];

/// In every release, except variables that only one installer knew.
const ANY: &[&str] = &[
    "CERTS_VERSION",
    "FORUM_VERSION",
    "XQUEUE_VERSION",
    "DEMO_VERSION",
    "NOTIFIER_VERSION",
    "INSIGHTS_VERSION",
    "ANALYTICS_API_VERSION",
    "ECOMMERCE_VERSION",
    "ECOMMERCE_WORKER_VERSION",
    "DISCOVERY_VERSION",
    "THEMES_VERSION",
    "MFE_DEPLOY_VERSION",
];

const fn release(
    name: &'static str,
    features: Features,
    has_openstack_settings: bool,
    versions: &'static [&'static str],
) -> Release {
    Release { name, features, has_openstack_settings, versions }
}

/// Every release since the source document's time, oldest first.
pub(super) const RELEASES: &[Release] = &[
    release("eucalyptus", Features::Whole, true, EUCALYPTUS),
    release("ficus", Features::Whole, true, GINKGO),
    release("ginkgo", Features::Whole, true, GINKGO),
    release("hawthorn", Features::Whole, true, HAWTHORN),
    release("ironwood", Features::Whole, true, HAWTHORN),
    release("juniper", Features::Whole, true, HAWTHORN),
    release("koa", Features::Extra, true, KOA),
    release("lilac", Features::Extra, true, LILAC),
    release("maple", Features::Extra, true, MAPLE),
    release("nutmeg", Features::Extra, true, MAPLE),
    release("olive", Features::Extra, true, MAPLE),
    release("palm", Features::Extra, true, MAPLE),
    release("quince", Features::Extra, true, MAPLE),
    // Playbooks of edx/configuration do not deploy these; others may.
    release("redwood", Features::Extra, true, MAPLE),
    release("sumac", Features::Extra, true, MAPLE),
    release("teak", Features::Extra, true, MAPLE),
    release("ulmo", Features::Extra, false, MAPLE),
    release("verawood", Features::Extra, false, MAPLE),
];

/// `master` is newer than every release.
const MASTER: Release = release("master", Features::Extra, false, MAPLE);

/// Settings that work for any release.
const UNKNOWN: Release = release("", Features::Either, false, ANY);

/// The release of a branch or tag: `open-release/quince.3`, `release/teak.3`, `master`, and a fork's names that contain
/// one release's word (`acme/koa-2`). A name with none or two of these words is of an unknown release.
pub(super) fn recognise(openedx_release: &str) -> Release {
    if matches!(openedx_release, "master" | "main") {
        return MASTER;
    }
    let words = || openedx_release.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    let mut named = RELEASES.iter().filter(|release| words().any(|word| word == release.name));
    match (named.next(), named.next()) {
        (Some(release), None) => *release,
        (None | Some(_), _) => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_recognised_by_its_word() {
        for (text, name) in [
            ("open-release/quince.3", "quince"),
            ("open-release/quince.master", "quince"),
            ("release/teak.3", "teak"),
            ("release/ulmo", "ulmo"),
            ("opencraft-release/koa.3", "koa"),
            ("Juniper", "juniper"),
            ("master", "master"),
            ("main", "master"),
            ("", ""),
            ("my-branch", ""),
            ("palmtree", ""),
            ("master-2", ""),
            ("open-release/olive.1-to-palm", ""),
            ("8f2c1d7e9a", ""),
        ] {
            assert_eq!(recognise(text).name, name, "{text}");
        }
    }

    #[test]
    fn every_release_is_in_the_handbook_with_its_features_variable() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/open-edx.md"));
        for release in RELEASES {
            let row = page.lines().find(|line| line.to_ascii_lowercase().contains(&format!("| {} ", release.name)));
            assert!(row.is_some(), "docs/open-edx.md has no row for {}", release.name);
        }
    }

    #[test]
    fn no_release_has_a_component_twice() {
        for release in RELEASES.iter().chain([&MASTER, &UNKNOWN]) {
            let mut names: Vec<_> = release.versions.iter().map(|name| name.to_ascii_lowercase()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), release.versions.len(), "{}", release.name);
        }
    }
}
