//! HTTP statuses that pass a check: `200`, `200,302`, `200-399,401`.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// The statuses that a check accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

/// A text that names no statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Must be statuses from 100 to 599, like 200,302 or 200-399; at most {max} numbers and ranges.", max = Statuses::MAX)]
pub struct ParseStatusesError;

impl Statuses {
    /// What a check accepts unless it says otherwise: every answer that is no error.
    pub const DEFAULT: &'static str = "200-399";

    /// How many numbers and ranges there may be.
    pub const MAX: usize = 10;

    /// Whether this status passes.
    pub fn accept(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// The ranges, in the order of the text; a single status is a range of one.
    pub fn ranges(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }
}

impl FromStr for Statuses {
    type Err = ParseStatusesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let status = |text: &str| {
            let text = text.trim();
            let number = text.parse().ok().filter(|number| (100..=599).contains(number));
            number.filter(|_| text.len() == 3).ok_or(ParseStatusesError)
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (status(first)?, status(last)?);
            if first <= last { Ok(first..=last) } else { Err(ParseStatusesError) }
        };
        let ranges = text.split(',').map(range).collect::<Result<Vec<_>, _>>()?;
        if ranges.len() <= Self::MAX { Ok(Self(ranges)) } else { Err(ParseStatusesError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_accepted() {
        let accepts = |text: &str, status| text.parse::<Statuses>().is_ok_and(|statuses| statuses.accept(status));
        for status in [200, 302, 399] {
            assert!(accepts(Statuses::DEFAULT, status), "{status}");
        }
        assert!(!accepts(Statuses::DEFAULT, 400));
        assert!(accepts("200, 302", 302) && !accepts("200,302", 301));
        assert!(accepts("200-204,401", 401) && accepts("200 - 204", 203));
    }

    #[test]
    fn other_texts_are_refused() {
        let many = ["200"; Statuses::MAX + 1].join(",");
        for text in ["", ",", "200,", "2xx", "99", "600", "399-200", "200-", "-200", "+200", "0200", &many] {
            assert_eq!(text.parse::<Statuses>(), Err(ParseStatusesError), "{text}");
        }
    }
}
