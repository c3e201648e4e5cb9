//! The host names of an instance in the DNS: the records to set, and what the authoritative servers say.

mod words;

use chrono::Local;
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::dns::{AuthorityAnswer, DnsRecord, InstanceDns, InstanceName, NameState};
use std::sync::Arc;

use super::possible::PossibleButton;
use super::sending::Sending;
use crate::api;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Alert, CopyButton, Icon, Shape};
use crate::words::{ago, exact};

#[component]
pub fn NamesCard(id: InstanceId, dns: Memo<Arc<InstanceDns>>) -> impl IntoView {
    let sending = Sending::new(None);
    let data = state().data;
    let check = Callback::new(move |()| sending.send(api::dns::check(id), move |_| data.refresh(Key::Dns(id))));
    let count = move || dns.with(|dns| dns.names.len());
    let advice = Memo::new(move |_| dns.with(|dns| dns.advice.clone()));
    view! {
        <section class="card" aria-label="Names in the DNS">
            <header>
                <h2>"Names in the DNS"</h2>
                <span class="fine">{count}</span>
                <span class="right">
                    <PossibleButton
                        is_busy=sending.is_busy
                        shape=Shape::Refresh
                        label="Check now"
                        hint="Asks every authoritative server. Records that ocim may write and that are not right are written."
                        on_click=check
                    />
                </span>
            </header>
            <Alert why=sending.why_not/>
            {move || advice.get().map(|advice| view! {
                <div class="notice" role="note">
                    <Icon shape=Shape::Warning/>
                    <span class="grow">{advice}</span>
                </div>
            })}
            {move || view! { <Names dns=dns.get()/> }}
        </section>
    }
}

/// The names, and the records to set for each.
#[component]
fn Names(dns: Arc<InstanceDns>) -> impl IntoView {
    if dns.names.is_empty() {
        return view! { <p class="body fine">"The instance has no host name."</p> }.into_any();
    }
    let rows = dns.names.iter().cloned().map(|name| view! { <Row name records=dns.records.clone()/> });
    view! { <ul class="lines parts">{rows.collect_view()}</ul> }.into_any()
}

#[component]
fn Row(name: InstanceName, records: Vec<DnsRecord>) -> impl IntoView {
    let now = clock::now();
    let (tone, shape, label) = words::label(&name);
    let needs_none = !name.is_wanted || name.state == NameState::Right;
    let records = if needs_none { Vec::new() } else { records };
    let records = records.into_iter().map(|record| {
        let DnsRecord { kind, value } = record;
        view! {
            <div>
                "To set: " <span class="mono">{kind.as_str()} " " {value.clone()}</span> " "
                <CopyButton text=value label="Copy the value" is_small=true/>
            </div>
        }
    });
    let when = name.checked_at.map(|at| {
        view! { <span title=exact(at, &Local)>{move || format!("checked {}", ago(at, now.get()))}</span> }
    });
    let error = name.last_error.clone().map(|error| view! { <div class="why">{error}</div> });
    let servers = name.servers.clone();
    view! {
        <li class:failing=tone == "bad">
            <b>{name.name.clone()}</b>
            <span class=format!("label {tone}")><Icon shape/>{label}</span>
            <div class="what">
                {name.words.clone()}
                {error}
                {records.collect_view()}
                {(!servers.is_empty()).then(|| view! { <Servers servers/> })}
            </div>
            <span class="fine">{when}</span>
        </li>
    }
}

/// What each authoritative server says.
#[component]
fn Servers(servers: Vec<AuthorityAnswer>) -> impl IntoView {
    let line = |answer: AuthorityAnswer| {
        let (class, shape) = words::mark(answer.state);
        view! {
            <li class=class>
                <Icon shape/>
                {words::server(&answer)}
                <span class="fine">{answer.words}</span>
            </li>
        }
    };
    view! {
        <details>
            <summary><Icon shape=Shape::Chevron/>{words::servers(&servers)}</summary>
            <ul class="checks">{servers.into_iter().map(line).collect_view()}</ul>
        </details>
    }
}
