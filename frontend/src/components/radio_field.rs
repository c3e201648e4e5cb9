//! A choice of few values, each with what it means.

use leptos::prelude::*;

#[component]
pub fn RadioField<T>(
    /// Its name in JSON.
    name: &'static str,
    label: &'static str,
    /// Each value, its name and what it means.
    choices: Vec<(T, &'static str, &'static str)>,
    chosen: RwSignal<T>,
    /// Whether nothing else can be chosen.
    #[prop(optional)]
    is_fixed: bool,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let choices = choices.into_iter().map(|(value, title, words)| {
        view! {
            <label class="check">
                <input
                    type="radio"
                    name=name
                    disabled=is_fixed
                    prop:checked=move || chosen.get() == value
                    on:change=move |_| chosen.set(value)
                />
                <span><b>{title}</b> " " <span class="fine">{words}</span></span>
            </label>
        }
    });
    view! {
        <fieldset class="field">
            <legend>{label}</legend>
            <div>{choices.collect_view()}</div>
        </fieldset>
    }
}
