//! Explains how a pull request's author configures its instance: the format, and an example to copy.

use leptos::prelude::*;
use shared_types::applications::PreviewChoices;

use crate::components::{Code, CopyButton};

#[component]
pub fn Configuring(
    /// The instance's domain, used in the example.
    domain: String,
    /// What a description may choose, by the instance's application type.
    choices: &'static PreviewChoices,
) -> impl IntoView {
    let example = example(&domain, choices);
    view! {
        <section class="card" aria-label="Configuring this instance from the pull request">
            <header>
                <h2>"Configuring this instance from the pull request"</h2>
                <span class="right">
                    <CopyButton text=example.clone() label="Copy the example"/>
                </span>
            </header>
            <div class="body stack">
                <p>
                    "Add a fenced YAML block under a line " <code>"**Settings**"</code>
                    " to the description of the pull request. It becomes the extra settings of the instance, which override all other settings."
                </p>
                <ul class="plain">
                    <li>
                        <code>{choices.playbooks_repository.variable}</code> " and "
                        <code>{choices.playbooks_version.variable}</code>
                        " in it also name the configuration repository and its version, where that repository is allowed."
                    </li>
                    <li>
                        "To choose where data is stored, add a line with the domain and “with persistent databases” or “with ephemeral databases”."
                    </li>
                </ul>
                <Code text=example/>
            </div>
        </section>
    }
}

fn example(domain: &str, choices: &PreviewChoices) -> String {
    format!("{domain}, with persistent databases\n\n**Settings**\n```yaml\n{}```\n", choices.example)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use shared_types::applications;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_example_is_in_the_format_that_is_read() {
        let choices = applications::ALL.iter().find_map(|kind| kind.previews).unwrap();
        let example = example("pr27.sandbox.campus.example", choices);
        let (before, settings) = example.split_once("\n**Settings**\n```yaml\n").unwrap_or_default();
        assert!(before.contains("pr27.sandbox.campus.example") && before.contains("persistent databases"));
        let (yaml, after) = settings.split_once("\n```").unwrap_or_default();
        assert!(!yaml.is_empty(), "there is something to copy");
        assert_eq!(after, "\n");
        assert!(shared_types::yaml::parse_map(yaml).is_ok());
    }
}
