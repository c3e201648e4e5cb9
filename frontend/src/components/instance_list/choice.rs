//! Which instances are listed, and in which order.

use std::cmp::Ordering;

use shared_types::InstanceSummary;

use crate::state::data::{Row, Words};

/// Which instances are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    All,
    Attention,
    Building,
    Archived,
}

impl Only {
    pub(super) const ALL: [Self; 4] = [Self::All, Self::Attention, Self::Building, Self::Archived];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Attention => "Attention",
            Self::Building => "Building",
            Self::Archived => "Archived",
        }
    }

    fn takes(self, row: &InstanceSummary) -> bool {
        match self {
            Self::All | Self::Archived => true,
            Self::Attention => row.attention().is_some(),
            Self::Building => row.is_building(),
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Name,
    Created,
    Activity,
}

impl Order {
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Created, Self::Activity];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Created => "Created",
            Self::Activity => "Activity",
        }
    }

    fn compare(self, one: &Row, other: &Row) -> Ordering {
        let order = match self {
            Self::Name => one.folded().cmp(other.folded()),
            Self::Created => other.summary.created.cmp(&one.summary.created),
            Self::Activity => last_activity(&other.summary).cmp(&last_activity(&one.summary)),
        };
        order.then(one.summary.id.cmp(&other.summary.id))
    }
}

/// When something last happened to an instance, as far as its summary shows.
fn last_activity(row: &InstanceSummary) -> chrono::DateTime<chrono::Utc> {
    let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
    servers.into_iter().flatten().map(|server| server.modified).fold(row.modified, Ord::max)
}

/// Those rows, in that order.
pub(super) fn choose<'a>(
    rows: impl Iterator<Item = &'a Row>,
    only: Only,
    words: &Words,
    order: Order,
) -> Vec<shared_types::InstanceId> {
    let mut chosen: Vec<&Row> = rows.filter(|row| only.takes(&row.summary) && row.has(words)).collect();
    chosen.sort_unstable_by(|one, other| order.compare(one, other));
    chosen.into_iter().map(|row| row.summary.id).collect()
}

/// How many there are of each that is counted: all, those that need attention, those that build.
pub(super) fn counts<'a>(rows: impl Iterator<Item = &'a Row>) -> [usize; 3] {
    rows.fold([0; 3], |[all, attention, building], row| {
        let counts = |only: Only| usize::from(only.takes(&row.summary));
        [all + 1, attention + counts(Only::Attention), building + counts(Only::Building)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use chrono::TimeDelta;
    use shared_types::InstanceId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn row(id: i64, name: &str, age: i64) -> Row {
        let sample = samples::instance_summary();
        let created = sample.created - TimeDelta::hours(age);
        Row::new(InstanceSummary { id: InstanceId(id), name: name.into(), created, ..sample })
    }

    #[test]
    fn they_are_sorted_and_those_alike_by_id() {
        let rows = [row(3, "beta", 1), row(1, "Beta", 2), row(2, "alpha", 3)];
        let ids = |order| choose(rows.iter(), Only::All, &Words::default(), order).into_iter().map(|id| id.0);
        assert_eq!(ids(Order::Name).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(ids(Order::Created).collect::<Vec<_>>(), [3, 1, 2]);
        assert_eq!(choose(rows.iter(), Only::All, &Words::of("ALP"), Order::Name), [InstanceId(2)]);
        assert_eq!(counts(rows.iter())[0], 3);
    }
}
