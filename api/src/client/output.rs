//! What is printed to standard output: tables for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use shared_types::{AppServerStatus, HealthState};

use super::error::ClientError;
use super::text;

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// What the API said.
    Json,
}

/// Where answers go.
#[derive(Debug)]
pub struct Output {
    format: Format,
    has_colours: bool,
}

/// One cell of a table.
#[derive(Debug)]
pub struct Cell {
    text: String,
    /// The SGR parameter of its colour.
    colour: Option<&'static str>,
}

impl<T: std::fmt::Display> From<T> for Cell {
    fn from(value: T) -> Self {
        Self { text: text::shown(&value.to_string()), colour: None }
    }
}

impl Cell {
    /// A status, in its colour.
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

    /// The health of an instance, in its colour.
    pub fn health(state: HealthState) -> Self {
        let colour = match state {
            HealthState::Ok => Some("32"),
            HealthState::Unknown => None,
            HealthState::Degraded => Some("33"),
            HealthState::Down => Some("31"),
        };
        Self { text: state.as_str().to_owned(), colour }
    }

    /// A value that may be missing.
    pub fn or_dash(value: Option<impl std::fmt::Display>) -> Self {
        value.map_or_else(|| Self::from("-"), Self::from)
    }
}

impl Output {
    /// To standard output; with colours only where it is a terminal and NO_COLOR is not set.
    pub fn to_stdout(format: Format) -> Self {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { format, has_colours: io::stdout().is_terminal() && !is_refused && !is_dumb }
    }

    /// Whether JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether colours are wanted.
    pub fn has_colours(&self) -> bool {
        self.has_colours
    }

    /// What the API said, or the same in a sentence.
    ///
    /// # Errors
    /// When nothing can be printed.
    pub fn told(&self, document: &Value, words: &str) -> Result<(), ClientError> {
        if self.is_json() { self.document(document) } else { self.line(&text::shown(words)) }
    }

    /// A JSON document.
    ///
    /// # Errors
    /// When nothing can be printed.
    pub fn document(&self, document: &Value) -> Result<(), ClientError> {
        self.line(&json_text(document))
    }

    /// A JSON document on one line, for streams of them.
    ///
    /// # Errors
    /// When nothing can be printed.
    pub fn document_line(&self, document: &Value) -> Result<(), ClientError> {
        self.line(&text::shown_json(&document.to_string()))
    }

    /// A line, which must be safe to print.
    ///
    /// # Errors
    /// When nothing can be printed.
    pub fn line(&self, line: &str) -> Result<(), ClientError> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{line}")?;
        Ok(stdout.flush()?)
    }

    /// A table with as much room for each column as its widest cell takes.
    ///
    /// # Errors
    /// When nothing can be printed.
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

    /// Names and values, one a line; a value of several lines is set in below its name.
    ///
    /// # Errors
    /// When nothing can be printed.
    pub fn fields(&self, fields: &[(&str, String)]) -> Result<(), ClientError> {
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
        for (name, value) in fields {
            let value = text::shown_log(value, false, width);
            self.line(format!("{name:width$}{value}").trim_end())?;
        }
        Ok(())
    }
}

/// A document over several lines, safe to print.
pub fn json_text(document: &Value) -> String {
    text::shown_json(&serde_json::to_string_pretty(document).unwrap_or_default())
}
