//! The state of a form: the saved and the typed value of each field, its errors, and conflicting changes.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::applications::ApplicationType;
use shared_types::diff::SettingChange;
use shared_types::secret::HIDDEN;
use shared_types::settings::{Field, FieldKind, Schema};
use shared_types::{FieldWarning, care, instance, yaml};
use wasm_bindgen::JsCast;

use super::merge::{Merged, both, merged};
use crate::api::ApiError;
use crate::ui::go_to_line;

/// One save by another user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub by: String,
    pub at: DateTime<Utc>,
    /// The JSON names of the changed fields.
    pub names: Vec<String>,
}

/// An edit conflict: a field was changed here and, differently, by another user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    /// The value that both edits are based on.
    pub base: String,
    /// Who changed it last and when, if known.
    pub by: Option<(String, DateTime<Utc>)>,
    /// Whether the other change is to a secret, whose value is never shown.
    pub is_hidden: bool,
}

/// One field: a setting, or the instance's name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The setting; none for the instance's name.
    field: Option<&'static Field>,
    /// The saved value, including other users' changes.
    saved: RwSignal<String>,
    typed: RwSignal<String>,
    /// The conflict, until the user has resolved it.
    clash: RwSignal<Option<Clash>>,
}

impl Entry {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        self.field.map_or("name", |field| field.name)
    }

    pub(super) fn label(self) -> &'static str {
        self.field.map_or("Name", |field| field.label)
    }

    pub(super) fn help(self) -> &'static str {
        self.field.map_or("Shown to visitors where the application shows a name", |field| field.help)
    }

    /// Whether the form for a new instance shows it at once.
    pub(super) fn is_basic(self) -> bool {
        self.field.is_none_or(|field| field.is_basic)
    }

    pub(super) fn is_changed(self) -> bool {
        self.typed.with(|typed| self.saved.with(|saved| typed != saved))
    }

    pub(super) fn field(self) -> Option<&'static Field> {
        self.field
    }

    pub(super) fn saved(self) -> RwSignal<String> {
        self.saved
    }

    pub(super) fn typed(self) -> RwSignal<String> {
        self.typed
    }

    /// The unresolved conflict, if any; none once both values are equal.
    pub(super) fn clash(self) -> Option<Clash> {
        self.clash.get().filter(|clash| clash.is_hidden || self.is_changed())
    }

    pub(super) fn id(self) -> String {
        format!("field-{}", self.name())
    }

    /// Resolves the conflict: keeps the typed value, and saving will overwrite the other change.
    pub(super) fn keep_mine(self) {
        self.clash.set(None);
    }

    /// Resolves the conflict: replaces the typed value by the saved one.
    pub(super) fn take_theirs(self) {
        self.typed.set(self.saved.get_untracked());
        self.clash.set(None);
    }

    /// Both changes of a YAML text merged, if possible.
    pub(super) fn both(self, clash: &Clash) -> Option<String> {
        let is_yaml = self.field.is_some_and(|field| field.kind == FieldKind::Yaml) && !clash.is_hidden;
        let merge = || self.typed.with(|mine| self.saved.with(|theirs| both(&clash.base, mine, theirs)));
        is_yaml.then(merge).flatten()
    }

    /// Resolves the conflict: takes the merged text.
    pub(super) fn keep_both(self, text: String) {
        self.typed.set(text);
        self.clash.set(None);
    }

    /// Takes a newly saved value and merges it with the typed one.
    fn rebase(self, theirs: String, changes: &[Change]) {
        let (base, mine) = (self.saved.get_untracked(), self.typed.get_untracked());
        let earlier = self.clash.get_untracked();
        let base = earlier.map_or(base, |earlier| earlier.base);
        let change = changes.iter().find(|change| change.names.iter().any(|name| name == self.name()));
        let is_hidden = base == theirs && theirs.contains(HIDDEN) && (change.is_some() || changes.is_empty());
        let clash = match merged(&base, &mine, &theirs, is_hidden) {
            Merged::Mine => None,
            Merged::Theirs => {
                self.typed.set(theirs.clone());
                None
            }
            Merged::Clash => {
                let by = change.map(|change| (change.by.clone(), change.at));
                Some(Clash { base, by, is_hidden })
            }
        };
        self.saved.set(theirs);
        self.clash.set(clash);
    }

    fn check(self) -> Option<String> {
        self.typed.with(|typed| match self.field {
            None => instance::check_name(typed).err(),
            Some(field) if field.kind == FieldKind::Flag => None,
            Some(field) => field.check_text(typed).err(),
        })
    }

    /// The typed value as JSON.
    fn value(self) -> Value {
        self.value_of(self.typed.get_untracked())
    }

    fn value_of(self, text: String) -> Value {
        match self.field {
            Some(field) => field.value_of(&text),
            None => text.into(),
        }
    }
}

