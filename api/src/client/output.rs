//! Standard output: tables for users, JSON for programs.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use shared_types::{AppServerStatus, HealthState};

use super::error::ClientError;
use super::text;

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Tables and sentences for people to read.
    Table,
    /// The API's document, for programs.
    Json,
}

/// Prints answers to standard output.
#[derive(Debug)]
pub struct Output {
    format: Format,
    has_colours: bool,
}

/// One cell of a table.
#[derive(Debug)]
pub struct Cell {
    text: String,
    /// The SGR parameter of the colour; none: no colour.
    colour: Option<&'static str>,
}

impl<T: std::fmt::Display> From<T> for Cell {
    fn from(value: T) -> Self {
        Self { text: text::shown(&value.to_string()), colour: None }
    }
}

impl Cell {
    /// An app server's status in its colour.
    pub fn status(status: AppServerStatus) -> Self {
        use AppServerStatus::{Configuring, Error, Failed, New, Running, Stopped, Terminated, Waiting};
        let colour = match status {
            Running => Some("32"),
            Failed | Error => Some("31"),
            New | Waiting | Configuring => Some("33"),
            Stopped | Terminated => None,
        };
        Self { text: status.as_str().to_owned(), colour }
    }

    /// An instance's health in its colour.
    pub fn health(state: HealthState) -> Self {
        let colour = match state {
            HealthState::Ok => Some("32"),
            HealthState::Unknown => None,
            HealthState::Degraded => Some("33"),
            HealthState::Down => Some("31"),
        };
        Self { text: state.as_str().to_owned(), colour }
    }

    /// A value, or `-` for none.
    pub fn or_dash(value: Option<impl std::fmt::Display>) -> Self {
        value.map_or_else(|| Self::from("-"), Self::from)
    }
}

impl Output {
    /// Prints to standard output, with colours only on a terminal without NO_COLOR.
    pub fn to_stdout(format: Format) -> Self {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { format, has_colours: io::stdout().is_terminal() && !is_refused && !is_dumb }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub fn has_colours(&self) -> bool {
        self.has_colours
    }

    /// Prints the API's document, or the same as a sentence.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn told(&self, document: &Value, words: &str) -> Result<(), ClientError> {
        if self.is_json() { self.document(document) } else { self.line(&text::shown(words)) }
    }

    /// Prints a JSON document.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn document(&self, document: &Value) -> Result<(), ClientError> {
        self.line(&json_text(document))
    }

    /// Prints a JSON document on one line, for streams.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn document_line(&self, document: &Value) -> Result<(), ClientError> {
        self.line(&text::shown_json(&document.to_string()))
    }

    /// Prints a line, which must be safe for a terminal.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn line(&self, line: &str) -> Result<(), ClientError> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{line}")?;
        Ok(stdout.flush()?)
    }

    /// Prints a table; each column is as wide as its widest cell.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn table(&self, head: &[&str], rows: &[Vec<Cell>]) -> Result<(), ClientError> {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count());
            cells.chain(head.get(column).map(|name| name.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..head.len()).map(width).collect();
        let names = head.iter().map(|name| Cell { text: (*name).to_owned(), colour: Some("1") }).collect();
        for row in std::iter::once(&names).chain(rows) {
            self.line(self.row(row, &widths).trim_end())?;
        }
        Ok(())
    }

    fn row(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let room = width.saturating_sub(cell.text.chars().count()) + 2;
            match cell.colour.filter(|_| self.has_colours) {
                Some(colour) => line.push_str(&format!("\u{1b}[{colour}m{}\u{1b}[0m", cell.text)),
                None => line.push_str(&cell.text),
            }
            line.extend(std::iter::repeat_n(' ', room));
        }
        line
    }

    /// Prints names and values, one per line; a value with several lines is indented below its name.
    ///
    /// # Errors
    /// [`ClientError::Stdio`] if standard output cannot be written.
    pub fn fields(&self, fields: &[(&str, String)]) -> Result<(), ClientError> {
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
        for (name, value) in fields {
            let value = text::shown_log(value, false, width);
            self.line(format!("{name:width$}{value}").trim_end())?;
        }
        Ok(())
    }
}

/// A document over several lines, safe for a terminal.
pub fn json_text(document: &Value) -> String {
    text::shown_json(&serde_json::to_string_pretty(document).unwrap_or_default())
}
