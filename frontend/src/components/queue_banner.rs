//! A banner that says why builds do not start.

use leptos::prelude::*;

use crate::paths::Page;
use crate::state::state;
use crate::ui::{Icon, Shape};

/// Shown while the queue is paused or reports a problem.
#[component]
pub fn QueueBanner() -> impl IntoView {
    let queue = state().data.queue();
    let alarm = Memo::new(move |_| queue.with(|queue| queue.here().and_then(|queue| queue.alarm())));
    let is_paused = Memo::new(move |_| queue.with(|queue| queue.here().is_some_and(|queue| queue.pause.is_some())));
    move || {
        alarm.get().map(|words| {
            let shape = if is_paused.get() { Shape::Pause } else { Shape::Warning };
            view! {
                <div class="notice" class:bad=!is_paused.get() role="status" aria-label="Queue">
                    <Icon shape/>
                    <span class="grow">{words}</span>
                    <a class="btn" href=Page::Queue.to_string()>"Open the queue"</a>
                </div>
            }
        })
    }
}
