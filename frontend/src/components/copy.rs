//! An instance whose data is a copy of another one's: what its app servers may not do, and the act that ends that.

use chrono::Local;
use futures::FutureExt;
use leptos::prelude::*;
use shared_types::instance_copy::InstanceCopy;
use shared_types::{Instance, InstanceId, Role};
use std::sync::Arc;

use super::ask_dialog::{Act, AskDialog};
use super::possible::PossibleButton;
use crate::api;
use crate::paths::{Page, Tab};
use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Icon, Shape};
use crate::words::exact;

/// Shown while the data is a copy and app servers are launched without mail and payments.
#[component]
pub fn CopyBanner(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let id = instance.with_untracked(|instance| instance.summary.id);
    let copy = Memo::new(move |_| instance.with(|instance| instance.copy.clone().filter(|copy| copy.is_neutralised)));
    let is_asked = RwSignal::new(false);
    let on_click = Callback::new(move |()| is_asked.set(true));
    let on_close = Callback::new(move |()| is_asked.set(false));
    let banner = move || {
        copy.get().map(|copy| {
            let source = Page::Instance(copy.instance_id, Tab::AppServers(None)).to_string();
            view! {
                <div class="notice" role="status" aria-label="Copy">
                    <Icon shape=Shape::Copy/>
                    <span class="grow">{words(&copy)} " " <a href=source>"The original"</a></span>
                    <PossibleButton role=Role::Admin shape=Shape::Unlock label="Turn mail on…" on_click/>
                </div>
            }
        })
    };
    let dialog = move || {
        let copy = copy.get().filter(|_| is_asked.get());
        copy.map(|copy| view! { <EndDialog id copy on_close/> })
    };
    view! { {banner} {dialog} }
}

/// Said before a launch.
#[component]
pub fn CopyNote(copy: Memo<Option<InstanceCopy>>) -> impl IntoView {
    move || {
        copy.get().map(|copy| {
            view! {
                <div class="notice" role="note" aria-label="Copy">
                    <Icon shape=Shape::Copy/>
                    <span class="grow">{words(&copy)}</span>
                </div>
            }
        })
    }
}

fn words(copy: &InstanceCopy) -> String {
    copy.words(&exact(copy.data_at, &Local))
}

#[component]
fn EndDialog(id: InstanceId, copy: InstanceCopy, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::instances::end_neutralisation(id).await;
            data.refresh(Key::Instance(id));
            answer.map(|()| "New app servers mail people and take payments.".to_owned())
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title="Turn mail and payments on?"
            words=format!(
                "The next app server mails people and takes payments as the settings say. Its data is a copy of {}: the people in it are \
                 real. App servers that exist stay as they are.",
                copy.instance_name
            )
            confirm="Turn on"
            is_grave=true
            has_reason=false
            act
            on_close
        />
    }
}
