//! Says once, for all instances, why their health is unknown.

use leptos::prelude::*;
use shared_types::system::SystemState;

use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Icon, Shape};

/// The banner, while no site can be checked.
#[component]
pub fn WatchBanner() -> impl IntoView {
    let data = state().data;
    let system = data.system();
    // Nothing else says that the checks go on, or stopped, where the event was missed.
    let has_unknown = Memo::new(move |_| data.counts().with(|counts| counts.unknown > 0));
    Effect::new(move |before: Option<bool>| {
        let now = has_unknown.get();
        if before.is_some_and(|before| before != now) {
            data.refresh(Key::System);
        }
        now
    });
    let why = Memo::new(move |_| system.with(|system| system.here().and_then(|system| trouble(system))));
    move || {
        why.get().map(|why| {
            view! {
                <div class="notice watch" role="status" aria-label="Health checks">
                    <Icon shape=Shape::Question/>
                    <span class="grow">
                        <b>"The health of all instances is unknown."</b>
                        " "
                        {why}
                    </span>
                </div>
            }
        })
    }
}

/// Why no site can be checked, in the server's words.
fn trouble(system: &SystemState) -> Option<String> {
    let checks = system.checks.iter().find(|part| part.name.as_str() == "checks" && part.is_ok == Some(false))?;
    Some(checks.detail.clone())
}
