//! The two marks of an instance: a filled disc for its active app server, a smaller ring for the newer one.

use leptos::prelude::*;
use shared_types::InstanceSummary;
use shared_types::mark::Mark;

use crate::ui::{Icon, Shape};

/// Both marks; the ring's place is kept where there is none.
#[component]
pub fn Marks(
    /// Whose.
    instance: InstanceSummary,
) -> impl IntoView {
    let newer = instance.newer();
    let ring = newer.map(|newer| {
        let words = format!("{} (newer than the active appserver): {}", newer.name, newer.status_description);
        (Mark::of(Some(newer)), words)
    });
    let active = instance.active_appserver.as_ref();
    let words = active.map_or_else(|| "No active appserver".to_owned(), |active| active.status_description.clone());
    view! {
        {match ring {
            Some((mark, words)) => view! { <OneMark mark words is_ring=true/> }.into_any(),
            None => view! { <span class="mark ring gap"></span> }.into_any(),
        }}
        <OneMark mark=Mark::of(active) words is_ring=false/>
    }
}

/// One of them.
#[component]
pub fn OneMark(
    /// What it says.
    mark: Mark,
    /// The same in words.
    words: String,
    /// Whether it is the smaller one.
    is_ring: bool,
) -> impl IntoView {
    let (class, shape) = match mark {
        Mark::Good => ("mark good", Some(Shape::Check)),
        Mark::Busy => ("mark busy", Some(Shape::Dots)),
        Mark::Bad => ("mark bad", Some(Shape::Cross)),
        Mark::None => ("mark none", None),
    };
    // One string: a class beside it would be lost when the mark becomes another one.
    let class = format!("{class}{}", if is_ring { " ring" } else { "" });
    view! {
        <span class=class role="img" aria-label=words.clone() title=words>
            {shape.map(|shape| view! { <Icon shape/> })}
        </span>
    }
}
