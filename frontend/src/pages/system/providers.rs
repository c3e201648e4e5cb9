//! The providers of machines: whether they answer, how full they are, and what their machines have.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::system::{ProviderOffer, ProviderState, SystemState};

use super::lines_card::LinesCard;
use super::look::PartState;
use crate::paths::Page;
use crate::words;

#[component]
pub(super) fn ProvidersCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let all = Memo::new(move |_| system.with(|system| system.providers.clone()));
    let row = |provider| view! { <Row provider/> }.into_any();
    view! {
        <LinesCard id="providers" title="Providers of machines" noun="provider" all row>
            <a href=Page::Servers.to_string()>"All machines"</a>
        </LinesCard>
    }
}

#[component]
fn Row(provider: ProviderState) -> impl IntoView {
    let part_state = PartState::answering(provider.is_ok);
    let (what, room) = (what(&provider), room(&provider));
    let ProviderState { name, kind, quota, last_error, .. } = provider;
    let lacking = kind.is_none().then_some(
        "The settings do not have this provider: its machines keep serving, and nothing is done with them until they do.",
    );
    let why = last_error.and_then(|error| words::sentence(&error)).or_else(|| lacking.map(str::to_owned));
    view! {
        <li class:failing=part_state == PartState::Fails || kind.is_none()>
            <b>{name.to_string()}</b>
            {part_state.label()}
            <div class="what">
                {what}
                {why.map(|why| view! { <div class="why">{why}</div> })}
                {quota.map(|quota| view! { <div class="why">{words::capital(&quota)}</div> })}
            </div>
            <span class="fine">{room}</span>
        </li>
    }
}

/// `OpenStack, default · machines with 4096 MB of memory and 40 GB of disk, own kernel`.
fn what(provider: &ProviderState) -> String {
    let kind = provider.kind.map(words::system::provider_kind);
    let default = provider.is_default.then_some("default");
    let mut parts: Vec<String> = kind.into_iter().chain(default).map(str::to_owned).collect();
    if let Some(ProviderOffer { has_own_kernel, memory_mb, disk_gb }) = provider.offers {
        parts.extend(memory_mb.map(|size| format!("up to {size} MB of memory")));
        parts.extend(disk_gb.map(|size| format!("up to {size} GB of disk")));
        parts.push(if has_own_kernel { "own kernel" } else { "kernel of the host" }.to_owned());
    }
    parts.join(" · ")
}

/// `12 of 20 machines`.
fn room(provider: &ProviderState) -> String {
    match provider.budget {
        Some(budget) => format!("{} of {budget} machines", provider.machines),
        None => words::count(usize::try_from(provider.machines).unwrap_or(0), "machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_provider_says_what_its_machines_have_and_how_full_it_is() {
        let provider = samples::provider("frankfurt");
        assert_eq!(what(&provider), "OpenStack · default · up to 4096 MB of memory · up to 40 GB of disk · own kernel");
        assert_eq!(room(&provider), "12 of 20 machines");
        let gone = ProviderState { kind: None, is_default: false, offers: None, budget: None, machines: 1, ..provider };
        assert_eq!((what(&gone).as_str(), room(&gone).as_str()), ("", "1 machine"));
    }
}
