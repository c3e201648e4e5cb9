//! Placeholders of a page while its data is being fetched.

use leptos::prelude::*;
use shared_types::ProblemType;
use std::sync::Arc;

use super::{NotFound, NotPermitted};
use crate::api::ApiError;
use crate::state::Fetched;
use crate::ui::Loading;

/// Draws the data once it has arrived; until then a loading sign, on failure the error.
pub fn when_here<T>(fetched: Memo<Fetched<T>>, draw: impl Fn(Memo<Arc<T>>) -> AnyView + Send + 'static) -> impl IntoView
where
    T: PartialEq + Send + Sync + 'static,
{
    let stage = Memo::new(move |_| fetched.with(Stage::of));
    move || match (stage.get(), fetched.get_untracked().here().cloned()) {
        (Stage::Here, Some(first)) => {
            let value = Memo::new(move |last: Option<&Arc<T>>| match fetched.get() {
                Fetched::Here(value) => value,
                Fetched::Waiting | Fetched::Failed(_) => last.unwrap_or(&first).clone(),
            });
            draw(value)
        }
        (Stage::Failed(error), _) if error.is(ProblemType::NotFound) => view! { <NotFound/> }.into_any(),
        (Stage::Failed(error), _) if error.is(ProblemType::Forbidden) => {
            view! { <NotPermitted why=error.to_string()/> }.into_any()
        }
        (Stage::Failed(error), _) => view! { <p class="lone" role="alert">{error.to_string()}</p> }.into_any(),
        (Stage::Waiting | Stage::Here, _) => view! { <Loading/> }.into_any(),
    }
}

/// The stage of the fetch without the data: the view is redrawn only when this changes.
#[derive(Clone, PartialEq)]
enum Stage {
    Waiting,
    Here,
    Failed(ApiError),
}

impl Stage {
    fn of<T>(fetched: &Fetched<T>) -> Self {
        match fetched {
            Fetched::Waiting => Self::Waiting,
            Fetched::Here(_) => Self::Here,
            Fetched::Failed(error) => Self::Failed(error.clone()),
        }
    }
}
