//! Filtering and sorting the list of instances.

use std::cmp::Ordering;

use shared_types::{HealthState, InstanceId, InstanceSummary};

use crate::paths::{Only, Order};
use crate::state::data::{Row, Rows, Words};

fn takes(only: Only, row: &InstanceSummary) -> bool {
    match only {
        Only::All | Only::Archived => true,
        Only::Attention => row.attention().is_some(),
        Only::Down => row.health_state() == Some(HealthState::Down),
        Only::Degraded => row.health_state() == Some(HealthState::Degraded),
        Only::Unknown => row.health_state() == Some(HealthState::Unknown),
        Only::Building => row.is_building(),
    }
}

fn compare(order: Order, one: &Row, other: &Row) -> Ordering {
    let order = match order {
        Order::Name => one.folded().cmp(other.folded()),
        Order::Health => worst_first(&one.summary, &other.summary).then_with(|| one.folded().cmp(other.folded())),
        Order::Created => other.summary.created.cmp(&one.summary.created),
        Order::Changed => last_changed(&other.summary).cmp(&last_changed(&one.summary)),
    };
    order.then(one.summary.id.cmp(&other.summary.id))
}

/// By state, worst first, then by how long it has lasted. Instances without an active app server come last.
fn worst_first(one: &InstanceSummary, other: &InstanceSummary) -> Ordering {
    // Healthy sites are not sorted by how long they have been healthy.
    let since = |row: &InstanceSummary| {
        row.health.as_ref().filter(|health| health.state != HealthState::Ok).map(|health| health.since)
    };
    other.health_state().cmp(&one.health_state()).then_with(|| since(one).cmp(&since(other)))
}

/// When an instance last changed, as far as its summary shows.
fn last_changed(row: &InstanceSummary) -> chrono::DateTime<chrono::Utc> {
    let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
    servers.into_iter().flatten().map(|server| server.modified).fold(row.modified, Ord::max)
}

/// Filters and sorts the rows. Begins with the previous order, because sorting a nearly sorted list takes one pass.
pub(super) fn choose(rows: &Rows, only: Only, words: &Words, order: Order, before: &[InstanceId]) -> Vec<InstanceId> {
    let takes = |row: &&Row| takes(only, &row.summary) && row.has(words);
    let count = rows.values().filter(|row| takes(&row.as_ref())).count();
    let as_before: Option<Vec<&Row>> = before.iter().map(|id| rows.get(id).map(AsRef::as_ref).filter(takes)).collect();
    let mut chosen = as_before
        .filter(|chosen| chosen.len() == count)
        .unwrap_or_else(|| rows.values().map(AsRef::as_ref).filter(takes).collect());
    chosen.sort_unstable_by(|one, other| compare(order, one, other));
    chosen.into_iter().map(|row| row.summary.id).collect()
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

    fn listed(rows: impl IntoIterator<Item = Row>) -> Rows {
        rows.into_iter().map(|row| (row.summary.id, Arc::new(row))).collect()
    }

    #[test]
    fn they_are_sorted_and_those_alike_by_id() {
        let rows = listed([row(3, "beta", 1), row(1, "Beta", 2), row(2, "alpha", 3)]);
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
    }

    #[test]
    fn failing_instances_are_filtered_by_state_and_sorted_by_state_and_age() {
        use HealthState::{Degraded, Down, Ok, Unknown};
        let serving =
            |id, state, hours| Row::new(InstanceSummary { id: InstanceId(id), ..samples::serving(state, hours) });
        let rows = listed([
            serving(1, Ok, 90),
            serving(2, Degraded, 1),
            serving(3, Down, 1),
            serving(4, Down, 5),
            serving(5, Unknown, 2),
            row(6, "nothing active", 0),
        ]);
        let chosen = |only, order| {
            let ids = choose(&rows, only, &Words::default(), order, &[]);
            ids.into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(chosen(Only::All, Order::Health), [4, 3, 2, 5, 1, 6]);
        assert_eq!(chosen(Only::Down, Order::Health), [4, 3]);
        assert_eq!(chosen(Only::Degraded, Order::Name), [2]);
        assert_eq!(chosen(Only::Unknown, Order::Name), [5]);
        assert_eq!(chosen(Only::Attention, Order::Health), [4, 3, 2]);
    }
}
