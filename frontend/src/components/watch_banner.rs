//! A banner that explains once, for all instances, why their health is unknown.

use std::time::Duration;

use leptos::prelude::*;
use shared_types::system::{SystemPart, SystemState};

use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Icon, Shape};
use crate::words;

/// The poll interval while any instance's health is unknown. The server caches its answer for about as long.
const LOOK: Duration = Duration::from_secs(10);

/// Shown while no site can be checked.
#[component]
pub fn WatchBanner() -> impl IntoView {
    let data = state().data;
    let system = data.system();
    let why = Memo::new(move |_| system.with(|system| system.here().and_then(|system| trouble(system))));
    let has_unknown = Memo::new(move |_| data.counts().with(|counts| counts.unknown > 0));
    let is_open = Memo::new(move |_| has_unknown.get() || why.with(Option::is_some));
    Effect::new(move || {
        if is_open.get() {
            data.refresh(Key::System);
            data.poll_every(Key::System, LOOK);
        }
    });
    move || {
        why.get().map(|why| {
            view! {
                <div class="notice watch" role="status" aria-label="Health checks">
                    <Icon shape=Shape::Question/>
                    <span class="grow"><b>"The health of all instances is unknown."</b> " " {why}</span>
                </div>
            }
        })
    }
}

/// Why no site can be checked: the server's message as a sentence.
fn trouble(system: &SystemState) -> Option<String> {
    let checks = system.checks.iter().find(|part| part.name == SystemPart::Checks && part.is_ok == Some(false))?;
    words::sentence(checks.last_error.as_ref().unwrap_or(&checks.detail))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn with(is_ok: bool, part: &str) -> SystemState {
        serde_json::from_value(json!({
            "version": "1", "started": "2026-01-01T00:00:00Z", "checks": [{
                "name": part, "is_configured": true, "is_ok": is_ok, "detail": "checked every 30 s",
                "last_error": "no site was checked: the gateway does not answer", "checked_at": null, "since": null,
            }],
        }))
        .unwrap()
    }

    #[test]
    fn it_is_said_why_no_site_can_be_checked_while_that_is_so() {
        let told = trouble(&with(false, "checks"));
        assert_eq!(told.as_deref(), Some("No site was checked: the gateway does not answer."));
        assert_eq!(trouble(&with(true, "checks")), None, "an error of before is over");
        assert_eq!(trouble(&with(false, "mail")), None);
    }
}
