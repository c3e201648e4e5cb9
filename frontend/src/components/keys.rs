//! The keyboard shortcuts of every page, and the dialog that lists them.

use leptos::prelude::*;

use crate::paths::Page;
use crate::ui::{Dialog, Icon, Shape, is_shortcut, on_key, use_navigate};

/// The longest pause between `g` and the second key.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(1500);

/// The pages that `g` and a letter lead to.
const PAGES: [(&str, &str, Page); 7] = [
    ("h", "Home", Page::Home),
    ("i", "Instances", Page::Instances),
    ("p", "Pull requests", Page::PullRequests),
    ("q", "Build queue", Page::Queue),
    ("m", "Machines", Page::Servers),
    ("a", "Activity", Page::Activity),
    ("s", "System", Page::System),
];

/// Keys that do not follow `g`.
const OTHERS: [(&str, &str); 7] = [
    ("/", "Filter the instances"),
    ("Ctrl K", "Search everything"),
    ("j", "Next instance"),
    ("k", "Previous instance"),
    ("Enter", "Open"),
    ("Esc", "Close a dialog"),
    ("?", "Show this help"),
];

/// Handles the shortcuts; shows the dialog when requested.
#[component]
pub fn Keys(
    /// Whether the dialog is open.
    is_open: RwSignal<bool>,
) -> impl IntoView {
    let navigate = use_navigate();
    let is_going = RwSignal::new(false);
    on_key(move |event| {
        if !is_shortcut(event) {
            return;
        }
        let key = event.key();
        if is_going.get_untracked() {
            is_going.set(false);
            if let Some(page) = page_of(&key) {
                event.prevent_default();
                navigate(&page.to_string(), Default::default());
            }
        } else if key == "g" {
            is_going.set(true);
            set_timeout(
                move || {
                    is_going.try_set(false);
                },
                PATIENCE,
            );
        } else if key == "?" {
            event.prevent_default();
            is_open.set(true);
        }
    });
    view! {
        <Show when=move || is_open.get()>
            <Dialog label="Keyboard shortcuts" on_close=move |()| is_open.set(false)>
                <Table is_open/>
            </Dialog>
        </Show>
    }
}

fn page_of(key: &str) -> Option<Page> {
    PAGES.into_iter().find(|(letter, ..)| *letter == key).map(|(_, _, page)| page)
}

#[component]
fn Table(is_open: RwSignal<bool>) -> impl IntoView {
    let line = |keys: Vec<&'static str>, words: &'static str| {
        let keys = keys.into_iter().map(|key| view! { <kbd>{key}</kbd> }).collect_view();
        view! { <div><dt>{words}</dt><dd>{keys}</dd></div> }.into_any()
    };
    let others = OTHERS.map(|(key, words)| line(key.split(' ').collect(), words));
    let pages = PAGES.map(|(letter, words, _)| line(vec!["g", letter], words));
    view! {
        <header>
            <h1>"Keyboard shortcuts"</h1>
        </header>
        <div class="body keys">
            <section aria-label="Everywhere">
                <h2>"Everywhere"</h2>
                <dl>{others.collect_view()}</dl>
            </section>
            <section aria-label="Go to">
                <h2>"Go to"</h2>
                <dl>{pages.collect_view()}</dl>
            </section>
        </div>
        <footer>
            <button type="button" autofocus on:click=move |_| is_open.set(false)>
                <Icon shape=Shape::Check/>
                "Close"
            </button>
        </footer>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_letter_leads_to_one_page() {
        for (letter, words, page) in PAGES {
            assert_eq!(page_of(letter), Some(page), "{words}");
        }
        assert_eq!(page_of("j"), None);
    }
}
