//! What a person types: a name, a password that is not shown.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::ClientError;

/// A line from standard input, without its line break. Asks for it where a person is there to answer.
///
/// # Errors
/// [`ClientError::Usage`] when the input has ended, [`ClientError::Interrupted`] at Ctrl-C.
pub async fn line(question: &str) -> Result<String, ClientError> {
    read(question, &mut signal(SignalKind::interrupt())?).await
}

async fn read(question: &str, interrupts: &mut Signal) -> Result<String, ClientError> {
    if io::stdin().is_terminal() {
        write!(io::stderr(), "{question}: ")?;
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own: one that waits for a person must not keep the program from ending.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).map(|length| (length, line));
        let _ = tell.send(read);
    });
    let (length, line) = tokio::select! {
        read = told => read.map_err(|_| ClientError::Failed("standard input ended".to_owned()))??,
        _ = interrupts.recv() => return Err(ClientError::Interrupted("interrupted; nothing was kept".to_owned())),
    };
    if length == 0 {
        return Err(ClientError::Usage(format!("{question}: standard input is empty; it must have a line.")));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// The same without showing what is typed.
///
/// # Errors
/// As [`line()`].
pub async fn secret(question: &str) -> Result<String, ClientError> {
    // Before the terminal is told: whoever presses Ctrl-C gets it back as it was.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let quiet = Quiet::begin()?;
    let line = read(question, &mut interrupts).await;
    if quiet.is_some() {
        // The line break that was typed was not shown either.
        writeln!(io::stderr())?;
    }
    line
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    /// None where there is no terminal.
    fn begin() -> Result<Option<Self>, ClientError> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin).map_err(io::Error::from)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &quiet).map_err(io::Error::from)?;
        Ok(Some(Self(before)))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
