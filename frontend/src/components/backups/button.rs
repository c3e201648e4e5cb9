//! The button that asks for a backup.

use leptos::prelude::*;
use shared_types::backup::{BackupWork, InstanceBackups};
use shared_types::{BackupId, InstanceId};
use std::sync::Arc;

use super::possible::{at_work, can_back_up};
use crate::api;
use crate::components::{PossibleButton, Sending, Sent};
use crate::state::data::Key;
use crate::state::state;
use crate::ui::Shape;

/// It spins from the click until the backup is complete.
#[component]
pub(super) fn BackUpButton(
    id: InstanceId,
    backups: Memo<Arc<InstanceBackups>>,
    /// Its request; the parent shows why the last one failed.
    sending: Sending,
    label: &'static str,
) -> impl IntoView {
    let data = state().data;
    let asked = RwSignal::new(None::<BackupId>);
    // The response may come before the list that has the backup.
    let is_listed = move |id: BackupId| backups.with(|all| all.items.iter().any(|one| one.id == id));
    let is_busy = Signal::derive(move || {
        let is_coming = asked.get().is_some_and(|id| !is_listed(id));
        let is_written =
            |all: &Arc<InstanceBackups>| at_work(all).is_some_and(|one| one.work == Some(BackupWork::Write));
        sending.is_busy.get() || is_coming || backups.with(is_written)
    });
    let possible = Signal::derive(move || backups.with(|all| can_back_up(all)));
    let on_click = Callback::new(move |()| {
        sending.send(api::backups::make(id), move |sent| {
            if let Sent::Done(backup) = sent {
                asked.try_set(Some(backup.id));
            }
            data.refresh(Key::Backups(id));
        });
    });
    view! { <PossibleButton possible is_busy shape=Shape::Copy label on_click/> }
}
