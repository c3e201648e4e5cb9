//! What a form knows: of each field what is saved, what is typed, what is wrong with it, and who else changed it.

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

/// One saving by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The fields that it changed.
    pub names: Vec<String>,
}

/// That a field was changed here and, to something else, by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    /// What both began with.
    pub base: String,
    /// Who changed it last and when, where that is known.
    pub by: Option<(String, DateTime<Utc>)>,
    /// Whether what they changed is a secret, which nobody is shown.
    pub is_hidden: bool,
}

/// One field: a setting, or the instance's name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The setting; none for the instance's name.
    field: Option<&'static Field>,
    /// What is saved now, whoever saved it.
    saved: RwSignal<String>,
    /// What is typed.
    typed: RwSignal<String>,
    /// Who else changed it, until a person has chosen.
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

    /// Whether a new instance is asked for it at once.
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

    /// Who else changed it, as long as that asks for a choice: not once the same stands in both.
    pub(super) fn clash(self) -> Option<Clash> {
        self.clash.get().filter(|clash| clash.is_hidden || self.is_changed())
    }

    pub(super) fn id(self) -> String {
        format!("field-{}", self.name())
    }

    /// What is typed here stays; saving it will replace what they saved.
    pub(super) fn keep_mine(self) {
        self.clash.set(None);
    }

    /// What they saved comes in, for what was typed here.
    pub(super) fn take_theirs(self) {
        self.typed.set(self.saved.get_untracked());
        self.clash.set(None);
    }

    /// What both make of a YAML text, where that is possible.
    pub(super) fn both(self, clash: &Clash) -> Option<String> {
        let is_yaml = self.field.is_some_and(|field| field.kind == FieldKind::Yaml) && !clash.is_hidden;
        let merge = || self.typed.with(|mine| self.saved.with(|theirs| both(&clash.base, mine, theirs)));
        is_yaml.then(merge).flatten()
    }

    /// Takes both in.
    pub(super) fn keep_both(self, text: String) {
        self.typed.set(text);
        self.clash.set(None);
    }

    /// Takes in what is saved now, and finds what it makes of what was typed.
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

    /// What is typed, as JSON.
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

/// All fields, with what is wrong with them.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    kind: StoredValue<&'static ApplicationType>,
    entries: StoredValue<Vec<Entry>>,
    /// What the server said, until the field is typed into.
    refused: RwSignal<HashMap<String, String>>,
    /// Whether fields that were not touched are judged too: after the first attempt to save.
    is_judged: RwSignal<bool>,
    /// What the server says may surprise in what is saved.
    told: RwSignal<Vec<FieldWarning>>,
    /// The same of what is typed, as far as it can be known here.
    advice: Memo<Vec<FieldWarning>>,
}

impl Form {
    /// A form for an instance of this type that holds these saved values; blank for those that are not there.
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

