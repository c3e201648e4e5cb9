//! The settings as a form: for a new instance and for changing one. Values are checked as typed by the server's own rules.

use std::collections::HashMap;

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::openedx::{FIELDS, Field, FieldKind};
use shared_types::{care, instance};

use crate::api::ApiError;

/// One field: a setting, or the instance's name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The setting; none for the instance's name.
    field: Option<&'static Field>,
    /// What is saved.
    saved: RwSignal<String>,
    /// What is typed.
    typed: RwSignal<String>,
}

impl Entry {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        self.field.map_or("name", |field| field.name)
    }

    fn label(self) -> &'static str {
        self.field.map_or("Name", |field| field.label)
    }

    fn help(self) -> &'static str {
        self.field.map_or("Shown to learners as the platform's name", |field| field.help)
    }

    fn is_changed(self) -> bool {
        self.typed.with(|typed| self.saved.with(|saved| typed != saved))
    }

    fn check(self) -> Option<String> {
        self.typed.with(|typed| match self.field {
            None => instance::check_name(typed).err(),
            Some(field) if field.kind == FieldKind::Flag => None,
            Some(field) => field.check_text(typed).err(),
        })
    }

    /// What is typed, as JSON.
    fn value(self) -> Value {
        let typed = self.typed.get_untracked();
        match self.field.map(|field| field.kind) {
            Some(FieldKind::Flag) if typed.is_empty() => Value::Null,
            Some(FieldKind::Flag) => Value::Bool(typed == "true"),
            // Judged before it is sent: only a blank is no number.
            Some(FieldKind::Whole { .. }) => typed.trim().parse::<i64>().map_or(Value::Null, Value::from),
            Some(_) | None => Value::String(typed),
        }
    }
}

/// All fields, with what is wrong with them.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    entries: StoredValue<Vec<Entry>>,
    /// What the server said, until the field is typed into.
    refused: RwSignal<HashMap<String, String>>,
    /// Whether fields that were not touched are judged too: after the first attempt to save.
    is_judged: RwSignal<bool>,
}

impl Form {
    /// A form that holds these saved values; blank for those that are not there.
    pub fn new(saved: &Map<String, Value>) -> Self {
        let fields = std::iter::once(None).chain(FIELDS.iter().chain(care::FIELDS).map(Some));
        let entries = fields.map(|field| {
            let text = text_of(saved.get(field.map_or("name", |field| field.name)));
            Entry { field, saved: RwSignal::new(text.clone()), typed: RwSignal::new(text) }
        });
        Self {
            entries: StoredValue::new(entries.collect()),
            refused: RwSignal::default(),
            is_judged: RwSignal::new(false),
        }
    }

    /// Its fields, the name first.
    pub fn entries(self) -> Vec<Entry> {
        self.entries.get_value()
    }

    /// Whether anything typed differs from what is saved.
    pub fn is_changed(self) -> bool {
        self.entries().into_iter().any(Entry::is_changed)
    }

    /// What was typed and differs from what is saved.
    pub fn changes(self) -> Map<String, Value> {
        let changed = self.entries().into_iter().filter(|entry| untrack(|| entry.is_changed()));
        changed.map(|entry| (entry.name().to_owned(), entry.value())).collect()
    }

    /// What is saved, of the fields that were changed.
    pub fn saved_of_changes(self) -> Map<String, Value> {
        let changed = self.entries().into_iter().filter(|entry| untrack(|| entry.is_changed()));
        changed.map(|entry| (entry.name().to_owned(), Value::String(entry.saved.get_untracked()))).collect()
    }

    /// Judges every field. Whether all are as they should be.
    pub fn judge(self) -> bool {
        self.is_judged.set(true);
        self.entries().into_iter().all(|entry| untrack(|| entry.check().is_none()))
    }

    /// Shows at each field what the server said of it. Whether it said anything of a field that is shown.
    pub fn refuse(self, error: &ApiError) -> bool {
        let refused: HashMap<String, String> =
            error.fields().map(|(name, words)| (name.to_owned(), words.to_owned())).collect();
        let is_shown = self.entries().iter().any(|entry| refused.contains_key(entry.name()));
        self.refused.set(refused);
        is_shown
    }

    /// Back to what is saved.
    pub fn discard(self) {
        for entry in self.entries() {
            entry.typed.set(entry.saved.get_untracked());
        }
        self.refused.update(HashMap::clear);
    }

    /// Takes in what is saved now. What a person typed stays; what they did not touch follows.
    pub fn rebase(self, saved: &Map<String, Value>) {
        for entry in self.entries() {
            let text = text_of(saved.get(entry.name()));
            if !untrack(|| entry.is_changed()) {
                entry.typed.set(text.clone());
            }
            entry.saved.set(text);
        }
    }

    /// Whether this is what the form takes for saved.
    pub fn is_based_on(self, saved: &Map<String, Value>) -> bool {
        self.entries().iter().all(|entry| entry.saved.get_untracked() == text_of(saved.get(entry.name())))
    }

    fn why(self, entry: Entry) -> Option<String> {
        let refused = self.refused.with(|refused| refused.get(entry.name()).cloned());
        let is_judged = self.is_judged.get() || entry.is_changed();
        refused.or_else(|| is_judged.then(|| entry.check()).flatten())
    }
}

/// Whether a field says how the manager treats the instance, and not what the instance is.
pub fn is_care(name: &str) -> bool {
    care::FIELDS.iter().any(|field| field.name == name)
}

/// A saved value as a field holds it.
fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => other.to_string(),
    }
}

