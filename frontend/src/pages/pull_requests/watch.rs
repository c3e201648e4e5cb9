//! Watching a pull request by its URL before the server has found it by itself.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Role;
use shared_types::app_server_status::Possible;
use shared_types::pull_request::URL_MAX;

use crate::api;
use crate::state::{State, state};
use crate::ui::{Icon, Shape};

/// The form, for users with the needed role.
#[component]
pub fn WatchForm() -> impl IntoView {
    let state = state();
    let (url, why) = (RwSignal::new(String::new()), RwSignal::new(None::<String>));
    let is_busy = RwSignal::new(false);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        let typed = url.with_untracked(|url| url.trim().to_owned());
        let refused = judge(&typed);
        let is_valid = refused.is_none();
        why.set(refused);
        if is_valid {
            is_busy.set(true);
            spawn_local(async move {
                match watch(state, typed).await {
                    Ok(()) => drop(url.try_set(String::new())),
                    Err(at_field) => drop(why.try_set(at_field)),
                }
                is_busy.try_set(false);
            });
        }
    };
    view! {
        <form
            class="card watch"
            hidden=move || state.session.may(Role::Operator) != Possible::Yes
            on:submit=submit
            aria-label="Watch a pull request"
            novalidate
        >
            <label for="watch-url">"Watch a pull request"</label>
            <UrlInput url why/>
            <button type="submit" aria-busy=move || is_busy.get().to_string() aria-disabled=move || is_busy.get().to_string()>
                {move || {
                    let shape = if is_busy.get() { Shape::Refresh } else { Shape::Plus };
                    view! { <Icon shape is_spinning=is_busy/> }
                }}
                "Watch"
            </button>
            <div class="why" id="watch-url-why" aria-live="polite">{why}</div>
        </form>
    }
}

#[component]
fn UrlInput(url: RwSignal<String>, why: RwSignal<Option<String>>) -> impl IntoView {
    let is_wrong = move || why.with(Option::is_some);
    let typed = move |event| {
        url.set(event_target_value(&event));
        why.set(None);
    };
    view! {
        <input
            id="watch-url"
            type="url"
            autocomplete="off"
            spellcheck="false"
            placeholder="https://github.com/acme/courses/pull/27"
            class:wrong=is_wrong
            aria-invalid=move || is_wrong().then_some("true")
            aria-describedby="watch-url-why"
            prop:value=url
            on:input=typed
        />
    }
}

/// Asks the server to watch a pull request, and shows a notice.
///
/// # Errors
/// What to show at the field; none if the notice says it.
async fn watch(state: State, url: String) -> Result<(), Option<String>> {
    match api::pull_requests::watch(url).await {
        Ok(pull_request) => {
            let words = format!("Now watching {} #{}.", pull_request.repository, pull_request.github_pr_number);
            state.toasts.success(words);
            state.data.take_pull_request(pull_request);
            Ok(())
        }
        Err(error) => {
            let at_field = error.fields().find(|(name, _)| *name == "url").map(|(_, words)| words.to_owned());
            if at_field.is_none() {
                state.failed("Watching failed", &error);
            }
            Err(at_field)
        }
    }
}

/// Why an address is invalid, before the server is asked.
fn judge(typed: &str) -> Option<String> {
    let length = typed.chars().count();
    if typed.is_empty() {
        Some("The address of a pull request is needed.".into())
    } else if length > URL_MAX {
        Some(format!("At most {URL_MAX} characters; these are {length}."))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_what_cannot_be_an_address_is_refused_here() {
        assert!(judge("").is_some_and(|why| why.contains("needed")));
        assert!(judge(&"x".repeat(501)).is_some_and(|why| why.contains("501")));
        assert_eq!(judge(&"x".repeat(500)), None);
        assert_eq!(judge("https://github.com/acme/edx-platform/pull/27"), None);
    }
}
