//! Asks a target through the gateway: HAProxy itself connects, just as for visitors' requests.

use std::net::SocketAddr;
use std::path::Path;

use super::config::{ANSWERED_HEADER, QUESTIONS, TARGET_HEADER};
use super::runtime;
use super::table::target_word;
use crate::routing::providers::question::{self, Head, NO_CONNECTION};
use crate::routing::traffic::{Answer, AskError, Question};

/// Sends the question and returns the target's answer.
pub(super) async fn ask(directory: &Path, target: SocketAddr, asked: &Question<'_>) -> Result<Answer, AskError> {
    let target = target_word(target).map_err(|error| AskError::NotAsked(error.0))?;
    let request = question::request(asked, &format!("{TARGET_HEADER}: {target}\r\n"));
    let request = request.map_err(AskError::NotAsked)?;
    let exchange = async {
        let away =
            |error| AskError::NotAsked(format!("the gateway does not answer ({error}); `ocim server` starts it again"));
        let stream = runtime::connect(directory, QUESTIONS).await.map_err(away)?;
        let mut exchange = question::exchange(stream, &request).await.map_err(away)?;
        let status = status(&exchange.head, asked)?;
        let has_text =
            exchange.has(asked.text).await.map_err(|error| AskError::NoAnswer(question::no_answer(&error)))?;
        Ok(Answer { status, has_text })
    };
    question::within(asked.patience, exchange).await
}

/// An answer of HAProxy itself says why the target did not answer, or that HAProxy refuses the question.
fn status(head: &Head, asked: &Question<'_>) -> Result<u16, AskError> {
    if head.says(ANSWERED_HEADER, "target") {
        return Ok(head.status);
    }
    Err(match head.status {
        503 => AskError::NoAnswer(NO_CONNECTION.to_owned()),
        504 => AskError::NoAnswer(question::too_late(asked.patience)),
        502 => AskError::NoAnswer("no answer that makes sense".to_owned()),
        status => AskError::NotAsked(format!("the gateway itself answered {status}")),
    })
}