/// Some of a form's fields, each with its help and what is wrong with it.
#[component]
pub fn FieldRows(
    /// The form.
    form: Form,
    /// Which fields.
    pick: fn(&str) -> bool,
    /// What was saved before something else than this form changed it; marks the fields that it changed.
    #[prop(optional, into)]
    before: Signal<Option<Map<String, Value>>>,
) -> impl IntoView {
    let rows = form.entries().into_iter().filter(|entry| pick(entry.name()));
    rows.map(|entry| view! { <FieldRow form entry before/> }).collect_view()
}

#[component]
fn FieldRow(form: Form, entry: Entry, before: Signal<Option<Map<String, Value>>>) -> impl IntoView {
    let id = format!("field-{}", entry.name());
    let why_id = format!("{id}-why");
    let was_id = format!("{id}-was");
    let why = Memo::new(move |_| form.why(entry));
    let was = Memo::new(move |_| before.with(|before| was(before.as_ref()?, entry.name(), &entry.saved.get())));
    let class = move || match (why.with(Option::is_some), entry.is_changed() || was.with(Option::is_some)) {
        (true, _) => "wrong",
        (false, true) => "changed",
        (false, false) => "",
    };
    let typed = move |text: String| {
        form.refused.update(|refused| {
            refused.remove(entry.name());
        });
        entry.typed.set(text);
    };
    let help_id = format!("{id}-help");
    view! {
        <div class="field">
            <div>
                <label for=id.clone()>{entry.label()}</label>
                <small id=help_id.clone()>{entry.help()}</small>
            </div>
            <div>
                {control(Attributes {
                    id,
                    entry,
                    class: Signal::derive(class),
                    described: format!("{help_id} {was_id} {why_id}"),
                    is_wrong: Signal::derive(move || why.with(Option::is_some)),
                    on_typed: Callback::new(typed),
                })}
                {move || was.get().map(|was| view! { <div class="was" id=was_id.clone()>{was}</div> })}
                <div class="why" id=why_id aria-live="polite">{why}</div>
            </div>
        </div>
    }
}

/// How long a value from before may be to be told beside the new one.
const WAS_MAX: usize = 120;

/// That a field is another than before, and what it was where that is a line; none: it is the same.
fn was(before: &Map<String, Value>, name: &str, now: &str) -> Option<String> {
    let before = text_of(before.get(name));
    if before == now {
        return None;
    }
    Some(match before.as_str() {
        "" => "Updated; it was blank".to_owned(),
        text if text.contains('\n') || text.chars().count() > WAS_MAX => "Updated".to_owned(),
        text => format!("Updated; it was «{text}»"),
    })
}

/// What every kind of control is given.
#[derive(Clone)]
struct Attributes {
    id: String,
    entry: Entry,
    class: Signal<&'static str>,
    described: String,
    is_wrong: Signal<bool>,
    on_typed: Callback<String>,
}

fn control(attributes: Attributes) -> AnyView {
    match attributes.entry.field.map(|field| field.kind) {
        Some(FieldKind::Yaml) => view! { <Text attributes/> }.into_any(),
        Some(FieldKind::Choice(words)) => {
            let options = words.iter().map(|word| (*word, *word)).collect();
            view! { <Choice attributes options/> }.into_any()
        }
        Some(FieldKind::Flag) => {
            view! { <Choice attributes options=vec![("true", "Yes"), ("false", "No")]/> }.into_any()
        }
        Some(
            FieldKind::Hostname
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
    let Attributes { id, entry, class, described, is_wrong, on_typed } = attributes;
    let is_number = entry.field.is_some_and(|field| matches!(field.kind, FieldKind::Whole { .. }));
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
            prop:value=entry.typed
            on:input=move |event| on_typed.run(event_target_value(&event))
        />
    }
}

#[component]
fn Text(attributes: Attributes) -> impl IntoView {
    let Attributes { id, entry, class, described, is_wrong, on_typed } = attributes;
    view! {
        <textarea
            id=id
            name=entry.name()
            class=class
            rows="7"
            spellcheck="false"
            aria-describedby=described
            aria-invalid=move || is_wrong.get().then_some("true")
            prop:value=entry.typed
            on:input=move |event| on_typed.run(event_target_value(&event))
        ></textarea>
    }
}

#[component]
fn Choice(attributes: Attributes, options: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let Attributes { id, entry, class, described, is_wrong, on_typed } = attributes;
    let typed = entry.typed;
    let options = options.into_iter().map(|(value, label)| {
        view! { <option value=value selected=move || typed.get() == value>{label}</option> }
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

/// Where nothing is saved, leaving it to the default is a choice.
fn blank_option(entry: Entry) -> Option<impl IntoView> {
    entry.saved.get_untracked().is_empty().then(|| view! { <option value="">"Default"</option> })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_field_that_was_updated_says_what_it_was() {
        let before = json!({ "commit": "aaaa", "yaml": "A: 1\nB: 2\n", "email": "", "flag": false });
        let before = before.as_object().unwrap();
        assert_eq!(was(before, "commit", "aaaa"), None);
        assert_eq!(was(before, "commit", "bbbb").as_deref(), Some("Updated; it was «aaaa»"));
        assert_eq!(
            was(before, "yaml", "A: 1\n").as_deref(),
            Some("Updated"),
            "many lines are told by the difference above"
        );
        assert_eq!(was(before, "email", "x@y.example").as_deref(), Some("Updated; it was blank"));
        assert_eq!(was(before, "flag", "false"), None);
    }
}
