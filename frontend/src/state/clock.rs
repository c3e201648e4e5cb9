//! The current time, as a signal that changes every second.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use std::time::Duration;

#[derive(Clone, Copy)]
struct Clock(RwSignal<DateTime<Utc>>);

pub(super) fn provide() {
    let clock = Clock(RwSignal::new(Utc::now()));
    set_interval(move || clock.0.set(Utc::now()), Duration::from_secs(1));
    provide_context(clock);
}

/// The current time to the second; a view that reads it is redrawn when it changes.
pub fn now() -> Signal<DateTime<Utc>> {
    expect_context::<Clock>().0.into()
}
