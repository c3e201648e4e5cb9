//! Which instances are listed, and in which order.

use std::cmp::Ordering;

use shared_types::{InstanceId, InstanceSummary};

use crate::state::data::{Row, Rows, Words};

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

/// Those rows, in that order. What was chosen before is mostly in order still, which is found out in one walk.
pub(super) fn choose(rows: &Rows, only: Only, words: &Words, order: Order, before: &[InstanceId]) -> Vec<InstanceId> {
    let takes = |row: &&Row| only.takes(&row.summary) && row.has(words);
    let count = rows.values().filter(|row| takes(&row.as_ref())).count();
    let as_before: Option<Vec<&Row>> = before.iter().map(|id| rows.get(id).map(AsRef::as_ref).filter(takes)).collect();
    let mut chosen = as_before
        .filter(|chosen| chosen.len() == count)
        .unwrap_or_else(|| rows.values().map(AsRef::as_ref).filter(takes).collect());
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
    use std::sync::Arc;
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
        let rows: Rows = rows.into_iter().map(|row| (row.summary.id, Arc::new(row))).collect();
        let choose = |words: &str, order, before: &[i64]| {
            let before: Vec<InstanceId> = before.iter().copied().map(InstanceId).collect();
            let ids = super::choose(&rows, Only::All, &Words::of(words), order, &before);
            ids.into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(choose("", Order::Created, &[]), [3, 1, 2]);
        for before in [&[][..], &[2, 1, 3], &[3, 1, 2], &[2, 1], &[2, 1, 9], &[2, 1, 3, 9]] {
            assert_eq!(choose("", Order::Name, before), [2, 1, 3], "{before:?}");
            assert_eq!(choose("ALP", Order::Name, before), [2], "{before:?}");
        }
        assert_eq!(counts(rows.values().map(AsRef::as_ref))[0], 3);
    }
}
