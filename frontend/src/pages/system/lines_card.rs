//! A card with a line for each of some things.

use leptos::prelude::*;

use crate::words;

/// Nothing is shown if there are none. `noun`: what the header counts; `children`: what stands at its right.
#[component]
pub(super) fn LinesCard<T: Clone + PartialEq + Send + Sync + 'static>(
    id: &'static str,
    title: &'static str,
    noun: &'static str,
    all: Memo<Vec<T>>,
    row: fn(T) -> AnyView,
    #[prop(optional)] children: Option<ChildrenFn>,
) -> impl IntoView {
    let count = move || all.with(|all| words::count(all.len(), noun));
    let children = StoredValue::new(children);
    view! {
        <Show when=move || all.with(|all| !all.is_empty())>
            <section class="card" id=id aria-label=title>
                <header>
                    <h2>{title}</h2>
                    <span class="fine">{count}</span>
                    {children.get_value().map(|children| view! { <span class="right">{children()}</span> })}
                </header>
                <ul class="lines parts">{move || all.get().into_iter().map(row).collect_view()}</ul>
            </section>
        </Show>
    }
}
