//! Replaces the password of an instance's account.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::resource::RotatePassword;
use shared_types::{Instance, ResourceKind};
use std::sync::Arc;

use crate::api;
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::state;

#[component]
pub(super) fn RotateDialog(instance: Memo<Arc<Instance>>, kind: ResourceKind, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let instance = instance.get_untracked();
    let id = instance.summary.id;
    let names: Vec<_> = instance.with_machines().map(|one| one.name.clone()).collect();
    let cuts_off = RwSignal::new(false);
    let act: Act = Callback::new(move |_| {
        let how = RotatePassword { cuts_off: cuts_off.get_untracked() };
        async move {
            let answer = api::resources::rotate(id, kind, &how).await;
            data.refresh(Key::Resources(id));
            answer.map(|()| "The password is replaced. Launch a new AppServer, which gets the new one.".to_owned())
        }
        .boxed_local()
    });
    let warning = (!names.is_empty()).then(|| {
        view! {
            <div>
                <p>"These have the present password in their configuration, and lose the connection to the database if they use it:"</p>
                <ul class="plain">{names.into_iter().map(|name| view! { <li><b>{name}</b></li> }).collect_view()}</ul>
                <label class="check">
                    <input type="checkbox" prop:checked=cuts_off on:change=move |event| cuts_off.set(event_target_checked(&event))/>
                    "Replace it although they lose the connection"
                </label>
            </div>
        }
    });
    view! {
        <AskDialog
            title=format!("Replace the password of {}?", kind.name())
            words="The user stays and gets a new random password, which the next app server has in its configuration."
            confirm="Replace password"
            is_grave=true
            has_reason=false
            act
            on_close
        >
            {warning}
        </AskDialog>
    }
}
