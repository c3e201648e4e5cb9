//! The three answers at the top of the page, each of which leads to its section.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::system::{SystemCheck, SystemState};

use super::look::of_level;
use crate::ui::{Icon, Shape};
use crate::words;

/// A tile: its CSS class, its icon and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    tone: &'static str,
    shape: Shape,
    words: String,
}

#[component]
pub(super) fn Overview(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let tile = move |title: &'static str, to: &'static str, answer: fn(&SystemState) -> Answer| {
        let answer = Memo::new(move |_| system.with(|system| answer(system)));
        view! {
            <li>
                // The browser scrolls to a section by itself.
                <a class="card" href=to rel="external">
                    <span class=move || answer.with(|answer| format!("sign {}", answer.tone))>
                        {move || view! { <Icon shape=answer.with(|answer| answer.shape)/> }}
                    </span>
                    <span class="grow">
                        <span class="eyebrow">{title}</span>
                        <b class="block">{move || answer.with(|answer| answer.words.clone())}</b>
                    </span>
                </a>
            </li>
        }
    };
    view! {
        <ul class="overview" aria-label="Overview">
            {tile("Parts", "#parts", |system| of_parts(&system.checks))}
            {tile("Sandbox", "#sandbox", of_sandbox)}
            {tile("Settings", "#walls", |system| of_walls(system.opened_walls.len()))}
        </ul>
    }
}

fn of_parts(checks: &[SystemCheck]) -> Answer {
    let failing = checks.iter().filter(|check| check.is_ok == Some(false)).count();
    match failing {
        0 => good("All parts work"),
        1 => bad("1 part fails"),
        many => bad(&format!("{many} parts fail")),
    }
}

fn of_sandbox(system: &SystemState) -> Answer {
    let Some(sandbox) = &system.sandbox else {
        return Answer { tone: "", shape: Shape::Dots, words: "Not needed".to_owned() };
    };
    let (tone, shape) = of_level(sandbox.level);
    Answer { tone, shape, words: words::system::level(sandbox.level).to_owned() }
}

fn of_walls(opened: usize) -> Answer {
    match opened {
        0 => good("No wall is opened"),
        1 => bad("1 setting opens a wall"),
        many => bad(&format!("{many} settings open a wall")),
    }
}

fn good(words: &str) -> Answer {
    Answer { tone: "good", shape: Shape::Check, words: words.to_owned() }
}

fn bad(words: &str) -> Answer {
    Answer { tone: "bad", shape: Shape::Cross, words: words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::system::{SandboxLevel, SandboxState, SystemPart};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn parts_that_are_not_checked_do_not_count_as_failing() {
        let check = |is_ok| samples::system_check(SystemPart::Mail, is_ok);
        assert_eq!(of_parts(&[check(Some(true)), check(None)]), good("All parts work"));
        assert_eq!(of_parts(&[check(Some(false)), check(None)]), bad("1 part fails"));
        assert_eq!(of_parts(&[check(Some(false)), check(Some(false))]), bad("2 parts fail"));
    }

    #[test]
    fn the_sandbox_is_good_only_with_every_protection() {
        let with =
            |level| SystemState { sandbox: Some(SandboxState { level, protections: Vec::new() }), ..samples::system() };
        let tones = [SandboxLevel::Full, SandboxLevel::Partial, SandboxLevel::Missing, SandboxLevel::Off]
            .map(|level| of_sandbox(&with(level)).tone);
        assert_eq!(tones, ["good", "degraded", "bad", "bad"]);
        assert_eq!(of_sandbox(&samples::system()).words, "Not needed");
    }

    #[test]
    fn opened_walls_are_counted() {
        assert_eq!([0, 1, 2].map(|opened| of_walls(opened).tone), ["good", "bad", "bad"]);
        assert_eq!(of_walls(2).words, "2 settings open a wall");
    }
}
