//! The colours and sizes of `tokens.css`.

use leptos::prelude::*;

use super::{named, row};

const COLOURS: &str = "canvas surface raised sunken hover line line-strong ink ink-2 ink-3 accent accent-strong accent-ink accent-wash good \
    good-wash busy busy-wash bad bad-wash code-text code-value";
const TYPE: &str = "t-xs t-s t-m t-l t-xl t-xxl";
const SPACES: &str = "s-1 s-2 s-3 s-4 s-5 s-6 s-7";
const CORNERS: &str = "r-s r-m r-l";

/// Each token with its name, drawn with its value.
fn each(names: &'static str, draw: fn(String) -> AnyView) -> AnyView {
    row(names.split_whitespace().map(|name| named(name, draw(format!("var(--{name})")))).collect())
}

pub(super) fn colours() -> AnyView {
    each(COLOURS, |value| {
        view! { <div style:height="40px" style:border="1px solid var(--line)" style:background=value></div> }.into_any()
    })
}

pub(super) fn sizes() -> AnyView {
    let text = |value| view! { <span style:font-size=value>"Aa 0123"</span> }.into_any();
    let bar =
        |value| view! { <div style:height="12px" style:background="var(--accent)" style:width=value></div> }.into_any();
    let corner = |value| {
        view! { <div style:height="40px" style:background="var(--accent-wash)" style:border-radius=value></div> }
            .into_any()
    };
    view! {
        <div class="stack">
            {each(TYPE, text)}
            {each(SPACES, bar)}
            {each(CORNERS, corner)}
        </div>
    }
    .into_any()
}
