//! What a page shows while it waits for what it shows.

use leptos::prelude::*;
use shared_types::ProblemType;
use std::sync::Arc;

use super::{NotFound, NotPermitted};
use crate::api::ApiError;
use crate::state::Fetched;
use crate::ui::Loading;

/// Draws what is fetched once it is here, and says so while it is not or cannot be.
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

/// How far the fetching is, without what was fetched: the view is drawn anew only when this changes.
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
