//! The variables that a launch would pass to Ansible now, and the source of each.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Instance;
use shared_types::comparison::Render;
use std::sync::Arc;

use super::configuration::Code;
use crate::api;
use crate::ui::{Icon, Loading, Shape};

/// The card, collapsed; fetched when it is expanded, and again when the settings change.
#[component]
pub fn Preview(
    /// The instance that would be launched.
    instance: Memo<Arc<Instance>>,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let answer = RwSignal::new(None::<api::Result<Render>>);
    let version = Memo::new(move |_| instance.with(|instance| (instance.summary.id, instance.etag.clone())));
    Effect::new(move || {
        let (id, _) = version.get();
        if is_open.get() {
            spawn_local(async move {
                answer.try_set(Some(api::instances::render(id).await));
            });
        }
    });
    view! {
        <details
            class="card record preview"
            on:toggle=move |event| is_open.set(event_target::<web_sys::Element>(&event).has_attribute("open"))
        >
            <summary>
                <Icon shape=Shape::Chevron/>
                <h2>"Ansible variables for the next launch"</h2>
            </summary>
            <div class="body">
                {move || match answer.get() {
                    None => view! { <Loading/> }.into_any(),
                    Some(Err(error)) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
                    Some(Ok(render)) => view! { <Rendered render/> }.into_any(),
                }}
            </div>
        </details>
    }
}

#[component]
fn Rendered(render: Render) -> impl IntoView {
    let Render { configuration_settings, origins } = render;
    let origins = origins.into_iter().map(|(pointer, origin)| {
        view! {
            <dt class="mono">{dotted(&pointer)}</dt>
            <dd>{origin}</dd>
        }
    });
    view! {
        <p>"The variables Ansible would get if you launched now, with the saved settings. Secrets are masked."</p>
        <Code text=configuration_settings/>
        <h3>"Origin of each variable"</h3>
        <dl>{origins.collect_view()}</dl>
    }
}

/// A JSON pointer in the notation of differences: `/A/B~1C` is `A.B/C`.
fn dotted(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_pointer_reads_like_a_path() {
        assert_eq!(dotted("/EDXAPP_FEATURES/ENABLE_NOTES"), "EDXAPP_FEATURES.ENABLE_NOTES");
        assert_eq!(dotted("/a~1b/c~0d"), "a/b.c~d");
        assert_eq!(dotted(""), "");
    }
}
