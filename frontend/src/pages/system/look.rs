//! How states are drawn: always a colour, a shape and a word.

use leptos::prelude::*;
use shared_types::system::{SandboxLevel, SystemCheck};

use crate::ui::{Icon, Shape};
use crate::words;

/// The state of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartState {
    Works,
    Fails,
    /// Configured, and not checked.
    Unchecked,
    Unconfigured,
}

impl PartState {
    pub(super) const fn of(check: &SystemCheck) -> Self {
        match (check.is_ok, check.is_configured) {
            (Some(true), _) => Self::Works,
            (Some(false), _) => Self::Fails,
            (None, true) => Self::Unchecked,
            (None, false) => Self::Unconfigured,
        }
    }

    /// Of something that is configured, by whether it answers; none: it is not asked.
    pub(super) const fn answering(is_ok: Option<bool>) -> Self {
        match is_ok {
            Some(true) => Self::Works,
            Some(false) => Self::Fails,
            None => Self::Unconfigured,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Works => "Works",
            Self::Fails => "Fails",
            Self::Unchecked => "Configured",
            Self::Unconfigured => "Not configured",
        }
    }

    /// The CSS class and the icon.
    const fn look(self) -> (&'static str, Option<Shape>) {
        match self {
            Self::Works => ("good", Some(Shape::Check)),
            Self::Fails => ("bad", Some(Shape::Cross)),
            Self::Unchecked | Self::Unconfigured => ("", None),
        }
    }

    pub(super) fn label(self) -> AnyView {
        let (tone, shape) = self.look();
        label(tone, shape, self.words())
    }
}

/// The CSS class and the icon of a level.
pub(super) const fn of_level(level: SandboxLevel) -> (&'static str, Shape) {
    match level {
        SandboxLevel::Full => ("good", Shape::Check),
        SandboxLevel::Partial => ("degraded", Shape::Exclaim),
        SandboxLevel::Missing | SandboxLevel::Off => ("bad", Shape::Cross),
    }
}

/// The label of a level; none: there is no foreign code.
pub(super) fn level_label(level: Option<SandboxLevel>) -> AnyView {
    let Some(level) = level else { return label("", Some(Shape::Dots), "Not needed") };
    let (tone, shape) = of_level(level);
    label(tone, Some(shape), words::system::level(level))
}

/// A label of this tone.
pub(super) fn label(tone: &'static str, shape: Option<Shape>, words: &'static str) -> AnyView {
    view! {
        <span class=format!("label {tone}")>
            {shape.map(|shape| view! { <Icon shape/> })}
            {words}
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::system::SystemPart;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_part_that_is_not_checked_neither_works_nor_fails() {
        let check = |is_ok| samples::system_check(SystemPart::Mail, is_ok);
        assert_eq!(PartState::of(&check(Some(true))), PartState::Works);
        assert_eq!(PartState::of(&check(Some(false))), PartState::Fails);
        assert_eq!(PartState::of(&check(None)), PartState::Unchecked);
        assert_eq!(PartState::of(&SystemCheck { is_configured: false, ..check(None) }), PartState::Unconfigured);
    }
}
