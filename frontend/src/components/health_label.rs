//! The health of an instance's sites as a label, and as the sign before a name.

use leptos::prelude::*;
use shared_types::HealthState;
use shared_types::mark::Mark;

use super::mark::look;
use crate::ui::Icon;
use crate::words;

/// The state with its shape: “Healthy”, “Down”. Nothing where no app server is active.
#[component]
pub fn HealthLabel(
    /// The state; none where there is none.
    #[prop(into)]
    state: Signal<Option<HealthState>>,
) -> impl IntoView {
    move || {
        let state = state.get()?;
        let (tone, shape) = look(Mark::of_health(state));
        Some(view! {
            <span class=format!("label health {tone}")>
                {shape.map(|shape| view! { <Icon shape/> })}
                {words::health::label(state)}
            </span>
        })
    }
}

/// The small sign before a name, by the state of health: round, square, tilted or hollow, never colour alone.
#[component]
pub fn HealthDot(
    /// The state.
    state: HealthState,
) -> impl IntoView {
    view! { <span class=format!("dot {}", look(Mark::of_health(state)).0) aria-hidden="true"></span> }
}
