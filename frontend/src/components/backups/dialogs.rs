//! The dialog that deletes a backup.

use chrono::Local;
use futures::FutureExt;
use leptos::prelude::*;
use shared_types::backup::Backup;

use crate::api;
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::state;
use crate::words::exact;

#[component]
pub(super) fn DeleteDialog(
    backup: Backup,
    /// Whether no other backup could be restored.
    is_last: bool,
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (id, one) = (backup.instance_id, backup.id);
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::backups::delete(id, one).await;
            data.refresh(Key::Backups(id));
            answer.map(|_| "The backup is being deleted.".to_owned())
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title=format!("Delete the backup of {}?", exact(backup.created, &Local))
            words="Permanently deletes its files, and copies of objects that no other backup uses. The instance, its databases and buckets are unchanged."
            confirm="Delete backup"
            is_grave=true
            has_reason=false
            act
            on_close
        >
            {is_last.then(|| view! { <p class="why">"It is the only complete backup of this instance."</p> })}
        </AskDialog>
    }
}
