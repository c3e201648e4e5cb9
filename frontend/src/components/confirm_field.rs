//! The field where a name is typed before data is deleted or replaced.

use leptos::prelude::*;

/// The field.
#[component]
pub fn ConfirmField(
    /// The text that must be typed.
    wanted: String,
    typed: RwSignal<String>,
) -> impl IntoView {
    view! {
        <label class="ask">
            <span>"Type " <bdi class="mono">{wanted}</bdi> " to confirm"</span>
            <input type="text" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="500" bind:value=typed/>
        </label>
    }
}

/// Why the button is disabled: `why`, until the typed text is the wanted one.
pub fn must_type(typed: RwSignal<String>, wanted: String, why: &'static str) -> Memo<Option<&'static str>> {
    Memo::new(move |_| typed.with(|typed| *typed != wanted).then_some(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_the_whole_text_confirms() {
        Owner::new().with(|| {
            let typed = RwSignal::new(String::new());
            let why_not = must_type(typed, "Campus".into(), "Type its name first.");
            for (text, expected) in [("", true), ("campus", true), ("Campus", false), ("Campus ", true)] {
                typed.set(text.to_owned());
                assert_eq!(why_not.get_untracked().is_some(), expected, "{text:?}");
            }
        });
    }
}
