//! Input of users: a name, or a password that is not echoed.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::ClientError;

/// A line from standard input, without its line break. Prints the question if it is a terminal.
///
/// # Errors
/// [`ClientError::Usage`] if the input has ended, [`ClientError::Interrupted`] at Ctrl-C.
pub async fn line(question: &str) -> Result<String, ClientError> {
    read(question, &mut signal(SignalKind::interrupt())?).await
}

async fn read(question: &str, interrupts: &mut Signal) -> Result<String, ClientError> {
    if io::stdin().is_terminal() {
        write!(io::stderr(), "{question}: ")?;
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    // A detached thread: waiting for input must not keep the program from ending.
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

/// Like [`line()`], without echo.
///
/// # Errors
/// As for [`line()`].
pub async fn secret(question: &str) -> Result<String, ClientError> {
    // Before the echo is switched off, so that Ctrl-C restores the terminal.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let quiet = Quiet::begin()?;
    let line = read(question, &mut interrupts).await;
    if quiet.is_some() {
        // The typed line break was not echoed either.
        writeln!(io::stderr())?;
    }
    line
}

/// Switches a terminal's echo off until this is dropped.
struct Quiet(Termios);

impl Quiet {
    /// None if standard input is not a terminal.
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
