//! A list of records: one group of fields for each; groups can be added and removed.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::settings::{Field, FieldKind, Records};

use super::controls::Attributes;
use crate::ui::{Icon, Shape};

/// The fields of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    /// Distinguishes groups while they are added and removed.
    key: usize,
    /// The text of each field, in the order of the schema.
    texts: StoredValue<Vec<RwSignal<String>>>,
}

/// The groups of a field, and the field's text made from them.
#[derive(Debug, Clone, Copy)]
struct Groups {
    records: &'static Records,
    shown: RwSignal<Vec<Group>>,
    next_key: StoredValue<usize>,
}

impl Groups {
    fn new(records: &'static Records) -> Self {
        Self { records, shown: RwSignal::default(), next_key: StoredValue::new(0) }
    }

    fn group(self, record: &Map<String, Value>) -> Group {
        let texts =
            self.records.fields.iter().map(|field| {
                RwSignal::new(record.get(field.name).map(|value| field.text_of(value)).unwrap_or_default())
            });
        let key = self.next_key.get_value();
        self.next_key.set_value(key + 1);
        Group { key, texts: StoredValue::new(texts.collect()) }
    }

    /// Redraws the groups from the field's text, unless they already match it.
    fn show(self, text: &str) {
        if text == self.text() {
            return;
        }
        let records: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap_or_default();
        self.shown.set(records.iter().map(|record| self.group(record)).collect());
    }

    fn add(self) {
        let group = self.group(&Map::new());
        self.shown.update(|shown| shown.push(group));
    }

    fn remove(self, key: usize) {
        self.shown.update(|shown| shown.retain(|group| group.key != key));
    }

    /// The field's text: blank if there is no record.
    fn text(self) -> String {
        let value = |(field, text): (&Field, &RwSignal<String>)| {
            let text = text.get_untracked();
            let value = if text.trim().is_empty() { Value::Null } else { field.value_of(&text) };
            (field.name.to_owned(), value)
        };
        let record = |group: &Group| -> Value {
            group
                .texts
                .with_value(|texts| self.records.fields.iter().zip(texts).map(value).collect::<Map<_, _>>().into())
        };
        let all: Vec<Value> = self.shown.with_untracked(|shown| shown.iter().map(record).collect());
        if all.is_empty() { String::new() } else { Value::Array(all).to_string() }
    }
}

#[component]
pub(super) fn RecordList(attributes: Attributes, records: &'static Records) -> impl IntoView {
    let Attributes { id, entry, class: _, described, why: _, is_wrong, on_typed } = attributes;
    let groups = Groups::new(records);
    let typed = entry.typed();
    Effect::new(move || typed.with(|text| groups.show(text)));
    let tell = Callback::new(move |()| on_typed.run(groups.text()));
    let is_full = move || groups.shown.with(Vec::len) >= records.most;
    let label = entry.label();
    view! {
        <div
            id=id
            class="records"
            role="group"
            tabindex="-1"
            aria-label=label
            aria-describedby=described
            aria-invalid=move || is_wrong.get().then_some("true")
        >
            <For each=move || groups.shown.get() key=|group| group.key let:group>
                <RecordGroup groups group tell/>
            </For>
            <button
                type="button"
                disabled=is_full
                on:click=move |_| {
                    groups.add();
                    tell.run(());
                }
            >
                <Icon shape=Shape::Plus/>
                {format!("Add {}", records.item)}
            </button>
        </div>
    }
}

#[component]
fn RecordGroup(groups: Groups, group: Group, tell: Callback<()>) -> impl IntoView {
    let number =
        move || groups.shown.with(|shown| shown.iter().position(|other| other.key == group.key).map_or(0, |at| at + 1));
    let item = groups.records.item;
    let lines = groups.records.fields.iter().zip(group.texts.get_value());
    let lines = lines.map(|(field, text)| view! { <RecordLine field text tell/> }.into_any()).collect_view();
    view! {
        <fieldset>
            <legend>{move || format!("{item} {}", number())}</legend>
            {lines}
            <button
                type="button"
                class="quiet"
                on:click=move |_| {
                    groups.remove(group.key);
                    tell.run(());
                }
            >
                {move || format!("Remove {item} {}", number())}
            </button>
        </fieldset>
    }
}

#[component]
fn RecordLine(field: &'static Field, text: RwSignal<String>, tell: Callback<()>) -> impl IntoView {
    let take = move |typed: String| {
        text.set(typed);
        tell.run(());
    };
    let words = if let FieldKind::Choice(words) = field.kind { Some(words) } else { None };
    let control = match words {
        Some(words) => {
            let options = words
                .iter()
                .map(|word| view! { <option value=*word prop:selected=move || text.get() == *word>{*word}</option> });
            view! {
                <select on:change=move |event| take(event_target_value(&event))>
                    <option value="">"Default"</option>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        None => view! {
            <input
                type="text"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                prop:value=text
                on:input=move |event| take(event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <label>
            <span>{field.label}</span>
            {control}
            <small>{field.help}</small>
        </label>
    }
}
