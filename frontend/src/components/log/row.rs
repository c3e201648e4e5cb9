//! One row of the log.

use chrono::Local;
use leptos::prelude::*;

use super::store::Row;
use crate::ui::ansi;
use crate::ui::window::px;

/// The height of a row, as in `log.css`.
pub const ROW_PX: f64 = 20.0;

/// One row: its number (a link to it), its time, its text.
#[component]
pub fn LogRow(
    /// What it shows.
    row: Row,
    /// Whether numbers are links.
    is_numbered: bool,
    /// The line that the URL names.
    named: Memo<Option<i64>>,
) -> impl IntoView {
    let number = row.head.map(|(number, _)| number);
    let time = row.head.map(|(_, created)| {
        let local = created.with_timezone(&Local);
        (local.format("%H:%M:%S").to_string(), local.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
    });
    let (time, whole_time) = time.unwrap_or_default();
    let number_view = number.map(|number| {
        if is_numbered {
            let label = format!("Line {number}");
            view! { <a class="n" href=format!("#L{number}") tabindex="-1" aria-label=label>{number}</a> }.into_any()
        } else {
            view! { <span class="n">{number}</span> }.into_any()
        }
    });
    let text = row.text.map_or_else(
        || view! { <span class="fine">"…"</span> }.into_any(),
        |text| {
            let parts = ansi::parts(&text).into_iter();
            parts
                .map(|(ink, words)| match ink.class() {
                    "" => words.into_any(),
                    class => view! { <span class=class>{words}</span> }.into_any(),
                })
                .collect_view()
                .into_any()
        },
    );
    view! {
        <div
            class=row.kind.class()
            class:named=move || number.is_some() && named.get() == number
            style:top=px(row.place, ROW_PX)
        >
            {number_view.unwrap_or_else(|| view! { <span class="n"></span> }.into_any())}
            <span class="t" title=whole_time>{time}</span>
            <span class="x">{text}</span>
        </div>
    }
}
