//! App servers that an instance was rolled back from: they are not offered like new ones.

use leptos::prelude::*;
use shared_types::app_server::{Activation, ActivationKind};
use shared_types::{AppServerId, AppServerSummary, Serving};

use crate::state::clock;
use crate::words;

/// The rollback that took the traffic from an app server, if that is how it last lost it.
pub fn rolled_back_from(newest_first: &[Activation], id: AppServerId) -> Option<&Activation> {
    let last = newest_first.iter().find(|one| one.replaced_app_server_id == Some(id))?;
    (last.kind == ActivationKind::Rollback).then_some(last)
}

/// Whether an app server was rolled back from: by the history, or because an older one has taken over its traffic.
pub fn is_rolled_back_from(
    one: &AppServerSummary,
    active: Option<AppServerId>,
    history: Option<&[Activation]>,
) -> bool {
    let lost_it = matches!(one.serving, Serving::Draining | Serving::Fallback);
    let to_an_older_one = active.is_some_and(|active| active < one.id);
    (lost_it && to_an_older_one) || history.is_some_and(|history| rolled_back_from(history, one.id).is_some())
}

/// Who rolled back, when, and why: shown before the app server is activated again.
#[component]
pub fn RollBackWords(
    name: String,
    /// The rollback from that app server.
    activation: Activation,
) -> impl IntoView {
    let now = clock::now();
    let at = activation.activated_at;
    let reason = match activation.reason {
        Some(reason) => format!("Reason: “{reason}”."),
        None => "No reason was given.".to_owned(),
    };
    view! {
        {activation.activated_by} " rolled back from " {name} " "
        {move || words::ago(at, now.get())}
        ". "
        {reason}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use chrono::DateTime;
    use shared_types::{ActivationId, AppServerStatus};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn switch(id: i64, from: i64, to: i64, kind: ActivationKind) -> Activation {
        Activation {
            id: ActivationId(id),
            app_server_id: AppServerId(to),
            replaced_app_server_id: Some(AppServerId(from)),
            activated_by: "ada".into(),
            activated_at: DateTime::default(),
            applied_at: None,
            reason: Some("the exams are gone".into()),
            kind,
            is_forced: false,
            drained_at: None,
        }
    }

    #[test]
    fn the_last_time_that_it_lost_the_traffic_counts() {
        use ActivationKind::{Manual, Rollback};
        let rolled_back = [switch(2, 2, 1, Rollback), switch(1, 1, 2, Manual)];
        let is = |history: &[Activation], id| rolled_back_from(history, AppServerId(id)).is_some();
        assert!(is(&rolled_back, 2));
        assert!(!is(&rolled_back, 1), "it got the traffic back");
        let again_and_replaced = [switch(4, 2, 3, Manual), switch(3, 1, 2, Manual), switch(2, 2, 1, Rollback)];
        assert!(!is(&again_and_replaced, 2), "it served again, and a newer one replaced it");
    }

    #[test]
    fn a_newer_fallback_was_rolled_back_from_even_before_the_history_is_here() {
        let one = |id, serving| samples::app_server(id, AppServerStatus::Running, serving);
        let is = |id, serving| is_rolled_back_from(&one(id, serving), Some(AppServerId(5)), None);
        assert!(is(6, Serving::Fallback) && is(6, Serving::Draining));
        assert!(!is(6, Serving::Idle), "a newer one that waits");
        assert!(!is(4, Serving::Fallback), "the fallback of a normal activation");
    }
}
