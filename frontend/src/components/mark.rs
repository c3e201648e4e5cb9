//! The two marks of an instance: a filled disc for its sites, a smaller ring for the newer app server's build.

use chrono::Local;
use leptos::prelude::*;
use shared_types::InstanceSummary;
use shared_types::mark::Mark;

use crate::state::clock;
use crate::ui::{Icon, Shape};
use crate::words;

/// Both marks; without a newer app server the ring's space stays empty.
#[component]
pub fn Marks(
    /// The instance in the list.
    instance: InstanceSummary,
) -> impl IntoView {
    let ring = instance.newer().map(|newer| {
        let words =
            format!("{} (newer than the active appserver): {}", newer.name, words::status::of_app_server(newer.status));
        (Mark::of_build(newer), words)
    });
    let words = words::health::mark(&instance, clock::now().get_untracked(), &Local);
    view! {
        {match ring {
            Some((mark, words)) => view! { <OneMark mark words is_ring=true/> }.into_any(),
            None => view! { <span class="mark ring gap"></span> }.into_any(),
        }}
        <OneMark mark=Mark::of_sites(&instance) words is_ring=false/>
    }
}

/// The CSS class and the icon of a mark.
pub const fn look(mark: Mark) -> (&'static str, Option<Shape>) {
    match mark {
        Mark::Good => ("good", Some(Shape::Check)),
        Mark::Degraded => ("degraded", Some(Shape::Exclaim)),
        Mark::Down | Mark::Bad => ("bad", Some(Shape::Cross)),
        Mark::Unknown => ("unknown", Some(Shape::Question)),
        Mark::Busy => ("busy", Some(Shape::Dots)),
        Mark::None => ("none", None),
    }
}

#[component]
pub fn OneMark(
    mark: Mark,
    /// The tooltip and accessible name.
    words: String,
    /// Whether to draw the smaller ring.
    is_ring: bool,
) -> impl IntoView {
    let (tone, shape) = look(mark);
    // One string: a class set separately would be lost when the mark changes.
    let class = format!("mark {tone}{}", if is_ring { " ring" } else { "" });
    view! {
        <span class=class role="img" aria-label=words.clone() title=words>
            {shape.map(|shape| view! { <Icon shape/> })}
        </span>
    }
}