/// All fields with their errors.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    kind: StoredValue<&'static ApplicationType>,
    entries: StoredValue<Vec<Entry>>,
    /// The server's errors by field, until the field is edited.
    refused: RwSignal<HashMap<String, String>>,
    /// Whether untouched fields are validated too: after the first attempt to save.
    is_judged: RwSignal<bool>,
    /// The server's warnings about the saved values.
    told: RwSignal<Vec<FieldWarning>>,
    /// The warnings about the typed values, as far as they can be computed in the browser.
    advice: Memo<Vec<FieldWarning>>,
}

impl Form {
    /// A form for an instance of this type with these saved values; missing values are blank.
    pub fn new(kind: &'static ApplicationType, saved: &Map<String, Value>) -> Self {
        let fields = std::iter::once(None).chain(kind.schema.fields.iter().chain(care::FIELDS).map(Some));
        let entries = fields.map(|field| {
            let text = text_of(field, saved.get(field.map_or("name", |field| field.name)));
            Entry { field, saved: RwSignal::new(text.clone()), typed: RwSignal::new(text), clash: RwSignal::new(None) }
        });
        let entries: Vec<Entry> = entries.collect();
        let typed = entries.clone();
        let advice = Memo::new(move |_| {
            let value = |entry: &Entry| (entry.name().to_owned(), entry.value_of(entry.typed.get()));
            (kind.warnings)(&typed.iter().map(value).collect())
        });
        Self {
            kind: StoredValue::new(kind),
            entries: StoredValue::new(entries),
            refused: RwSignal::default(),
            is_judged: RwSignal::new(false),
            told: RwSignal::default(),
            advice,
        }
    }

