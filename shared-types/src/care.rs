//! Settings of instances of every type: their place in the queue, and for how long machines are kept.

use crate::server::ProviderName;
use crate::settings::{Field, FieldKind};

/// How many builds of one instance may be in progress at once: the least and the most.
pub const BUILDS: (i32, i32) = (1, 20);
/// Hours that an app server which is no longer needed may keep its machine: up to a year.
pub const RETENTION_HOURS: (i32, i32) = (1, 8760);

/// The fields, in the order of the form. They are changed together with the settings, and no app server keeps a record of them.
pub const FIELDS: &[Field] = &[
    Field::new(
        "tier",
        "Tier",
        "Production builds go first in the queue",
        FieldKind::Choice(&["production", "preview"]),
        10,
    ),
    Field::new(
        "max_builds",
        "Parallel builds",
        "How many of its app servers may be built at the same time, 1 to 20",
        FieldKind::Whole { least: BUILDS.0, most: BUILDS.1 },
        2,
    ),
    Field::new(
        "retention_hours",
        "Keep machines for (hours)",
        "Hours to keep machines that are not active, fallback, newest or pinned; blank for this manager's default",
        FieldKind::Whole { least: RETENTION_HOURS.0, most: RETENTION_HOURS.1 },
        4,
    ),
    Field::new(
        "provider",
        "Provider",
        "Where its next machines are made; blank for this manager’s default. Present machines stay where they are",
        FieldKind::Line,
        ProviderName::MAX,
    ),
    Field::new(
        "https",
        "HTTPS",
        "How visitors by HTTP are treated where the gateways have a certificate: redirect; optional: served; strict: \
         redirect, and browsers use nothing else for a year (HSTS)",
        FieldKind::Choice(&["redirect", "optional", "strict"]),
        10,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::https::HttpsPolicy;
    use crate::queue::Tier;

    fn check(name: &str, text: &str) -> bool {
        FIELDS.iter().find(|field| field.name == name).is_some_and(|field| field.check_text(text).is_ok())
    }

    #[test]
    fn every_tier_and_policy_can_be_chosen() {
        assert!(Tier::ALL.iter().all(|tier| check("tier", tier.as_str())));
        assert!(!check("tier", "gold"));
        assert!(HttpsPolicy::ALL.iter().all(|policy| check("https", policy.as_str())));
        assert!(!check("https", "never"));
    }

    #[test]
    fn numbers_keep_their_limits() {
        for right in ["", "1", "20"] {
            assert!(check("max_builds", right), "{right}");
        }
        for wrong in ["0", "21", "-1", "1.5", "two", "99999999999"] {
            assert!(!check("max_builds", wrong), "{wrong}");
        }
        assert!(check("retention_hours", "8760"));
        assert!(!check("retention_hours", "8761"));
    }
}
