//! A bar below the top bar of every page while foreign code runs without a wall, or cannot run at all.

use std::time::Duration;

use leptos::prelude::*;
use shared_types::system::{SandboxLevel, SystemState};

use crate::paths::Page;
use crate::state::data::Key;
use crate::state::{Fetched, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The poll interval while the sandbox is being probed, or the bar is shown. The server caches its answer for about as
/// long.
const LOOK: Duration = Duration::from_secs(10);

/// Shown while the sandbox is off or missing. It is no notice of a page: it stays, and a notice may be below it.
#[component]
pub fn SandboxBanner() -> impl IntoView {
    let data = state().data;
    let system = data.system();
    let seen = Memo::new(move |_| system.with(seen));
    let page = expect_context::<Memo<Page>>();
    let is_here = move || page.get() == Page::System;
    // A change of the setting needs a restart, after which everything that is shown is fetched again.
    let may_change = Memo::new(move |_| !matches!(seen.get(), Seen::Level(SandboxLevel::Full | SandboxLevel::Partial)));
    Effect::new(move || {
        if may_change.get() {
            data.poll_every(Key::System, LOOK);
        }
    });
    move || {
        let Seen::Level(level) = seen.get() else { return None };
        let words = words::system::banner(level)?;
        Some(view! {
            <div class="wall" role="status" aria-label="Sandbox">
                <Icon shape=Shape::Shield/>
                <span>{words}</span>
                <a href=Page::System.to_string() hidden=is_here>"Open System"</a>
            </div>
        })
    }
}

/// What is known of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The state has not arrived, or the sandbox is being probed.
    Nothing,
    Level(SandboxLevel),
}

fn seen(system: &Fetched<SystemState>) -> Seen {
    let sandbox = system.here().and_then(|system| system.sandbox.as_ref());
    sandbox.map_or(Seen::Nothing, |sandbox| Seen::Level(sandbox.level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::system::SandboxState;
    use std::sync::Arc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn nothing_is_said_until_the_sandbox_has_been_probed() {
        let with = |sandbox| Fetched::Here(Arc::new(SystemState { sandbox, ..samples::system() }));
        let off = SandboxState { level: SandboxLevel::Off, protections: Vec::new() };
        assert_eq!(seen(&Fetched::Waiting), Seen::Nothing);
        assert_eq!(seen(&with(None)), Seen::Nothing);
        assert_eq!(seen(&with(Some(off))), Seen::Level(SandboxLevel::Off));
    }
}
