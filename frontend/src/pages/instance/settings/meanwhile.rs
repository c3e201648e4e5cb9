//! The notice that other users have saved meanwhile: who, when, and all their changes.

use leptos::prelude::*;
use shared_types::Role;

use super::edit::{Edit, News};
use crate::components::{Change, DiffView};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Shown while there are changes that the user has not acknowledged.
#[component]
pub(super) fn Meanwhile(edit: Edit) -> impl IntoView {
    let clashes = Memo::new(move |_| edit.form.clashes());
    move || edit.news.get().map(|news| view! { <Notice edit news clashes/> }.into_any())
}

#[component]
fn Notice(edit: Edit, news: News, clashes: Memo<Vec<&'static str>>) -> impl IntoView {
    let now = clock::now();
    let News { changes, diff } = news;
    let who = who(&changes);
    let last = changes.first().map(|change| change.at);
    let when = move || last.map(|last| format!(" {}", words::ago(last, now.get())));
    let is_open = Memo::new(move |_| clashes.with(|clashes| !clashes.is_empty()));
    let button = move || {
        if is_open.get() {
            view! { <button type="button" on:click=move |_| edit.form.go_to_clash()>"Choose"</button> }.into_any()
        } else {
            view! { <button type="button" on:click=move |_| edit.acknowledge()>"OK"</button> }.into_any()
        }
    };
    view! {
        <div class="notice" role="alert" aria-label="Changed while you were editing">
            <Icon shape=Shape::People/>
            <span class="grow">
                <b>{who} " saved changes while you were editing"</b>
                {when} ". "
                {move || clashes.with(|clashes| advice(clashes))}
            </span>
            <span class="right">{button}</span>
        </div>
        <div class="below-notice"><DiffView changes=diff label="Changes of others"/></div>
    }
}

/// The names of the users without duplicates, last first.
fn who(changes: &[Change]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for change in changes {
        if !names.contains(&change.by.as_str()) {
            names.push(&change.by);
        }
    }
    match names.as_slice() {
        [] => "Another user".to_owned(),
        names => names.join(" and "),
    }
}

fn advice(clashes: &[&str]) -> String {
    match clashes {
        [] => "Your edits are kept. The other changes were merged.".to_owned(),
        [one] => format!("Your edits are kept. Conflict in {one}: choose a version. Other changes were merged."),
        many => format!(
            "Your edits are kept. Conflicts in {}: choose a version. Other changes were merged.",
            many.join(", ")
        ),
    }
}

/// The unsaved changes, with buttons to save or discard them.
#[component]
pub(super) fn FormButtons(edit: Edit) -> impl IntoView {
    let is_changed = Memo::new(move |_| edit.form.is_changed());
    let session = state().session;
    let why_not = move || session.may(Role::Operator).why_not();
    view! {
        <Show when=move || is_changed.get()>
            <span class="label" role="status">"Unsaved changes"</span>
        </Show>
        <span class="right">
            <button type="button" disabled=move || !is_changed.get() on:click=move |_| edit.discard()>
                "Discard"
            </button>
            <button class="primary" type="submit" title=why_not disabled=move || !is_changed.get() || why_not().is_some()>
                "Save…"
            </button>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn everybody_is_named_once() {
        let by = |name: &str| Change { by: name.to_owned(), at: Default::default(), names: Vec::new() };
        assert_eq!(who(&[]), "Another user");
        assert_eq!(who(&[by("ada"), by("bob"), by("ada")]), "ada and bob");
    }

    #[test]
    fn what_has_to_be_chosen_is_named() {
        assert!(advice(&["Contact e-mail", "Tier"]).contains("Contact e-mail, Tier"));
        assert!(!advice(&[]).contains("choose"));
    }
}
