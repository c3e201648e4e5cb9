//! Backups in every state, and the card of an instance that can have none.

use std::sync::Arc;

use chrono::Utc;
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::InstanceBackups;

use crate::components::{BackupsCard, backup_samples};

pub(super) fn cards() -> AnyView {
    let every_state = backup_samples::every_state(Utc::now());
    let impossible = InstanceBackups {
        contents: Vec::new(),
        why_none: Some("It has no database outside its machines.".into()),
        ..backup_samples::possible()
    };
    let unreadable = InstanceBackups {
        items: vec![backup_samples::complete(1, Utc::now())],
        why_no_restore: Some("Name the file with the key that decrypts them.".into()),
        ..backup_samples::possible()
    };
    let card = |all: InstanceBackups| {
        let all = Arc::new(all);
        let (id, name) = (InstanceId(7), Memo::new(|_| "Astronomy Academy".to_owned()));
        let backups = Memo::new(move |_| Arc::clone(&all));
        view! { <BackupsCard id name is_archived=Memo::new(|_| false) backups/> }
    };
    let cards = [every_state, backup_samples::idle(Utc::now()), impossible, unreadable].map(card);
    view! { <div class="stack">{cards.collect_view()}</div> }.into_any()
}
