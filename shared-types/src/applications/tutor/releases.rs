//! The releases of Open edX that are deployed, and what of PyPI deploys each.
//!
//! Sources: the packages of PyPI, read in November 2026. A release of Open edX is a major version of Tutor
//! (`tutor/templates/config/defaults.yml`, `OPENEDX_COMMON_VERSION`); each plugin names the major version of Tutor that it is
//! made for. Every row was rendered by its own packages: two machines with the same secrets render the same files.

/// A release of Open edX.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// The name, in lower case, as Tutor knows it: `verawood`.
    pub name: &'static str,
    /// The packages with their versions; the first is Tutor.
    pub packages: &'static [(&'static str, &'static str)],
    /// The tag of edx-platform that this version of Tutor builds.
    pub tag: &'static str,
    /// Whether the LMS also answers at `preview.`.
    pub has_preview: bool,
}

/// Every release, the earliest first.
pub const RELEASES: &[Release] = &[
    Release {
        name: "sumac",
        packages: &[("tutor", "19.0.5"), ("tutor-mfe", "19.0.1"), ("tutor-indigo", "19.0.3")],
        tag: "open-release/sumac.3",
        has_preview: true,
    },
    Release {
        name: "teak",
        packages: &[("tutor", "20.0.5"), ("tutor-mfe", "20.1.1"), ("tutor-indigo", "20.0.1")],
        tag: "release/teak.3",
        has_preview: true,
    },
    Release {
        name: "ulmo",
        packages: &[("tutor", "21.0.9"), ("tutor-mfe", "21.0.2"), ("tutor-indigo", "21.2.1")],
        tag: "release/ulmo.4",
        has_preview: false,
    },
    Release {
        name: "verawood",
        packages: &[("tutor", "22.0.3"), ("tutor-mfe", "22.1.0"), ("tutor-indigo", "22.0.0")],
        tag: "release/verawood.1",
        has_preview: false,
    },
];

/// The names of [`RELEASES`], for a choice.
pub const NAMES: &[&str] = &["sumac", "teak", "ulmo", "verawood"];

/// The newest release: what a new instance gets.
pub const NEWEST: &str = "verawood";

/// The release of this name.
pub fn named(name: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.name == name)
}

/// The place of a release in [`RELEASES`]: the later one is larger.
pub fn place(name: &str) -> Option<usize> {
    RELEASES.iter().position(|release| release.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_lists_every_release_and_the_default_is_the_last() {
        let names: Vec<_> = RELEASES.iter().map(|release| release.name).collect();
        assert_eq!(names, NAMES);
        assert_eq!(names.last(), Some(&NEWEST));
    }

    #[test]
    fn every_release_is_one_major_version_of_tutor_and_its_plugins() {
        for (at, release) in RELEASES.iter().enumerate() {
            let major = (19 + at).to_string();
            for (package, version) in release.packages {
                assert_eq!(version.split('.').next(), Some(major.as_str()), "{package} of {}", release.name);
            }
            assert!(release.tag.contains(release.name), "{}", release.tag);
        }
    }
}
