//! The lock below an editor: marks the variable at the caret as secret, or removes the mark.

use leptos::prelude::*;
use shared_types::secret::{HIDDEN, is_secret_name};
use shared_types::yaml::{self, Markable};
use wasm_bindgen::JsCast;

use crate::ui::{Icon, Shape, put_caret};

/// What the lock can do at the caret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The caret is in no variable.
    Nothing,
    /// Secret because of its name.
    ByName(String),
    /// Marked, and its value is masked, so it cannot be made readable.
    Hidden(String),
    Free(Markable),
}

impl State {
    fn at(text: &str, line: usize) -> Self {
        let Some(variable) = yaml::markable(text, line) else { return Self::Nothing };
        let name = variable.name.clone();
        if is_secret_name(&name) && !variable.is_marked {
            return Self::ByName(name);
        }
        if variable.is_marked && variable.value(text).starts_with(HIDDEN) {
            return Self::Hidden(name);
        }
        Self::Free(variable)
    }

    fn words(&self) -> String {
        match self {
            Self::Nothing => "Put the caret in a variable to mark it as secret".to_owned(),
            Self::ByName(name) => format!("{name} is secret by its name"),
            Self::Hidden(name) => format!("{name} is secret. Type a new value to make it readable"),
            Self::Free(Markable { name, is_marked: true, .. }) => format!("Make {name} readable"),
            Self::Free(Markable { name, .. }) => format!("Mark {name} as secret"),
        }
    }

    fn is_locked(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::ByName(_) | Self::Hidden(_) => true,
            Self::Free(variable) => variable.is_marked,
        }
    }
}

#[component]
pub(super) fn Lock(
    /// The id of the editor's text area.
    area: String,
    text: RwSignal<String>,
    /// The number of the caret's line.
    caret: RwSignal<usize>,
    /// Called with the changed text.
    on_typed: Callback<String>,
) -> impl IntoView {
    let state = Memo::new(move |_| text.with(|text| State::at(text, caret.get())));
    let is_locked = move || state.with(State::is_locked);
    let toggle = move |_| {
        let State::Free(variable) = state.get_untracked() else { return };
        on_typed.run(text.with_untracked(|text| yaml::with_mark(text, &variable, !variable.is_marked)));
        // Setting the text moves the caret to its end.
        let (area, line) = (area.clone(), caret.get_untracked());
        request_animation_frame(move || {
            let area = document().get_element_by_id(&area).and_then(|area| area.dyn_into().ok());
            if let Some(area) = area {
                put_caret(&area, line);
            }
        });
    };
    view! {
        <div class="lock">
            <button
                type="button"
                aria-pressed=move || is_locked().to_string()
                disabled=move || !state.with(|state| matches!(state, State::Free(_)))
                on:click=toggle
            >
                {move || view! { <Icon shape=if is_locked() { Shape::Lock } else { Shape::Unlock }/> }}
                <span>{move || state.with(State::words)}</span>
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_lock_is_about_the_variable_at_the_caret() {
        let text = "A: 1\nX_PASSWORD: b\nC: !secret d\nE: !secret \"••••••\"\n";
        let words = |line| State::at(text, line).words();
        assert_eq!(words(1), "Mark A as secret");
        assert_eq!(words(2), "X_PASSWORD is secret by its name");
        assert_eq!(words(3), "Make C readable");
        assert_eq!(words(4), "E is secret. Type a new value to make it readable");
        assert_eq!(State::at("", 1), State::Nothing);
    }
}
