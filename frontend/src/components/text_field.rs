//! A text input with its help before it and its error below.

use std::collections::HashMap;

use leptos::prelude::*;

use crate::api::ApiError;

/// The server's errors by field, until the field is edited.
#[derive(Debug, Clone, Copy, Default)]
pub struct Refused(RwSignal<HashMap<String, String>>);

impl Refused {
    /// Shows the server's errors at their fields. Returns whether there was any.
    pub fn take(self, error: &ApiError) -> bool {
        let said: HashMap<String, String> =
            error.fields().map(|(name, words)| (name.to_owned(), words.to_owned())).collect();
        let is_said = !said.is_empty();
        // The form may be gone when the response arrives.
        self.0.try_set(said);
        is_said
    }

    /// Shows an error at a field as if the server had sent it.
    #[cfg(debug_assertions)]
    pub fn say(self, name: &str, words: &str) {
        self.0.update(|said| {
            said.insert(name.to_owned(), words.to_owned());
        });
    }

    /// The error of a field, or the first one of something in it, with its name.
    pub fn of(self, name: &str) -> Option<String> {
        self.0.with(|said| {
            let within = |(path, words): (&String, &String)| Some(format!("{}: {words}", within(path, name)?));
            said.get(name).cloned().or_else(|| said.iter().filter_map(within).min())
        })
    }

    /// Removes the errors of a field that was edited.
    pub fn forget(self, name: &str) {
        let is_of = |path: &String| path == name || within(path, name).is_some();
        if self.0.with_untracked(|said| said.keys().any(is_of)) {
            self.0.update(|said| said.retain(|path, _| !is_of(path)));
        }
    }
}

/// What a path leads to within a field; none: it is not in the field.
fn within<'a>(path: &'a str, field: &str) -> Option<&'a str> {
    path.strip_prefix(field)?.strip_prefix('/')
}

#[component]
pub fn TextField(
    /// Its name in JSON.
    name: &'static str,
    label: &'static str,
    /// The help text before it.
    #[prop(optional)]
    help: &'static str,
    /// Its type: `text` or `password`.
    #[prop(into, default = Signal::stored("text"))]
    kind: Signal<&'static str>,
    /// The `autocomplete` attribute: what the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// The longest input, in characters.
    max: u16,
    typed: RwSignal<String>,
    refused: Refused,
) -> impl IntoView {
    let parts = Parts::of(name, refused);
    let Parts { id, described_by, why } = parts.clone();
    let is_wrong = move || why.with(Option::is_some);
    let input = view! {
        <input
            id=id
            type=kind
            autocomplete=autocomplete
            autocapitalize="none"
            spellcheck="false"
            maxlength=max.to_string()
            class:wrong=is_wrong
            aria-describedby=described_by
            aria-invalid=move || is_wrong().then_some("true")
            prop:value=typed
            on:input=move |event| {
                refused.forget(name);
                typed.set(event_target_value(&event));
            }
        />
    };
    parts.around(label, help, input.into_any())
}

/// A text input of several lines, for what is pasted.
#[component]
pub fn TextArea(
    /// Its name in JSON.
    name: &'static str,
    label: &'static str,
    /// The help text before it.
    #[prop(optional)]
    help: &'static str,
    /// The longest input, in characters.
    max: u16,
    typed: RwSignal<String>,
    refused: Refused,
) -> impl IntoView {
    let parts = Parts::of(name, refused);
    let Parts { id, described_by, why } = parts.clone();
    let is_wrong = move || why.with(Option::is_some);
    let input = view! {
        <textarea
            id=id
            rows="4"
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            maxlength=max.to_string()
            class:wrong=is_wrong
            aria-describedby=described_by
            aria-invalid=move || is_wrong().then_some("true")
            prop:value=typed
            on:input=move |event| {
                refused.forget(name);
                typed.set(event_target_value(&event));
            }
        />
    };
    parts.around(label, help, input.into_any())
}

/// What surrounds an input: its label and help before it, and its error below.
#[derive(Debug, Clone)]
struct Parts {
    /// The id of the input.
    id: String,
    /// The ids of its help and its error.
    described_by: String,
    why: Memo<Option<String>>,
}

impl Parts {
    fn of(name: &'static str, refused: Refused) -> Self {
        let id = format!("field-{name}");
        let described_by = format!("{id}-help {id}-why");
        Self { id, described_by, why: Memo::new(move |_| refused.of(name)) }
    }

    fn around(self, label: &'static str, help: &'static str, input: AnyView) -> AnyView {
        let Self { id, why, .. } = self;
        let (help_id, why_id) = (format!("{id}-help"), format!("{id}-why"));
        view! {
            <div class="field">
                <div>
                    <label for=id>{label}</label>
                    <small id=help_id>{help}</small>
                </div>
                <div>
                    {input}
                    <div class="why" id=why_id aria-live="polite">{why}</div>
                </div>
            </div>
        }
        .into_any()
    }
}

/// A switch that shows passwords as they are typed, instead of asking for them twice.
#[component]
pub fn ShowPasswords(
    /// Whether passwords are readable.
    are_shown: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=are_shown
                on:change=move |event| are_shown.set(event_target_checked(&event))
            />
            "Show password"
        </label>
    }
}

/// The `type` attribute of a password field.
pub fn password_kind(are_shown: RwSignal<bool>) -> Signal<&'static str> {
    Signal::derive(move || if are_shown.get() { "text" } else { "password" })
}
