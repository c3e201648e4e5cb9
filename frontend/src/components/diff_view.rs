//! A line-by-line diff: the old and the new values.

use leptos::prelude::*;
use shared_types::diff::SettingChange;

/// The lines, or a sentence if nothing differs.
#[component]
pub fn DiffView(
    changes: Vec<SettingChange>,
    /// The accessible name, for pages with several of them.
    #[prop(default = "What differs".to_owned(), into)]
    label: String,
) -> impl IntoView {
    if changes.is_empty() {
        return view! { <p class="fine">"No settings differ."</p> }.into_any();
    }
    let line = |class, sign, word, name: &str, value: String| {
        let name = name.to_owned();
        view! {
            <div class=class>
                <span>
                    <span aria-hidden="true">{sign} " "</span>
                    <span class="unseen">{word} " "</span>
                    {name}
                </span>
                <span>{value}</span>
            </div>
        }
    };
    let lines = changes.into_iter().map(|change| {
        view! {
            {change.before.map(|value| line("minus", "-", "was", &change.name, shown(value)))}
            {change.after.map(|value| line("plus", "+", "is", &change.name, shown(value)))}
        }
    });
    view! { <div class="card diff" role="region" aria-label=label tabindex="0">{lines.collect_view()}</div> }.into_any()
}

fn shown(value: String) -> String {
    if value.is_empty() { "(blank)".into() } else { value }
}
