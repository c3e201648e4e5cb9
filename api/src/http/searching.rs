//! Searches in the logs: each waits for its turn, has a connection whose statements end after some seconds, and is
//! answered in words if it gets no turn or no connection.

use std::time::Duration;

use shared_types::ProblemType;

use super::error::ApiError;
use crate::app::App;
use crate::platform::db::{Connection, DbError, SEARCH_LIMIT};
use crate::platform::guard::{Busy, Turn};
use crate::platform::origin::Origin;

/// After how long a refused search is worth another try.
pub const AGAIN: Duration = Duration::from_secs(3);

/// A connection for reading logs. If it is for a search, it comes with the search's turn, which is to be kept as long.
///
/// # Errors
/// [`ProblemType::TooManyRequests`] or [`ProblemType::Unavailable`] if too many searches run.
pub async fn connection(app: &App, is_search: bool) -> Result<(Option<Turn>, Connection), ApiError> {
    let Some(user) = Origin::current().user.filter(|_| is_search) else {
        return Ok((None, app.db().conn().await?));
    };
    let turn = app.guard.searches.turn(user).await.map_err(busy)?;
    Ok((Some(turn), app.db().searching().await?))
}

/// The problem of a search whose statement failed.
pub fn failed(error: DbError) -> ApiError {
    if !error.took_too_long() {
        return error.into();
    }
    let words = format!(
        "The search took longer than {} s and was given up. Search in the log of one instance or app server, or for a text \
         that occurs more often.",
        SEARCH_LIMIT.as_secs()
    );
    ApiError::new(ProblemType::Unavailable, words).retry_after(30)
}

fn busy(why: Busy) -> ApiError {
    let (kind, whose) = match why {
        Busy::Own => (ProblemType::TooManyRequests, "Other searches of yours are"),
        Busy::All => (ProblemType::Unavailable, "Searches of others are"),
    };
    let words = format!("{whose} still running; search again when they have ended, a few seconds from now.");
    ApiError::new(kind, words).retry_after(AGAIN.as_secs().cast_signed())
}
