//! An edit conflict in one field: the other user's change, and the choice.

use leptos::prelude::*;
use serde_json::{Value, json};
use shared_types::diff::{SettingChange, settings_diff};
use shared_types::secret::HIDDEN;
use shared_types::settings::{Field, Schema};

use super::form::{Clash, Entry};
use crate::components::diff_view::DiffView;
use crate::state::clock;
use crate::ui::{Icon, Shape};
use crate::words;

/// The choice, below the field.
#[component]
pub(super) fn ClashView(
    entry: Entry,
    clash: Clash,
    /// The id for the field's `aria-describedby`.
    id: String,
) -> impl IntoView {
    let now = clock::now();
    let (who, at) = match clash.by.clone() {
        Some((who, at)) => (who, Some(at)),
        None => ("Another user".to_owned(), None),
    };
    let when = move || at.map(|at| format!(" {}", words::ago(at, now.get())));
    let changes = theirs(entry.field(), &clash, &entry.saved().get_untracked());
    let both = Memo::new(move |_| entry.both(&clash));
    view! {
        <div class="clash" role="group" aria-label=format!("Both changed: {}", entry.label())>
            <p id=id>
                <Icon shape=Shape::People/>
                <span>
                    <b>{who}</b>
                    " also changed this"
                    {when}
                    ". Yours is above; theirs:"
                </span>
            </p>
            <DiffView changes label=format!("Their change: {}", entry.label())/>
            <div class="choose">
                <button type="button" on:click=move |_| entry.keep_mine()>"Keep mine"</button>
                <button type="button" on:click=move |_| entry.take_theirs()>"Take theirs"</button>
                {move || both.get().map(|text| view! {
                    <button type="button" title="Merges both texts" on:click=move |_| entry.keep_both(text.clone())>
                        "Keep both"
                    </button>
                })}
            </div>
        </div>
    }
}

/// The other user's change. A secret shows as changed, without its value.
fn theirs(field: Option<&'static Field>, clash: &Clash, saved: &str) -> Vec<SettingChange> {
    let name = field.map_or("name", |field| field.name);
    if clash.is_hidden {
        let hidden = || Some(HIDDEN.to_owned());
        return vec![SettingChange { name: name.to_owned(), before: hidden(), after: hidden(), is_secret: true }];
    }
    let schema = Schema { fields: field.map(std::slice::from_ref).unwrap_or_default() };
    let record = |text: &str| -> Value {
        let value = field.map_or_else(|| text.into(), |field| field.value_of(text));
        json!({ name: value })
    };
    settings_diff(&schema, &record(&clash.base), &record(saved))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn their_change_is_told_key_by_key_and_a_secret_without_its_value() {
        let clash = |base: &str, is_hidden| Clash { base: base.to_owned(), by: None, is_hidden };
        let told = |changes: Vec<SettingChange>| -> Vec<(String, Option<String>, Option<String>)> {
            changes.into_iter().map(|change| (change.name, change.before, change.after)).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let field = |name: &str| shared_types::applications::DEFAULT.schema.field(name);
        let yaml = theirs(field("configuration_extra_settings"), &clash("A: 1\nB: 2\n", false), "A: 1\nB: 3\n");
        assert_eq!(told(yaml), [("B".to_owned(), some("2"), some("3"))]);
        let line = theirs(field("email"), &clash("a@x.example", false), "b@x.example");
        assert_eq!(told(line), [("email".to_owned(), some("a@x.example"), some("b@x.example"))]);
        let secret =
            theirs(field("configuration_extra_settings"), &clash("PASSWORD: ••••••\n", true), "PASSWORD: ••••••\n");
        assert_eq!(told(secret), [("configuration_extra_settings".to_owned(), some(HIDDEN), some(HIDDEN))]);
    }
}
