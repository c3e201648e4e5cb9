//! The time, as a signal that moves every second.

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

/// Now, to the second; whoever reads it is drawn again when it moves.
pub fn now() -> Signal<DateTime<Utc>> {
    expect_context::<Clock>().0.into()
}
