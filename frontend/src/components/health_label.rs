//! The health of an instance's sites, as a label and as the dot before a name.

use leptos::prelude::*;
use shared_types::HealthState;
use shared_types::mark::Mark;

use super::mark::look;
use crate::ui::Icon;
use crate::words;

/// The state with its shape: “Healthy”, “Down”. Empty if no app server is active.
#[component]
pub fn HealthLabel(
    /// The state; none if no app server is active.
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

/// The dot before a name, by state of health: round, square, tilted or hollow, never distinguished by colour alone.
#[component]
pub fn HealthDot(
    /// The health of the active app server's sites.
    state: HealthState,
) -> impl IntoView {
    view! { <span class=format!("dot {}", look(Mark::of_health(state)).0) aria-hidden="true"></span> }
}
