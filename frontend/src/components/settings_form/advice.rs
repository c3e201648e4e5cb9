//! Warnings about a field, below it. They do not prevent saving.

use leptos::prelude::*;
use shared_types::FieldWarning;

use super::form::{Entry, Form, go_to_line_of};
use crate::ui::{Icon, Shape};

/// The warnings of one field, each with its line.
#[component]
pub(super) fn AdviceList(
    form: Form,
    entry: Entry,
    /// The id for the field's `aria-describedby`.
    id: String,
) -> impl IntoView {
    let advice = Memo::new(move |_| form.advice_of(entry));
    let item = move |FieldWarning { pointer: _, line, detail }: FieldWarning| {
        view! {
            <li>
                <Icon shape=Shape::Warning/>
                <span>
                    <span class="unseen">"Warning: "</span>
                    {line.and_then(|line| usize::try_from(line).ok()).map(|line| view! {
                        <button type="button" on:click=move |_| go_to_line_of(entry, line)>{format!("Line {line}")}</button>
                        ": "
                    })}
                    {parts(&detail).into_iter().map(|(is_code, text)| match is_code {
                        true => view! { <code>{text.to_owned()}</code> }.into_any(),
                        false => text.to_owned().into_any(),
                    }).collect_view()}
                </span>
            </li>
        }
        .into_any()
    };
    view! {
        <div id=id aria-live="polite">
            {move || (!advice.with(Vec::is_empty)).then(|| view! {
                <ul class="advice">{advice.get().into_iter().map(item).collect_view()}</ul>
            })}
        </div>
    }
}

/// Splits the text at backticks; true marks the parts between them.
fn parts(detail: &str) -> Vec<(bool, &str)> {
    detail.split('`').enumerate().map(|(at, text)| (at % 2 == 1, text)).filter(|(_, text)| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn names_stand_apart_from_the_words() {
        assert_eq!(
            parts("`A` is empty: write `A: {}`."),
            [(true, "A"), (false, " is empty: write "), (true, "A: {}"), (false, ".")]
        );
        assert_eq!(parts("plain"), [(false, "plain")]);
    }
}
