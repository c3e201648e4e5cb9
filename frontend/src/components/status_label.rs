//! The state of an app server: always a colour, a shape and a word.

use leptos::prelude::*;
use shared_types::{AppServerId, AppServerStatus, AppServerSummary, Serving};

use crate::ui::{Icon, Shape};

/// The colour of a status, as a CSS class.
pub const fn tone(status: AppServerStatus) -> &'static str {
    match status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => "busy",
        AppServerStatus::Running => "good",
        AppServerStatus::Failed | AppServerStatus::Error => "bad",
        AppServerStatus::Terminated | AppServerStatus::Stopped => "off",
    }
}

const fn shape(status: AppServerStatus) -> Option<Shape> {
    match status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => Some(Shape::Dots),
        AppServerStatus::Running => Some(Shape::Check),
        AppServerStatus::Failed | AppServerStatus::Error => Some(Shape::Cross),
        AppServerStatus::Terminated | AppServerStatus::Stopped => None,
    }
}

/// The word for the serving state; none if idle.
pub const fn serving_word(serving: Serving) -> Option<&'static str> {
    match serving {
        Serving::Idle => None,
        Serving::Active => Some("Active"),
        Serving::Draining => Some("Draining"),
        Serving::Fallback => Some("Fallback"),
    }
}

/// The status with its shape. The CSS class has the tone, for style sheets.
#[component]
pub fn StatusLabel(
    status: AppServerStatus,
    /// The words; by default the name of the status.
    #[prop(optional, into)]
    words: Option<String>,
) -> impl IntoView {
    view! {
        <span class=format!("label {}", tone(status))>
            {shape(status).map(|shape| view! { <Icon shape/> })}
            {words.unwrap_or_else(|| status.name().to_owned())}
        </span>
    }
}

/// The dot before a name: filled, ringed or square, never distinguished by colour alone.
#[component]
pub fn StatusDot(
    /// The status of the app server.
    status: AppServerStatus,
) -> impl IntoView {
    view! { <span class=format!("dot {}", tone(status)) aria-hidden="true"></span> }
}

/// The word for an app server's serving state. A fallback newer than the active one was rolled back from.
pub fn traffic_word(app_server: &AppServerSummary, active: Option<AppServerId>) -> Option<&'static str> {
    match app_server.serving {
        Serving::Fallback if active.is_some_and(|active| active < app_server.id) => Some("Rolled back from"),
        Serving::Idle | Serving::Active | Serving::Draining | Serving::Fallback => serving_word(app_server.serving),
    }
}

/// The state in a list's row: draining or fallback, else its status.
pub fn state_words(app_server: &AppServerSummary, active: Option<AppServerId>) -> String {
    match app_server.serving {
        Serving::Draining | Serving::Fallback => traffic_word(app_server, active).unwrap_or_default().to_owned(),
        Serving::Idle | Serving::Active => app_server.status_name.clone(),
    }
}
