//! The part of the search done by the server: app servers and pull requests with these words.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join;
use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{AppServerSummary, PullRequest};

use crate::api;
use crate::state::state;

/// The debounce after the last key.
const PATIENCE: Duration = Duration::from_millis(250);
/// The most results of each kind.
const HITS: u8 = 6;

pub type Found = Arc<(Vec<AppServerSummary>, Vec<PullRequest>)>;

/// The state of the server's response.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Nothing to search for.
    None,
    /// Waiting for the response; the previous results are shown until then.
    Asking(Option<Found>),
    Here(Found),
    /// The error message, if the request failed.
    Failed(String),
}

impl Answer {
    /// The latest results, if any.
    pub const fn found(&self) -> Option<&Found> {
        match self {
            Self::Here(found) | Self::Asking(Some(found)) => Some(found),
            Self::None | Self::Asking(None) | Self::Failed(_) => None,
        }
    }
}

/// Searches for the typed words after a debounce.
pub fn ask_for(words: RwSignal<String>) -> RwSignal<Answer> {
    let session = state().session;
    let answer = RwSignal::new(Answer::None);
    let mut ask = debounce(PATIENCE, move |asked: String| {
        spawn_local(async move {
            let found = try_join(api::app_servers::find(&asked, HITS), api::pull_requests::find(&asked, HITS)).await;
            // The search may have been closed, or its words changed, by then.
            if words.try_with_untracked(|now| now.trim() == asked) != Some(true) {
                return;
            }
            answer.try_set(match found {
                Ok(found) => Answer::Here(Arc::new(found)),
                Err(error) if session.ends_by(&error) => Answer::None,
                Err(error) => Answer::Failed(error.to_string()),
            });
        });
    });
    Effect::new(move || {
        let wanted = words.with(|words| words.trim().to_owned());
        if wanted.chars().any(char::is_alphanumeric) {
            answer.update(|answer| *answer = Answer::Asking(answer.found().cloned()));
            ask(wanted);
        } else {
            answer.set(Answer::None);
        }
    });
    answer
}
