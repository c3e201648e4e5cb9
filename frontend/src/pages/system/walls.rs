//! The settings that take a protection away.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::system::{OpenedWall, SystemState};

use crate::ui::{Icon, Shape};

#[component]
pub(super) fn WallsCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let opened = Memo::new(move |_| system.with(|system| system.opened_walls.clone()));
    let is_open = Memo::new(move |_| opened.with(|opened| !opened.is_empty()));
    let list = move || {
        let opened = opened.get();
        if opened.is_empty() {
            return view! {
                <p class="meaning good">
                    <Icon shape=Shape::Check/>
                    "No setting takes a protection away."
                </p>
            }
            .into_any();
        }
        let rows = opened.into_iter().map(|OpenedWall { setting, effect }| {
            view! {
                <li>
                    <Icon shape=Shape::Warning/>
                    <code>{setting}</code>
                    <span class="what">{effect}</span>
                </li>
            }
        });
        view! { <ul class="lines walls">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" class:alarm=is_open id="walls" aria-label="Settings that open a wall">
            <header>
                <h2>"Settings that open a wall"</h2>
                {move || is_open.get().then(|| view! { <span class="fine">{opened.with(Vec::len)}</span> })}
            </header>
            {list}
        </section>
    }
}
