//! A request that a dialog or a form sends: whether it is in progress, and why the last one failed.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::text_field::Refused;
use crate::api;
use crate::state::{Session, state};

/// How the request of a form ended, if there is nothing to show in the form.
pub enum Sent<T> {
    Done(T),
    /// The session has ended, and the sign-in page is shown.
    SignedOut,
}

/// The state of a form's request.
#[derive(Clone, Copy)]
pub struct Sending {
    session: Session,
    pub is_busy: RwSignal<bool>,
    /// Why the last request failed, unless its fields say so.
    pub why_not: RwSignal<Option<String>>,
    refused: Option<Refused>,
}

impl Sending {
    /// `refused` shows errors that belong to a field; none: `why_not` has all errors.
    pub fn new(refused: Option<Refused>) -> Self {
        Self { session: state().session, is_busy: RwSignal::new(false), why_not: RwSignal::new(None), refused }
    }

    /// Sends the request, unless another one is in progress. If it fails, the form shows the error and remains as it is.
    pub fn send<T: 'static>(
        self,
        request: impl Future<Output = api::Result<T>> + 'static,
        then: impl FnOnce(Sent<T>) + 'static,
    ) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.why_not.set(None);
        spawn_local(async move {
            let answer = request.await;
            // The form may be gone when the response arrives.
            self.is_busy.try_set(false);
            match answer {
                Ok(value) => then(Sent::Done(value)),
                Err(error) if self.session.ends_by(&error) => then(Sent::SignedOut),
                Err(error) if self.refused.is_some_and(|refused| refused.take(&error)) => {}
                Err(error) => {
                    self.why_not.try_set(Some(error.to_string()));
                }
            }
        });
    }
}
