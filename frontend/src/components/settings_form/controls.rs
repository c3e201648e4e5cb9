//! The input control of a field: a line, an editor or a choice, depending on its kind.

use leptos::prelude::*;
use shared_types::settings::FieldKind;
use shared_types::yaml;

use super::form::Entry;
use super::lock::Lock;
use super::records::RecordList;
use crate::ui::CodeEditor;

/// The attributes that every kind of control takes.
#[derive(Clone)]
pub(super) struct Attributes {
    pub id: String,
    pub entry: Entry,
    pub class: Signal<&'static str>,
    pub described: String,
    /// The error message of the field.
    pub why: Memo<Option<String>>,
    pub is_wrong: Signal<bool>,
    pub on_typed: Callback<String>,
}

/// The control of a field.
pub(super) fn control(attributes: Attributes) -> AnyView {
    match attributes.entry.field().map(|field| field.kind) {
        Some(FieldKind::Yaml) => view! { <Yaml attributes/> }.into_any(),
        Some(FieldKind::Requirements) => view! { <Requirements attributes/> }.into_any(),
        Some(FieldKind::Choice(words)) => {
            let options = words.iter().map(|word| (*word, *word)).collect();
            view! { <Choice attributes options/> }.into_any()
        }
        Some(FieldKind::Flag) => {
            view! { <Choice attributes options=vec![("true", "Yes"), ("false", "No")]/> }.into_any()
        }
        Some(FieldKind::Hostnames { .. }) => view! { <Lines attributes/> }.into_any(),
        Some(FieldKind::Records(records)) => view! { <RecordList attributes records/> }.into_any(),
        Some(
            FieldKind::Hostname
            | FieldKind::Path
            | FieldKind::Line
            | FieldKind::Email
            | FieldKind::Repository
            | FieldKind::GitRef
            | FieldKind::Organization
            | FieldKind::Whole { .. },
        )
        | None => view! { <Line attributes/> }.into_any(),
    }
}

#[component]
fn Line(attributes: Attributes) -> impl IntoView {
    let Attributes { id, entry, class, described, why: _, is_wrong, on_typed } = attributes;
    let is_number = entry.field().is_some_and(|field| matches!(field.kind, FieldKind::Whole { .. }));
    view! {
        <input
            id=id
            inputmode=is_number.then_some("numeric")
            name=entry.name()
            class=class
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            aria-describedby=described
            aria-invalid=move || is_wrong.get().then_some("true")
            prop:value=entry.typed()
            on:input=move |event| on_typed.run(event_target_value(&event))
        />
    }
}

/// Several values, one on each line.
#[component]
fn Lines(attributes: Attributes) -> impl IntoView {
    let Attributes { id, entry, class, described, why: _, is_wrong, on_typed } = attributes;
    view! {
        <textarea
            id=id
            name=entry.name()
            class=class
            rows="3"
            autocapitalize="none"
            spellcheck="false"
            aria-describedby=described
            aria-invalid=move || is_wrong.get().then_some("true")
            prop:value=entry.typed()
            on:input=move |event| on_typed.run(event_target_value(&event))
        ></textarea>
    }
}

/// A path, or lines in the format of pip.
#[component]
fn Requirements(attributes: Attributes) -> impl IntoView {
    let Attributes { id, entry, class, described, why: _, is_wrong, on_typed } = attributes;
    let (wrong_line, caret) = (Signal::derive(|| None), RwSignal::new(1));
    view! {
        <CodeEditor id name=entry.name() class described is_wrong wrong_line text=entry.typed() caret on_typed/>
    }
}

#[component]
fn Yaml(attributes: Attributes) -> impl IntoView {
    let Attributes { id, entry, class, described, why, is_wrong, on_typed } = attributes;
    let wrong_line = Signal::derive(move || why.with(|why| why.as_deref().and_then(yaml::line_of)));
    let caret = RwSignal::new(1);
    view! {
        <CodeEditor id=id.clone() name=entry.name() class described is_wrong wrong_line text=entry.typed() caret on_typed/>
        <Lock area=id text=entry.typed() caret on_typed/>
    }
}

#[component]
fn Choice(attributes: Attributes, options: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let Attributes { id, entry, class, described, why: _, is_wrong, on_typed } = attributes;
    let typed = entry.typed();
    // The property, not the attribute: the attribute has no effect once a user has chosen an option.
    let options = options.into_iter().map(|(value, label)| {
        view! { <option value=value prop:selected=move || typed.get() == value>{label}</option> }
    });
    view! {
        <select
            id=id
            name=entry.name()
            class=class
            aria-describedby=described
            aria-invalid=move || is_wrong.get().then_some("true")
            on:change=move |event| on_typed.run(event_target_value(&event))
        >
            {blank_option(entry)}
            {options.collect_view()}
        </select>
    }
}

/// The option “Default”, if no value is saved.
fn blank_option(entry: Entry) -> Option<impl IntoView> {
    entry.saved().get_untracked().is_empty().then(|| view! { <option value="">"Default"</option> })
}
