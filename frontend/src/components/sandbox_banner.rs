//! A bar below the top bar of every page while foreign code runs without a wall, or cannot run at all.

use std::time::Duration;

use leptos::prelude::*;
use shared_types::system::{SandboxLevel, SystemState};

use crate::paths::Page;
use crate::state::data::Key;
use crate::state::{Fetched, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The poll interval until the state is known, and while the bar is shown. The server caches its answer for about as long.
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
    let may_change = Memo::new(move |_| match seen.get() {
        Seen::Unneeded | Seen::Level(SandboxLevel::Full | SandboxLevel::Partial) => false,
        Seen::Nothing | Seen::Level(SandboxLevel::Missing | SandboxLevel::Off) => true,
    });
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
    /// The state has not arrived.
    Nothing,
    /// The program runs no foreign code.
    Unneeded,
    Level(SandboxLevel),
}

fn seen(system: &Fetched<SystemState>) -> Seen {
    let Some(system) = system.here() else { return Seen::Nothing };
    system.sandbox.as_ref().map_or(Seen::Unneeded, |sandbox| Seen::Level(sandbox.level))
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
    fn only_a_sandbox_that_is_off_or_missing_is_told() {
        let with = |sandbox| Fetched::Here(Arc::new(SystemState { sandbox, ..samples::system() }));
        let off = SandboxState { level: SandboxLevel::Off, protections: Vec::new() };
        assert_eq!(seen(&Fetched::Waiting), Seen::Nothing);
        assert_eq!(seen(&with(None)), Seen::Unneeded);
        assert_eq!(seen(&with(Some(off))), Seen::Level(SandboxLevel::Off));
    }
}
