//! The rows of the form: each field with its help, its control and its messages.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::settings::Field;

use super::advice::AdviceList;
use super::clash::ClashView;
use super::controls::{Attributes, control};
use super::form::{Entry, Form, text_of};

/// Which fields are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldGroup {
    /// Those that the form for a new instance shows at once.
    Basic,
    /// All fields that are not basic.
    Advanced,
    /// The name, and the settings of the application.
    Settings,
    /// How the manager treats the instance.
    Care,
}

impl FieldGroup {
    fn has(self, entry: Entry) -> bool {
        match self {
            Self::Basic => entry.is_basic(),
            Self::Advanced => !entry.is_basic(),
            Self::Settings => !super::is_care(entry.name()),
            Self::Care => super::is_care(entry.name()),
        }
    }
}

/// Some of a form's fields, each with its help and its error.
#[component]
pub fn FieldRows(
    form: Form,
    group: FieldGroup,
    /// The saved settings before an update from elsewhere; fields that it changed are marked.
    #[prop(optional, into)]
    before: Signal<Option<Map<String, Value>>>,
) -> impl IntoView {
    let rows = form.entries().into_iter().filter(|entry| group.has(*entry));
    rows.map(|entry| view! { <FieldRow form entry before/> }.into_any()).collect_view()
}

#[component]
fn FieldRow(form: Form, entry: Entry, before: Signal<Option<Map<String, Value>>>) -> impl IntoView {
    let id = entry.id();
    let [help_id, was_id, clash_id, why_id, advice_id] =
        ["help", "was", "clash", "why", "advice"].map(|part| format!("{id}-{part}"));
    let why = Memo::new(move |_| form.why(entry));
    let was = Memo::new(move |_| before.with(|before| was(entry.field(), before.as_ref()?, &entry.saved().get())));
    let clash = Memo::new(move |_| entry.clash());
    let is_wrong = Signal::derive(move || why.with(Option::is_some));
    let is_changed = Memo::new(move |_| entry.is_changed());
    let class = Signal::derive(move || match (is_wrong.get(), is_changed.get() || was.with(Option::is_some)) {
        (true, _) => "wrong",
        (false, true) => "changed",
        (false, false) => "",
    });
    let on_typed = Callback::new(move |text| form.take(entry, text));
    let described = format!("{help_id} {was_id} {clash_id} {why_id} {advice_id}");
    view! {
        <div class="field">
            <div>
                <label for=id.clone()>{entry.label()}</label>
                <small id=help_id>{entry.help()}</small>
            </div>
            <div>
                {control(Attributes { id, entry, class, described, why, is_wrong, on_typed })}
                {move || was.get().map(|was| view! { <div class="was" id=was_id.clone()>{was}</div> })}
                <div class="why" id=why_id aria-live="polite">{why}</div>
                <AdviceList form entry id=advice_id/>
                {move || clash.get().map(|clash| view! { <ClashView entry clash id=clash_id.clone()/> })}
            </div>
        </div>
    }
}

/// The longest previous value, in bytes, that is shown beside the new one.
const WAS_MAX: usize = 120;

/// The mark of a changed field, with the previous value if it is a short line; none if unchanged.
fn was(field: Option<&Field>, before: &Map<String, Value>, now: &str) -> Option<String> {
    let before = text_of(field, before.get(field.map_or("name", |field| field.name)));
    if before == now {
        return None;
    }
    Some(match before.as_str() {
        "" => "Updated; it was blank".to_owned(),
        text if text.contains('\n') || text.chars().count() > WAS_MAX => "Updated".to_owned(),
        text => format!("Updated; it was “{text}”"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    use shared_types::settings::FieldKind;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn field(name: &'static str, kind: FieldKind) -> Field {
        Field::new(name, "", "", kind, 0)
    }

    #[test]
    fn a_field_that_was_updated_says_what_it_was() {
        let before = json!({ "commit": "aaaa", "yaml": "A: 1\nB: 2\n", "email": "", "flag": false });
        let before = before.as_object().unwrap();
        assert_eq!(was(Some(&field("commit", FieldKind::GitRef)), before, "aaaa"), None);
        assert_eq!(
            was(Some(&field("commit", FieldKind::GitRef)), before, "bbbb").as_deref(),
            Some("Updated; it was “aaaa”")
        );
        assert_eq!(
            was(Some(&field("yaml", FieldKind::Yaml)), before, "A: 1\n").as_deref(),
            Some("Updated"),
            "many lines are told by the difference above"
        );
        assert_eq!(
            was(Some(&field("email", FieldKind::Email)), before, "x@y.example").as_deref(),
            Some("Updated; it was blank")
        );
        assert_eq!(was(Some(&field("flag", FieldKind::Flag)), before, "false"), None);
    }
}
