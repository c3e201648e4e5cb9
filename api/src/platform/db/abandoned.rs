//! Tells connections that they are dropped because their caller is gone, not because their work is done.
//!
//! A connection knows from its driver whether a statement runs, but not whether the rows of one still arrive. The
//! wrapper around each request knows more: if it is dropped before the answer, its statements were left unfinished.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    /// Whether this thread is dropping work that did not end.
    static ABANDONING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current drop is part of work that was abandoned.
pub(super) fn is_abandoning() -> bool {
    ABANDONING.get()
}

/// Work whose statements are cancelled, and whose connections are closed, if it is dropped before it ends.
#[derive(Debug)]
pub struct Abandonable<F>(Option<Pin<Box<F>>>);

impl<F: Future> Abandonable<F> {
    pub fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future> Future for Abandonable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // A future is not polled again after its end.
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = std::task::ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<F> Drop for Abandonable<F> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            let before = ABANDONING.replace(true);
            drop(work);
            ABANDONING.set(before);
        }
    }
}