    /// What is known of its fields.
    pub fn schema(self) -> &'static Schema {
        &self.kind.get_value().schema
    }

    /// Everything that is typed, by name; follows what is typed.
    pub fn values(self) -> Map<String, Value> {
        self.entries().into_iter().map(|entry| (entry.name().to_owned(), entry.value_of(entry.typed.get()))).collect()
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
        changed.map(|entry| (entry.name().to_owned(), entry.value_of(entry.saved.get_untracked()))).collect()
    }

    /// Judges every field. Whether all are as they should be; the caret goes to the first that is not.
    pub fn judge(self) -> bool {
        self.is_judged.set(true);
        self.go_to_first(|form, entry| form.why(entry).is_some() || entry.clash().is_some())
    }

    /// Shows at each field what the server said of it, and goes to the first. Whether it said anything of a field that is shown.
    pub fn refuse(self, error: &ApiError) -> bool {
        let refused: HashMap<String, String> =
            error.fields().map(|(name, words)| (name.to_owned(), words.to_owned())).collect();
        self.refused.set(refused);
        !self.go_to_first(|form, entry| form.why(entry).is_some())
    }

    /// Goes to the first field about which a person has to choose.
    pub fn go_to_clash(self) {
        self.go_to_first(|_, entry| entry.clash().is_some());
    }

    /// The fields about which a person has to choose, by what they are called.
    pub fn clashes(self) -> Vec<&'static str> {
        self.entries().into_iter().filter(|entry| entry.clash().is_some()).map(Entry::label).collect()
    }

    /// Back to what is saved.
    pub fn discard(self) {
        self.entries().into_iter().for_each(Entry::take_theirs);
        self.refused.update(HashMap::clear);
    }

    /// Begins anew with what is saved now.
    pub fn reset(self, saved: &Map<String, Value>) {
        for entry in self.entries() {
            entry.saved.set(text_of(entry.field, saved.get(entry.name())));
        }
        self.discard();
        self.is_judged.set(false);
    }

    /// Takes in what somebody else saved, and who did, the last first; none: nobody knows. What was typed stays; what was not
    /// touched follows; where both are, a person has to choose.
    pub fn rebase(self, saved: &Map<String, Value>, changes: &[Change]) {
        for entry in self.entries() {
            entry.rebase(text_of(entry.field, saved.get(entry.name())), changes);
        }
    }

    /// What is typed in the fields that differ from what is saved, by name.
    pub fn typed(self) -> BTreeMap<String, String> {
        let changed = self.entries().into_iter().filter(|entry| entry.is_changed());
        changed.map(|entry| (entry.name().to_owned(), entry.typed.get())).collect()
    }

    /// Types this.
    pub fn retype(self, typed: &BTreeMap<String, String>) {
        for entry in self.entries() {
            if let Some(text) = typed.get(entry.name()) {
                entry.typed.set(text.clone());
            }
        }
    }

    /// Types these values, and blank where there is none; the name stays.
    pub fn fill(self, values: &Map<String, Value>) {
        for entry in self.entries().into_iter().filter(|entry| entry.field.is_some()) {
            entry.typed.set(text_of(entry.field, values.get(entry.name())));
        }
        self.refused.update(HashMap::clear);
    }

    /// What somebody typed: what the server said of it holds no longer.
    pub(super) fn take(self, entry: Entry, text: String) {
        // Told only where it changes something: every field listens.
        if self.refused.with_untracked(|refused| refused.contains_key(entry.name())) {
            self.refused.update(|refused| drop(refused.remove(entry.name())));
        }
        entry.typed.set(text);
    }

    /// Puts the caret into the first such field, once it is drawn as what it is. True: there is none.
    fn go_to_first(self, is_so: impl Fn(Self, Entry) -> bool) -> bool {
        let first = self.entries().into_iter().find(|entry| untrack(|| is_so(self, *entry)));
        let Some(first) = first else { return true };
        let line = untrack(|| self.why(first)).and_then(|why| yaml::line_of(&why));
        request_animation_frame(move || go_to(&first.id(), line));
        false
    }

    /// Takes in what the server says may surprise in what is saved.
    pub fn tell(self, warnings: &[FieldWarning]) {
        self.told.set(warnings.to_vec());
    }

    /// What may surprise in a field. The server knows more of what is saved.
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

/// Goes to a line of a field.
pub(super) fn go_to_line_of(entry: Entry, line: usize) {
    go_to(&entry.id(), Some(line));
}

/// Puts the caret into a field; where it is an editor and the line is known, into that line.
fn go_to(id: &str, line: Option<usize>) {
    let Some(field) = document().get_element_by_id(id) else { return };
    // A field that is not shown takes no caret.
    let _ = field.unchecked_ref::<web_sys::HtmlElement>().focus();
    if let (Some(line), Some(area)) = (line, field.dyn_ref()) {
        go_to_line(area, line);
    }
}

/// The changes of secrets, which what is saved does not show: fields that look as before and that somebody changed.
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
