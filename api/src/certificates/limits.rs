//! The limits of certificate authorities, kept here before an authority refuses: what it refuses counts there, too.

use chrono::{DateTime, TimeDelta, Utc};

/// At most `most` within `period`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub most: i64,
    pub period: TimeDelta,
}

/// The limits of an authority; a rule that is none is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most names of a certificate.
    pub names: usize,
    /// Certificates for each registered domain; renewals do not count.
    pub domain: Option<Limit>,
    /// Orders of the account.
    pub orders: Option<Limit>,
    /// Certificates with exactly the same names.
    pub same_names: Option<Limit>,
    /// Failed validations of one host name.
    pub failures: Option<Limit>,
}

impl Limits {
    /// Those of Let's Encrypt.
    pub const LETS_ENCRYPT: Self = Self {
        names: 100,
        domain: Some(Limit { most: 50, period: TimeDelta::days(7) }),
        orders: Some(Limit { most: 300, period: TimeDelta::hours(3) }),
        same_names: Some(Limit { most: 5, period: TimeDelta::days(7) }),
        failures: Some(Limit { most: 5, period: TimeDelta::hours(1) }),
    };

    /// Those of an authority whose rules are not known here: only failures are limited, so that no name is tried for ever.
    pub const UNKNOWN: Self = Self { domain: None, orders: None, same_names: None, ..Self::LETS_ENCRYPT };

    /// The limits of the authority with this directory.
    pub fn of(directory: &str) -> Self {
        let host = url::Url::parse(directory).ok().and_then(|url| url.host_str().map(str::to_owned));
        match host {
            Some(host) if host == "letsencrypt.org" || host.ends_with(".letsencrypt.org") => Self::LETS_ENCRYPT,
            Some(_) | None => Self::UNKNOWN,
        }
    }
}

/// What counts against a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// Certificates for this registered domain.
    Domain(String),
    /// Orders of the account.
    Orders,
    /// Certificates with the same names.
    SameNames,
    /// Failed validations of this host name.
    Failures(String),
}

impl Counted {
    fn words(&self, Limit { most, .. }: &Limit) -> String {
        match self {
            Self::Domain(domain) => format!("{most} of {most} certificates for {domain} this week"),
            Self::Orders => format!("{most} of {most} orders within 3 hours"),
            Self::SameNames => format!("{most} of {most} certificates with the same names this week"),
            Self::Failures(host) => format!("{most} of {most} failed validations of {host} within an hour"),
        }
    }
}

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub counted: Counted,
    pub limit: Limit,
    /// How many count now.
    pub used: i64,
    /// The time of the one whose period must end before another one is allowed: the `most`-th newest. None: fewer count.
    pub frees: Option<DateTime<Utc>>,
}

/// Until when to wait, and why: `waiting until Tuesday 14:00 UTC: 50 of 50 certificates for example.org this week`. None: no
/// limit is reached.
pub fn reached(uses: &[Use]) -> Option<(DateTime<Utc>, String)> {
    let full = uses.iter().filter(|one| one.used >= one.limit.most);
    // A full minute more, as people read minutes and clocks differ.
    let waits = full.filter_map(|one| Some((one.frees? + one.limit.period + TimeDelta::minutes(1), one)));
    let (until, longest) = waits.max_by_key(|(until, _)| *until)?;
    Some((until, format!("waiting until {}: {}", until.format("%A %H:%M UTC"), longest.counted.words(&longest.limit))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        "2026-12-01T13:59:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
    }

    fn domain(used: i64) -> Use {
        let limit = Limits::LETS_ENCRYPT.domain.unwrap();
        let frees = (used >= limit.most).then(|| at(0) - limit.period);
        Use { counted: Counted::Domain("example.org".into()), limit, used, frees }
    }

    #[test]
    fn the_words_name_the_day_the_limit_and_the_domain() {
        assert_eq!(reached(&[domain(49)]), None);
        let (until, words) = reached(&[domain(50)]).unwrap();
        assert_eq!(words, "waiting until Tuesday 14:00 UTC: 50 of 50 certificates for example.org this week");
        assert_eq!(until, at(1));
    }

    #[test]
    fn of_several_limits_the_longest_wait_is_told() {
        let limit = Limits::LETS_ENCRYPT.failures.unwrap();
        let failures = Use {
            counted: Counted::Failures("a.example.org".into()),
            limit,
            used: 7,
            frees: Some(at(30) - limit.period),
        };
        let (until, words) = reached(&[domain(50), failures, domain(3)]).unwrap();
        assert_eq!(until, at(31));
        assert_eq!(words, "waiting until Tuesday 14:30 UTC: 5 of 5 failed validations of a.example.org within an hour");
    }

    #[test]
    fn only_lets_encrypt_has_its_limits() {
        for own in
            ["https://acme-v02.api.letsencrypt.org/directory", "https://acme-staging-v02.api.letsencrypt.org/directory"]
        {
            assert_eq!(Limits::of(own), Limits::LETS_ENCRYPT);
        }
        for other in ["https://ca.example/dir", "https://evil-letsencrypt.org/dir", "nothing"] {
            assert_eq!(Limits::of(other), Limits::UNKNOWN, "{other}");
        }
    }
}
