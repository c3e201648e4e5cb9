//! The changes of an update from the pull request: shown in the settings until the next navigation.

use std::collections::BTreeSet;

use leptos::html;
use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::Instance;
use shared_types::applications;
use shared_types::diff::settings_diff;
use std::sync::Arc;

use super::settings::saved;
use crate::components::DiffView;
use crate::ui::{Icon, Shape};
use crate::words;

/// The settings before the update; none if there was no update since the last navigation.
pub type Before = RwSignal<Option<Map<String, Value>>>;

/// The names of the settings that differ from before.
pub fn changed(before: &Map<String, Value>, now: &Map<String, Value>) -> BTreeSet<String> {
    now.iter().filter(|(name, value)| before.get(*name) != Some(*value)).map(|(name, _)| name.clone()).collect()
}

/// Shows what the update changed.
#[component]
pub fn Updated(
    instance: Memo<Arc<Instance>>,
    /// The settings before the update.
    before: Before,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    // The previous tab may have been scrolled: scroll to the notice.
    Effect::new(move || {
        if let Some(notice) = node.get() {
            notice.scroll_into_view_with_bool(false);
        }
    });
    let now = Memo::new(move |_| instance.with(|instance| saved(instance)));
    move || {
        let before = before.get()?;
        let now = now.get();
        let count = changed(&before, &now).len();
        let schema = instance.with_untracked(|instance| applications::schema_of(&instance.summary.instance_type));
        let diff = settings_diff(schema, &Value::Object(before), &Value::Object(now));
        let sentence = if count == 0 {
            "The settings were those of the pull request already: nothing changed.".to_owned()
        } else {
            format!("{} updated from the pull request, each marked “Updated” below.", words::count(count, "value"))
        };
        Some(view! {
            <div class="notice plain-notice" role="status" node_ref=node>
                <Icon shape=Shape::PullRequest/>
                <span class="grow">{sentence}</span>
            </div>
            {(count > 0).then(|| view! { <div class="below-notice"><DiffView changes=diff/></div> })}
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_what_differs_is_marked() {
        let before = fields(json!({ "name": "PR#27 (aaaaaaa)", "edx_platform_commit": "a", "email": "x@y.example" }));
        let now = fields(json!({ "name": "PR#27 (bbbbbbb)", "edx_platform_commit": "b", "email": "x@y.example" }));
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(changed(&before, &now), names(&["edx_platform_commit", "name"]));
        assert_eq!(changed(&now, &now), names(&[]));
        let added = changed(&Map::new(), &fields(json!({ "email": "" })));
        assert_eq!(added, names(&["email"]), "what was not there before");
    }
}
