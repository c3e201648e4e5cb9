//! One row of the log. Rows are immutable: a row that looks different has another key.

use std::sync::Arc;

use chrono::Local;
use leptos::prelude::*;

use super::classify::Kind;
use super::store::Row;
use crate::ui::mark::{self, Piece};
use crate::ui::window::px;

/// The height of a row, as in `log.css`. The row's number is a link and must be large enough for a finger.
pub const ROW_PX: f64 = 24.0;
/// The most bytes drawn of a line: browsers take seconds for a line of a megabyte.
const DRAWN: usize = 8_000;

/// The identity of a drawn row.
pub type Key = (usize, Option<i64>, bool, bool, bool, Arc<str>);

/// Computes the key that identifies a drawn row.
pub fn key(row: &Row) -> Key {
    let number = row.head.map(|(number, _)| number);
    (row.place, number, row.text.is_some(), row.is_named, row.is_current, row.sought.clone())
}

/// Draws a row: its number (a link to it), its time, its text.
pub fn row(row: Row) -> AnyView {
    let number = row.head.map(|(number, _)| {
        let label = format!("Line {number}");
        view! { <a class="n" href=format!("#L{number}") tabindex="-1" aria-label=label>{number}</a> }
    });
    let time = row.head.map(|(_, created)| {
        let whole = created.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let time = whole.get(11..19).unwrap_or_default().to_owned();
        view! { <span class="t" title=whole>{time}</span> }
    });
    let text = match &row.text {
        Some(text) => line_text(text, &row.sought),
        None => view! { <span class="x fine">"…"</span> }.into_any(),
    };
    view! {
        <div
            class=class(row.kind, row.is_named, row.is_current)
            aria-current=row.is_current.then_some("true")
            style:top=px(row.place, ROW_PX)
        >
            {number}
            {time}
            {text}
        </div>
    }
    .into_any()
}

fn class(kind: Kind, is_named: bool, is_current: bool) -> String {
    let named = if is_named { " named" } else { "" };
    let current = if is_current { " current" } else { "" };
    format!("{}{named}{current}", kind.class())
}

/// A line of a log in its colours, with search hits highlighted.
pub fn line_text(text: &str, sought: &str) -> AnyView {
    let drawn = text.floor_char_boundary(DRAWN);
    let rest = text.len() - drawn;
    let cut = (rest > 0).then(|| {
        view! { <i class="fine">{format!(" … line cut, {} kB more in the download", rest.div_ceil(1000))}</i> }
    });
    let pieces = mark::pieces(text.get(..drawn).unwrap_or_default(), sought).into_iter().map(piece).collect_view();
    view! { <span class="x">{pieces}{cut}</span> }.into_any()
}

fn piece(Piece { ink, text, is_hit }: Piece) -> AnyView {
    match (ink.class(), is_hit) {
        ("", false) => text.into_any(),
        (class, false) => view! { <span class=class>{text}</span> }.into_any(),
        (class, true) => view! { <mark class=class>{text}</mark> }.into_any(),
    }
}
