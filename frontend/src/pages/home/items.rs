//! The content of the first page's cards.

use std::cmp::Reverse;

use chrono::{DateTime, Local, Utc};
use shared_types::mark::Attention;
use shared_types::{AppServerStatus, AppServerSummary, HealthState, InstanceHealth, InstanceSummary, Serving};

use crate::components::time_left;
use crate::paths;
use crate::words;

/// The most lines in the card of recent changes.
const RECENT: usize = 6;
/// The most lines in the other cards.
const SHOWN: usize = 20;

/// One line of a card.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// The path that it links to.
    pub(super) link: String,
    /// The name of the instance.
    pub(super) name: String,
    /// The icon before the name.
    pub(super) sign: Sign,
    about: AppServerSummary,
    text: Text,
}

/// The icon before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The result of a build.
    Build(AppServerStatus),
    /// The health of the sites.
    Health(HealthState),
}

/// The text of a line; some of it changes with the time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    Building,
    Failing(InstanceHealth),
    BuildFailed,
    AwaitsActivation,
    Happened,
}

/// The content of a card: the first lines, and how many are hidden.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Items {
    pub(super) shown: Vec<Item>,
    /// How many lines are hidden.
    pub(super) more: usize,
}

/// Selects the lines of a card.
pub(super) type Choose = fn(&mut dyn Iterator<Item = &InstanceSummary>) -> Items;

impl Item {
    fn new(row: &InstanceSummary, about: &AppServerSummary, sign: Sign, text: Text) -> Self {
        Self { link: paths::app_server(row.id, about.id), name: row.name.clone(), sign, about: about.clone(), text }
    }

    /// The progress, or how long it has lasted.
    pub(super) fn aside(&self, now: DateTime<Utc>) -> String {
        match &self.text {
            Text::Building => words::percent(self.about.progress.share()),
            Text::Failing(health) => format!("for {}", words::span(now - health.since)),
            Text::BuildFailed | Text::AwaitsActivation | Text::Happened => words::ago(self.about.modified, now),
        }
    }

    /// The text of the line.
    pub(super) fn words(&self, now: DateTime<Utc>) -> String {
        let (about, name) = (&self.about, &self.about.name);
        match &self.text {
            Text::Building => {
                let queued = about.progress.queued.as_ref().map(shared_types::queue::Queued::words);
                let left = queued.or_else(|| time_left(about, now)).unwrap_or_else(|| about.status_name.clone());
                format!("{name} · {left}")
            }
            Text::Failing(health) => {
                let state = words::health::label(health.state);
                words::health::reason(health, now, &Local)
                    .map_or(state.to_owned(), |reason| format!("{state}: {reason}"))
            }
            Text::BuildFailed => {
                format!(
                    "{name} failed: {}",
                    about.failure.as_deref().unwrap_or(words::status::of_app_server(about.status))
                )
            }
            Text::AwaitsActivation => format!("{name} is ready to activate"),
            Text::Happened if about.serving == Serving::Active => format!("{name} is active"),
            Text::Happened => format!("{name}: {}", about.status_name),
        }
    }
}

/// The builds in progress, newest first.
pub(super) fn building(rows: &mut dyn Iterator<Item = &InstanceSummary>) -> Items {
    let lines = rows.filter_map(|row| {
        let newest = row.newest_appserver.as_ref().filter(|newest| newest.status.is_building())?;
        Some((Reverse(newest.modified), row, newest))
    });
    first(lines.collect(), SHOWN, |row, newest| Item::new(row, newest, Sign::Build(newest.status), Text::Building))
}

/// The latest change of each instance's app servers as far as its summary shows, newest first.
pub(super) fn happened(rows: &mut dyn Iterator<Item = &InstanceSummary>) -> Items {
    let lines = rows.filter_map(|row| {
        let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
        let last = servers.into_iter().flatten().max_by_key(|server| server.modified)?;
        Some((Reverse(last.modified), row, last))
    });
    first(lines.collect(), RECENT, |row, last| {
        let health = row.health_state().filter(|_| last.serving == Serving::Active);
        Item::new(row, last, health.map_or(Sign::Build(last.status), Sign::Health), Text::Happened)
    })
}

