//! The certificate of an instance: its state, names and end, and a button that has it renewed.

mod words;

use leptos::prelude::*;
use shared_types::certificate::InstanceCertificate;
use shared_types::{Certificate, CertificateState, InstanceId};
use std::sync::Arc;

use self::words::{Line, label, lines};
use super::possible::PossibleButton;
use super::sending::Sending;
use crate::api;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Alert, Icon, Shape};

/// The card, collapsed unless something is wrong; absent where the instance has no certificate.
#[component]
pub fn CertificateCard(id: InstanceId) -> impl IntoView {
    let fetched = state().data.certificate(id);
    let certificate =
        Memo::new(move |_| fetched.with(|found| found.here().and_then(|found| found.certificate.clone())));
    let can_renew = Memo::new(move |_| {
        fetched.with(|found| found.here().is_some_and(|found: &Arc<InstanceCertificate>| found.can_renew))
    });
    let is_open = Memo::new(move |_| {
        certificate.with(|one| one.as_ref().is_some_and(|one| one.state == CertificateState::Failing))
    });
    move || {
        certificate.get().map(|one| {
            let (class, words) = label(&one);
            view! {
                <details class="card" open=is_open.get_untracked()>
                    <summary>
                        <Icon shape=Shape::Chevron/>
                        <h2>"Certificate"</h2>
                        <span class=class>{words}</span>
                    </summary>
                    <Facts id one can_renew/>
                </details>
            }
        })
    }
}

#[component]
fn Facts(id: InstanceId, one: Certificate, can_renew: Memo<bool>) -> impl IntoView {
    let (now, data, sending) = (clock::now(), state().data, Sending::new(None));
    let line = |Line { what, text }: Line| view! { <dt>{what}</dt> <dd>{text}</dd> };
    let facts = move || lines(&one, now.get()).into_iter().map(line).collect_view();
    let on_click = Callback::new(move |()| {
        sending.send(api::certificates::renew(id), move |_| data.refresh(Key::Certificate(id)));
    });
    view! {
        <div class="body">
            <dl>{facts}</dl>
            <Alert why=sending.why_not/>
            <Show when=move || can_renew.get()>
                <PossibleButton is_busy=sending.is_busy shape=Shape::Refresh label="Renew now" on_click/>
            </Show>
        </div>
    }
}