    pub fn schema(self) -> &'static Schema {
        &self.kind.get_value().schema
    }

    /// All typed values, by name; tracks them.
    pub fn values(self) -> Map<String, Value> {
        self.entries().into_iter().map(|entry| (entry.name().to_owned(), entry.value_of(entry.typed.get()))).collect()
    }

    /// The fields, the name first.
    pub fn entries(self) -> Vec<Entry> {
        self.entries.get_value()
    }

    /// Whether any typed value differs from the saved one.
    pub fn is_changed(self) -> bool {
        self.entries().into_iter().any(Entry::is_changed)
    }

    /// The typed values that differ from the saved ones.
    pub fn changes(self) -> Map<String, Value> {
        let changed = self.entries().into_iter().filter(|entry| untrack(|| entry.is_changed()));
        changed.map(|entry| (entry.name().to_owned(), entry.value())).collect()
    }

    /// The saved values of the changed fields.
    pub fn saved_of_changes(self) -> Map<String, Value> {
        let changed = self.entries().into_iter().filter(|entry| untrack(|| entry.is_changed()));
        changed.map(|entry| (entry.name().to_owned(), entry.value_of(entry.saved.get_untracked()))).collect()
    }

    /// Validates every field. Returns whether all are valid; focuses the first invalid one.
    pub fn judge(self) -> bool {
        self.is_judged.set(true);
        self.go_to_first(|form, entry| form.why(entry).is_some() || entry.clash().is_some())
    }

    /// Shows the server's errors at their fields and focuses the first. Returns whether any shown field has an error.
    pub fn refuse(self, error: &ApiError) -> bool {
        let refused: HashMap<String, String> =
            error.fields().map(|(name, words)| (name.to_owned(), words.to_owned())).collect();
        self.refused.set(refused);
        !self.go_to_first(|form, entry| form.why(entry).is_some())
    }

    /// Focuses the first field with a conflict.
    pub fn go_to_clash(self) {
        self.go_to_first(|_, entry| entry.clash().is_some());
    }

    /// The labels of the fields with a conflict.
    pub fn clashes(self) -> Vec<&'static str> {
        self.entries().into_iter().filter(|entry| entry.clash().is_some()).map(Entry::label).collect()
    }

    /// Resets all fields to the saved values.
    pub fn discard(self) {
        self.entries().into_iter().for_each(Entry::take_theirs);
        self.refused.update(HashMap::clear);
    }

    /// Starts over with these saved values.
    pub fn reset(self, saved: &Map<String, Value>) {
        for entry in self.entries() {
            entry.saved.set(text_of(entry.field, saved.get(entry.name())));
        }
        self.discard();
        self.is_judged.set(false);
    }

    /// Takes in values that another user saved, and the changes, last first; empty if the audit trail gave none. Typed
    /// values stay, untouched fields follow; fields changed in both get a conflict.
    pub fn rebase(self, saved: &Map<String, Value>, changes: &[Change]) {
        for entry in self.entries() {
            entry.rebase(text_of(entry.field, saved.get(entry.name())), changes);
        }
    }

    /// The typed texts that differ from the saved ones, by name.
    pub fn typed(self) -> BTreeMap<String, String> {
        let changed = self.entries().into_iter().filter(|entry| entry.is_changed());
        changed.map(|entry| (entry.name().to_owned(), entry.typed.get())).collect()
    }

    /// Restores these typed texts.
    pub fn retype(self, typed: &BTreeMap<String, String>) {
        for entry in self.entries() {
            if let Some(text) = typed.get(entry.name()) {
                entry.typed.set(text.clone());
            }
        }
    }

    /// Types these values, and blank for missing ones; the name stays.
    pub fn fill(self, values: &Map<String, Value>) {
        for entry in self.entries().into_iter().filter(|entry| entry.field.is_some()) {
            entry.typed.set(text_of(entry.field, values.get(entry.name())));
        }
        self.refused.update(HashMap::clear);
    }

    /// Handles an edit: the server's error about the field no longer applies.
    pub(super) fn take(self, entry: Entry, text: String) {
        // Updated only if it changes something: every field listens.
        if self.refused.with_untracked(|refused| refused.contains_key(entry.name())) {
            self.refused.update(|refused| drop(refused.remove(entry.name())));
        }
        entry.typed.set(text);
    }

    /// Focuses the first field that matches, once it is drawn. Returns true if there is none.
    fn go_to_first(self, is_so: impl Fn(Self, Entry) -> bool) -> bool {
        let first = self.entries().into_iter().find(|entry| untrack(|| is_so(self, *entry)));
        let Some(first) = first else { return true };
        let line = untrack(|| self.why(first)).and_then(|why| yaml::line_of(&why));
        request_animation_frame(move || go_to(&first.id(), line));
        false
    }

    /// Stores the server's warnings about the saved values.
    pub fn tell(self, warnings: &[FieldWarning]) {
        self.told.set(warnings.to_vec());
    }

    /// The warnings about a field. For an unchanged field the server's, which are more complete.
    pub(super) fn advice_of(self, entry: Entry) -> Vec<FieldWarning> {
        let is_of = |warning: &&FieldWarning| warning.pointer.strip_prefix('/') == Some(entry.name());
        let of = |warnings: &Vec<FieldWarning>| warnings.iter().filter(is_of).cloned().collect();
        if entry.is_changed() { self.advice.with(of) } else { self.told.with(of) }
    }

    pub(super) fn why(self, entry: Entry) -> Option<String> {
        let refused = self.refused.with(|refused| refused.get(entry.name()).cloned());
        let is_judged = self.is_judged.get() || entry.is_changed();
        refused.or_else(|| is_judged.then(|| entry.check()).flatten())
    }
}

/// Puts the caret into a line of a field.
pub(super) fn go_to_line_of(entry: Entry, line: usize) {
    go_to(&entry.id(), Some(line));
}

/// Focuses a field; in an editor with a known line, puts the caret into that line.
fn go_to(id: &str, line: Option<usize>) {
    let Some(field) = document().get_element_by_id(id) else { return };
    // Hidden fields cannot have the focus.
    let _ = field.unchecked_ref::<web_sys::HtmlElement>().focus();
    if let (Some(line), Some(area)) = (line, field.dyn_ref()) {
        go_to_line(area, line);
    }
}

/// Changes of secrets by other users, which masked values do not show: changed fields whose saved text is the same.
pub fn hidden_changes(before: &Map<String, Value>, now: &Map<String, Value>, changes: &[Change]) -> Vec<SettingChange> {
    let mut names: Vec<&String> = changes.iter().flat_map(|change| &change.names).collect();
    names.sort_unstable();
    names.dedup();
    let hidden = || Some(HIDDEN.to_owned());
    let is_hidden = |name: &&String| {
        let (before, now) = (before.get(name.as_str()), now.get(name.as_str()));
        now.is_some_and(|value| value.to_string().contains(HIDDEN)) && before == now
    };
    let change =
        |name: &String| SettingChange { name: name.clone(), before: hidden(), after: hidden(), is_secret: true };
    names.into_iter().filter(is_hidden).map(change).collect()
}

/// A saved value as a field holds it; `None` is the instance's name.
pub(super) fn text_of(field: Option<&Field>, value: Option<&Value>) -> String {
    match (field, value) {
        (_, None) => String::new(),
        (Some(field), Some(value)) => field.text_of(value),
        (None, Some(value)) => value.as_str().unwrap_or_default().to_owned(),
    }
}
