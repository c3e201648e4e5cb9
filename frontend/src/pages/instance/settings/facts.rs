//! Properties of an instance that cannot be changed.

use leptos::prelude::*;
use shared_types::instance::Site;
use shared_types::{Instance, applications};
use std::sync::Arc;

#[component]
pub(super) fn Facts(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let time =
        |time: chrono::DateTime<chrono::Utc>| time.with_timezone(&chrono::Local).format("%-d %b %Y %H:%M").to_string();
    let facts = move || {
        let instance = instance.get();
        let word = &instance.summary.instance_type;
        let label = applications::of(word).map_or_else(|| word.clone(), |kind| kind.label.to_owned());
        let site = |site: &Site| view! { <dt>{site.label.clone()}</dt> <dd>{link(&site.url)}</dd> };
        let sites = instance.sites.iter().map(site).collect_view();
        view! {
            <dl>
                <dt>"Id"</dt>
                <dd>{instance.summary.id.to_string()}</dd>
                <dt>"Type"</dt>
                <dd>{label}</dd>
                <dt>"Created"</dt>
                <dd>{time(instance.summary.created)}</dd>
                <dt>"Modified"</dt>
                <dd>{time(instance.summary.modified)}</dd>
                {sites}
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
