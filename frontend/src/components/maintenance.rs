//! The maintenance page of an instance: that it is up, a button that takes it down, and the dialog that puts it up.

use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Instance;
use shared_types::app_server::Possible;
use shared_types::operations::BeginMaintenance;
use std::sync::Arc;

use super::ask_dialog::ReasonField;
use super::form_dialog::{Fill, FormDialog};
use super::possible::PossibleButton;
use super::text_field::{Refused, TextArea};
use crate::api;
use crate::state::data::Key;
use crate::state::{About, clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Shown while the page is up.
#[component]
pub fn MaintenanceBanner(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let state = state();
    let now = clock::now();
    let page = Memo::new(move |_| instance.with(|instance| instance.maintenance.clone()));
    let is_busy = RwSignal::new(false);
    let end = Callback::new(move |()| {
        is_busy.set(true);
        let id = instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            match api::instances::end_maintenance(id).await {
                Ok(()) => state.toasts.success("Visitors get the active app server again."),
                Err(error) => state.failed_about(About::Instance(id), "Taking the page down failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::Instance(id));
        });
    });
    move || {
        page.get().map(|page| {
            let at = page.at;
            view! {
                <div class="notice bad" role="status" aria-label="Maintenance page">
                    <Icon shape=Shape::Warning/>
                    <span class="grow">
                        <b>"Visitors get the maintenance page"</b>
                        ", put up by " {page.by} ", " {move || words::ago(at, now.get())} ": “" {page.text} "”"
                    </span>
                    <PossibleButton shape=Shape::Undo label="Take it down" is_busy on_click=end/>
                </div>
            }
        })
    }
}

/// Asks for the text of the page.
#[component]
pub fn MaintenanceDialog(instance: Arc<Instance>, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let id = instance.summary.id;
    let present = instance.maintenance.as_ref().map(|page| page.text.clone());
    let typed = RwSignal::new(present.unwrap_or_else(|| BeginMaintenance::USUAL_TEXT.to_owned()));
    let (reason, refused) = (RwSignal::new(String::new()), Refused::default());
    let act: Fill = Callback::new(move |()| {
        let body =
            BeginMaintenance { text: Some(typed.get_untracked()), reason: words::reason(&reason.get_untracked()) };
        async move {
            let answer = api::instances::begin_maintenance(id, &body).await;
            data.refresh(Key::Instance(id));
            answer.map(|()| "Visitors get the maintenance page.".to_owned())
        }
        .boxed_local()
    });
    let words = format!(
        "Visitors of {} get this text with status 503, and no app server gets their requests. App servers and builds go on.",
        instance.summary.domain
    );
    view! {
        <FormDialog
            title="Put the maintenance page up?"
            words
            confirm="Put page up"
            possible=Signal::stored(Possible::Yes)
            refused
            act
            on_close
        >
            <TextArea name="text" label="Text" help="Plain text, shown to visitors" max=500 typed refused/>
            <ReasonField reason/>
        </FormDialog>
    }
}
