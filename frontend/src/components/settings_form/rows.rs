//! The rows of the form: each field with its help, its control, and what there is to say of it.

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::advice::AdviceList;
use super::clash::ClashView;
use super::controls::{Attributes, control};
use super::form::{Entry, Form, text_of};

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
    rows.map(|entry| view! { <FieldRow form entry before/> }.into_any()).collect_view()
}

#[component]
fn FieldRow(form: Form, entry: Entry, before: Signal<Option<Map<String, Value>>>) -> impl IntoView {
    let id = entry.id();
    let [help_id, was_id, clash_id, why_id, advice_id] =
        ["help", "was", "clash", "why", "advice"].map(|part| format!("{id}-{part}"));
    let why = Memo::new(move |_| form.why(entry));
    let was = Memo::new(move |_| before.with(|before| was(before.as_ref()?, entry.name(), &entry.saved().get())));
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
