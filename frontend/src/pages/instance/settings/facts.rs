//! What is so and cannot be changed.

use leptos::prelude::*;
use shared_types::Instance;
use std::sync::Arc;

/// The card.
#[component]
pub(super) fn Facts(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let time =
        |time: chrono::DateTime<chrono::Utc>| time.with_timezone(&chrono::Local).format("%-d %b %Y %H:%M").to_string();
    let facts = move || {
        let instance = instance.get();
        view! {
            <dl>
                <dt>"Id"</dt>
                <dd>{instance.summary.id.to_string()}</dd>
                <dt>"Type"</dt>
                <dd>{instance.summary.instance_type.clone()}</dd>
                <dt>"Created"</dt>
                <dd>{time(instance.summary.created)}</dd>
                <dt>"Modified"</dt>
                <dd>{time(instance.summary.modified)}</dd>
                <dt>"LMS"</dt>
                <dd>{link(&instance.url)}</dd>
                <dt>"Studio"</dt>
                <dd>{link(&instance.studio_url)}</dd>
            </dl>
        }
    };
    view! {
        <section class="card facts" aria-label="About this instance">
            <div class="body">{facts}</div>
        </section>
    }
}

fn link(url: &str) -> AnyView {
    view! { <a href=url.to_owned() target="_blank" rel="noreferrer">{url.to_owned()}</a> }.into_any()
}
