//! The visible rows of a list of thousands, and keyboard navigation by `j` and `k`.

use leptos::prelude::*;
use shared_types::InstanceId;
use wasm_bindgen::JsCast;

use super::super::mark::Marks;
use crate::paths::{self, Page};
use crate::state::Fetched;
use crate::state::data::Rows as Listed;
use crate::ui::window::{Scroll, px};
use crate::ui::{Loading, is_shortcut, on_key};

const ROW_PX: f64 = 58.0;

#[component]
pub(super) fn Rows(
    /// All instances, before filtering.
    list: Signal<Fetched<Listed>>,
    /// The ids of the listed instances, in order.
    chosen: Memo<Vec<InstanceId>>,
    /// Whether a filter hides some instances.
    is_filtered: Signal<bool>,
) -> impl IntoView {
    let scroll = Scroll::watch();
    let page = expect_context::<Memo<Page>>();
    let selected = Memo::new(move |_| page.get().instance());
    let in_sight = Memo::new(move |_| {
        chosen.with(|chosen| {
            let range = scroll.visible(ROW_PX, chosen.len());
            let first = range.start;
            let shown = chosen.get(range).unwrap_or_default();
            shown.iter().enumerate().map(|(place, id)| (first + place, *id)).collect::<Vec<_>>()
        })
    });
    let nothing = move || match list.get() {
        Fetched::Waiting => Some(view! { <Loading/> }.into_any()),
        Fetched::Failed(error) => Some(view! { <p class="nothing" role="alert">{error.to_string()}</p> }.into_any()),
        Fetched::Here(_) if chosen.with(Vec::is_empty) => {
            let text = if is_filtered.get() { "No instances match." } else { "No instances yet." };
            Some(view! { <p class="nothing">{text}</p> }.into_any())
        }
        Fetched::Here(_) => None,
    };
    walk(scroll, chosen, selected);
    view! {
        <div class="rows" node_ref=scroll.node on:scroll=move |_| scroll.look()>
            {nothing}
            <ul style:height=move || px(chosen.with(Vec::len), ROW_PX)>
                <For each=move || in_sight.get() key=|item| *item let:item>
                    <Row list place=item.0 id=item.1 selected/>
                </For>
            </ul>
        </div>
    }
}

/// A row is not recreated when its instance changes, so that it keeps the focus.
#[component]
fn Row(
    list: Signal<Fetched<Listed>>,
    place: usize,
    id: InstanceId,
    selected: Memo<Option<InstanceId>>,
) -> impl IntoView {
    let row = Memo::new(move |_| list.with(|list| list.here().and_then(|rows| rows.get(&id)).cloned()));
    let current = move || (selected.get() == Some(id)).then_some("page");
    view! {
        <li style:top=px(place, ROW_PX)>
            <a class="row" href=paths::instance(id) data-row=id.to_string() aria-current=current>
                <div>
                    <b>{move || row.get().map(|row| row.summary.name.clone())}</b>
                    <small>{move || row.get().map(|row| row.summary.domain.clone())}</small>
                </div>
                {move || row.get().map(|row| view! { <Marks instance=row.summary.clone()/> })}
            </a>
        </li>
    }
}

/// `j` and `k` move the focus to the row below and above the focused or selected one; Enter then opens it.
fn walk(scroll: Scroll, chosen: Memo<Vec<InstanceId>>, selected: Memo<Option<InstanceId>>) {
    on_key(move |event| {
        let step = match event.key().as_str() {
            "j" => 1,
            "k" => -1,
            _ => return,
        };
        if !is_shortcut(event) {
            return;
        }
        let from = focused().or_else(|| selected.get_untracked());
        let Some((place, id)) = chosen.with_untracked(|chosen| next(chosen, from, step)) else { return };
        event.prevent_default();
        scroll.show(place, ROW_PX);
        // Synchronously, so that Enter right afterwards opens it; a row out of view is drawn only in the next frame.
        if !focus(scroll, id) {
            request_animation_frame(move || {
                focus(scroll, id);
            });
        }
    });
}

/// The index and id of the row to go to; without a current row, the first.
fn next(chosen: &[InstanceId], from: Option<InstanceId>, step: isize) -> Option<(usize, InstanceId)> {
    let here = from.and_then(|from| chosen.iter().position(|id| *id == from));
    let place = here.map_or(0, |here| here.saturating_add_signed(step).min(chosen.len().saturating_sub(1)));
    chosen.get(place).map(|id| (place, *id))
}

/// The instance whose row has the focus.
fn focused() -> Option<InstanceId> {
    document().active_element()?.get_attribute("data-row")?.parse().ok()
}

/// Focuses the row of an instance; returns whether it is drawn.
fn focus(scroll: Scroll, id: InstanceId) -> bool {
    let row = scroll.node.try_get_untracked().flatten();
    let row = row.and_then(|rows| rows.query_selector(&format!("[data-row='{id}']")).ok().flatten());
    let row = row.and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok());
    // Fails only for elements that cannot have the focus, and a link can.
    row.is_some_and(|row| row.focus().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn steps_stay_within_the_list() {
        let chosen = [7, 3, 9].map(InstanceId);
        let step = |from: Option<i64>, step| next(&chosen, from.map(InstanceId), step).map(|(place, id)| (place, id.0));
        assert_eq!(step(None, 1), Some((0, 7)));
        assert_eq!(step(Some(7), 1), Some((1, 3)));
        assert_eq!(step(Some(9), 1), Some((2, 9)));
        assert_eq!(step(Some(7), -1), Some((0, 7)));
        assert_eq!(step(Some(5), 1), Some((0, 7)), "one that is not listed");
        assert_eq!(next(&[], None, 1), None);
    }
}