/// What needs attention: failing sites and builds, one line each, worst first. Among equals, the sites that have failed
/// longest and the builds that ended last come first.
pub(super) fn needs_attention(rows: &mut dyn Iterator<Item = &InstanceSummary>) -> Items {
    let lines = rows.flat_map(|row| {
        let failing = || {
            let since = row.health.as_ref()?.since;
            Some(((row.serving_attention()?, since.timestamp()), row, row.active_appserver.as_ref()?))
        };
        let build = || {
            let newer = row.newer()?;
            Some(((row.build_attention()?, -newer.modified.timestamp()), row, newer))
        };
        [failing(), build()].into_iter().flatten()
    });
    first(lines.collect(), SHOWN, |row, about| {
        let failing = row.health.clone().filter(|_| about.serving == Serving::Active);
        match failing {
            Some(health) => Item::new(row, about, Sign::Health(health.state), Text::Failing(health)),
            None => {
                let awaits = row.build_attention() == Some(Attention::AwaitsActivation);
                let text = if awaits { Text::AwaitsActivation } else { Text::BuildFailed };
                Item::new(row, about, Sign::Build(about.status), text)
            }
        }
    })
}

/// A candidate for a line: its sort key, its instance, its app server.
type Candidate<'a, Rank> = (Rank, &'a InstanceSummary, &'a AppServerSummary);

/// Sorts the candidates and keeps the first; counts the rest. Only the kept ones of thousands are copied.
fn first<Rank: Ord + Copy>(
    mut lines: Vec<Candidate<'_, Rank>>,
    shown: usize,
    draw: impl Fn(&InstanceSummary, &AppServerSummary) -> Item,
) -> Items {
    let order = |(rank, _, about): &Candidate<'_, Rank>| (*rank, Reverse(about.id));
    let more = lines.len().saturating_sub(shown);
    if more > 0 {
        lines.select_nth_unstable_by_key(shown, order);
        lines.truncate(shown);
    }
    lines.sort_unstable_by_key(order);
    Items { shown: lines.into_iter().map(|(_, row, about)| draw(row, about)).collect(), more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::InstanceId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn serving(id: i64, state: HealthState, hours: i64) -> InstanceSummary {
        InstanceSummary { id: InstanceId(id), name: format!("{id}"), ..samples::serving(state, hours) }
    }

    fn with_newer(instance: InstanceSummary, status: AppServerStatus) -> InstanceSummary {
        InstanceSummary { newest_appserver: Some(samples::app_server(9, status, Serving::Idle)), ..instance }
    }

    #[test]
    fn an_outage_comes_first_and_the_longest_of_them() {
        use AppServerStatus::{Failed, Running};
        use HealthState::{Degraded, Down, Ok, Unknown};
        let rows = [
            with_newer(serving(1, Ok, 0), Running),
            serving(2, Degraded, 9),
            serving(3, Down, 1),
            with_newer(serving(4, Down, 26), Failed),
            serving(5, Unknown, 99),
        ];
        let items = needs_attention(&mut rows.iter());
        let now = DateTime::default();
        let told: Vec<_> = items.shown.iter().map(|item| (item.name.as_str(), item.aside(now))).collect();
        let told: Vec<_> = told.iter().map(|(name, aside)| (*name, aside.as_str())).collect();
        assert_eq!(
            told,
            [("4", "for 1 day"), ("3", "for 1 h"), ("2", "for 9 h"), ("4", "just now"), ("1", "just now")],
            "both axes of an instance are told"
        );
        let Some(first) = items.shown.first() else { return };
        assert!(
            first.words(now).starts_with("Down: All sites have failed their checks since "),
            "{}",
            first.words(now)
        );
    }

    #[test]
    fn a_card_says_how_many_more_there_are() {
        let rows: Vec<_> = (1..=SHOWN as i64 + 7).map(|id| serving(id, HealthState::Down, id)).collect();
        let items = needs_attention(&mut rows.iter());
        assert_eq!((items.shown.len(), items.more), (SHOWN, 7));
    }
}
