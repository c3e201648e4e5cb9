//! The gateways with an agent: whether each serves visitors as it was told. Nothing is shown if the server runs its gateway
//! itself.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::gateway::{Gateway, GatewayState};
use shared_types::system::SystemState;

use super::lines_card::LinesCard;
use super::look::label;
use crate::state::clock;
use crate::ui::Shape;
use crate::words;

#[component]
pub(super) fn GatewaysCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let all = Memo::new(move |_| system.with(|system| system.gateways.clone()));
    let row = |gateway| view! { <Row gateway/> }.into_any();
    view! { <LinesCard id="gateways" title="Gateways" noun="gateway" all row/> }
}

#[component]
fn Row(gateway: Gateway) -> impl IntoView {
    let now = clock::now();
    let (tone, shape, word) = look(gateway.state);
    let what = what(&gateway);
    let why = why(&gateway);
    let seen = gateway.seen_at;
    view! {
        <li class:failing=tone == "bad">
            <b>{gateway.name}</b>
            {label(tone, shape, word)}
            <div class="what">{what} {why.map(|why| view! { <div class="why">{why}</div> })}</div>
            <span class="fine">
                {move || seen.map(|seen| format!("asked {}", words::ago(seen, now.get())))}
            </span>
        </li>
    }
}

/// The CSS class, the icon and the word of a state.
const fn look(state: GatewayState) -> (&'static str, Option<Shape>, &'static str) {
    match state {
        GatewayState::Ready => ("good", Some(Shape::Check), "Ready"),
        GatewayState::Late => ("degraded", Some(Shape::Exclaim), "Late"),
        GatewayState::Failing => ("bad", Some(Shape::Cross), "Fails"),
        GatewayState::Silent => ("bad", Some(Shape::Cross), "Silent"),
        GatewayState::New => ("", None, "Not started yet"),
    }
}

/// `on edge-1.example.org · version 0.2.0`.
fn what(gateway: &Gateway) -> String {
    let host = gateway.hostname.as_ref().map(|host| format!("on {host}"));
    let version = gateway.version.as_ref().map(|version| format!("version {version}"));
    host.into_iter().chain(version).collect::<Vec<_>>().join(" · ")
}

/// What is wrong, and what it means for visitors.
fn why(gateway: &Gateway) -> Option<String> {
    match gateway.state {
        GatewayState::Ready => None,
        GatewayState::New => Some("Set OCIM_GATEWAY_TOKEN on its host, and start `ocim gateway` there.".to_owned()),
        GatewayState::Late => Some("It was told routes that it does not have yet. Switches wait for it.".to_owned()),
        GatewayState::Failing => gateway.error.as_deref().and_then(words::sentence),
        GatewayState::Silent => Some(
            "Its agent does not ask. Its HAProxy may serve visitors, with the routes that it had; switches do not wait for it."
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_state_says_what_it_means() {
        let gateway = |state| samples::gateway("edge-1", state);
        assert_eq!(what(&gateway(GatewayState::Ready)), "on edge-1.example.org · version 0.2.0");
        assert_eq!(why(&gateway(GatewayState::Ready)), None);
        let failing = Gateway { error: Some("the gateway does not answer".into()), ..gateway(GatewayState::Failing) };
        assert_eq!(why(&failing).as_deref(), Some("The gateway does not answer."));
        for state in [GatewayState::New, GatewayState::Late, GatewayState::Silent] {
            assert!(why(&gateway(state)).is_some(), "{state:?}");
        }
    }
}
