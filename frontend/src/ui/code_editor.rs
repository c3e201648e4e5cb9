//! An editor for YAML: the browser's own text area, with highlighted text drawn behind it and line numbers. Keys work
//! as in every text area: Tab moves to the next field.
//!
//! Only the visible lines are drawn, so that a keystroke costs the same in a text of thousands of lines.

use std::ops::Range;

use leptos::html;
use leptos::prelude::*;

use super::window;
use super::yaml::{Lines, Piece};

/// The height of a line; must equal `--code-line` in the style sheet.
const LINE_PX: f64 = 21.0;
/// The minimum and maximum number of visible lines.
const ROWS: Range<usize> = 7..24;
/// The number of lines shown above a line that is jumped to.
const ABOVE: usize = 3;

#[component]
pub fn CodeEditor(
    id: String,
    name: &'static str,
    class: Signal<&'static str>,
    /// The ids of the elements that describe it.
    described: String,
    is_wrong: Signal<bool>,
    /// The number of the wrong line, from 1, if known.
    wrong_line: Signal<Option<usize>>,
    text: RwSignal<String>,
    /// Set to the number of the caret's line, from 1.
    #[prop(optional)]
    caret: RwSignal<usize>,
    /// Called with the typed text.
    on_typed: Callback<String>,
) -> impl IntoView {
    let node = NodeRef::<html::Textarea>::new();
    let sight = Sight::new(text);
    let scrolled = move |_| {
        if let Some(area) = node.get_untracked() {
            sight.scroll_to(area.scroll_top(), area.scroll_left());
        }
    };
    let moved = move || {
        if let Some(area) = node.get_untracked() {
            let at = area.selection_start().ok().flatten().unwrap_or_default();
            caret.set(line_of(&area.value(), at));
        }
    };
    view! {
        <div class="editor" class:wrong=is_wrong>
            <LineNumbers sight wrong_line/>
            <div class="pane">
                <Mirror sight wrong_line/>
                <textarea
                    node_ref=node
                    id=id
                    name=name
                    class=class
                    rows=sight.rows
                    wrap="off"
                    spellcheck="false"
                    autocapitalize="none"
                    aria-describedby=described
                    aria-invalid=move || is_wrong.get().then_some("true")
                    prop:value=text
                    on:scroll=scrolled
                    on:keyup=move |_| moved()
                    on:click=move |_| moved()
                    on:focus=move |_| moved()
                    on:select=move |_| moved()
                    on:input=move |event| {
                        on_typed.run(event_target_value(&event));
                        moved();
                    }
                ></textarea>
            </div>
        </div>
    }
}

/// Which lines of the text are visible.
#[derive(Clone, Copy)]
struct Sight {
    text: RwSignal<String>,
    /// How far the text area is scrolled, in pixels.
    top: RwSignal<i32>,
    left: RwSignal<i32>,
    /// The height of the text area, in lines.
    rows: Memo<usize>,
    /// The visible lines, from 0.
    lines: Memo<Range<usize>>,
}

impl Sight {
    fn new(text: RwSignal<String>) -> Self {
        let (top, left) = (RwSignal::new(0), RwSignal::new(0));
        let rows = Memo::new(move |_| text.with(|text| line_count(text)).clamp(ROWS.start, ROWS.end));
        // A memo, so that scrolling by less than a line redraws nothing.
        let lines = Memo::new(move |_| text.with(|text| in_sight(f64::from(top.get()), rows.get(), line_count(text))));
        Self { text, top, left, rows, lines }
    }

    fn scroll_to(self, top: i32, left: i32) {
        self.top.set(top);
        self.left.set(left);
    }

    /// How far down the first drawn line is, in pixels below the upper edge of the text area.
    fn down(self) -> i64 {
        self.lines.with(|lines| window::whole(window::below(lines.start, LINE_PX))) - i64::from(self.top.get())
    }
}

#[component]
fn LineNumbers(sight: Sight, wrong_line: Signal<Option<usize>>) -> impl IntoView {
    let width = move || format!("{}ch", sight.text.with(|text| line_count(text)).to_string().len().max(2));
    let numbers = move || {
        let number = |line: usize| view! { <span class=move || line_class(wrong_line, line)>{line}</span> };
        sight.lines.get().map(|at| number(at + 1)).collect_view()
    };
    view! {
        <div class="numbers" aria-hidden="true" style:width=width>
            <div style:transform=move || format!("translateY({}px)", sight.down())>{numbers}</div>
        </div>
    }
}

/// The highlighted text behind the text area, whose own text is transparent.
#[component]
fn Mirror(sight: Sight, wrong_line: Signal<Option<usize>>) -> impl IntoView {
    let lines = move || {
        let draw = |(line, pieces): (usize, Vec<(Piece, &str)>)| {
            view! { <div class=move || line_class(wrong_line, line)>{code_line(pieces)}</div> }.into_any()
        };
        sight.text.with(|text| numbered(text, sight.lines.get()).into_iter().map(draw).collect::<Vec<_>>())
    };
    view! {
        <div class="mirror" aria-hidden="true">
            <div style:transform=move || format!("translate({}px, {}px)", -sight.left.get(), sight.down())>{lines}</div>
        </div>
    }
}

fn line_class(wrong_line: Signal<Option<usize>>, line: usize) -> &'static str {
    if wrong_line.get() == Some(line) { "line bad" } else { "line" }
}

/// The highlighted pieces of a line.
pub fn code_line(pieces: Vec<(Piece, &str)>) -> Vec<AnyView> {
    let piece = |(piece, text): (Piece, &str)| {
        let text = text.to_owned();
        match piece.class() {
            "" => text.into_any(),
            class => view! { <span class=class>{text}</span> }.into_any(),
        }
    };
    pieces.into_iter().map(piece).collect()
}

/// Puts the caret at the beginning of a line, counted from 1.
pub fn put_caret(area: &web_sys::HtmlTextAreaElement, line: usize) {
    let start = start_of(&area.value(), line);
    // The range is inside the text; a hidden text area has no selection to set.
    let _ = area.set_selection_range(start, start);
}

/// Puts the caret at the beginning of a line and scrolls it into view.
pub fn go_to_line(area: &web_sys::HtmlTextAreaElement, line: usize) {
    put_caret(area, line);
    let above = line.saturating_sub(1 + ABOVE);
    area.set_scroll_top(i32::try_from(above).unwrap_or(i32::MAX).saturating_mul(LINE_PX as i32));
}

/// The number of UTF-16 units before a line, as the browser counts.
fn start_of(text: &str, line: usize) -> u32 {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let units = before.map(|line| line.encode_utf16().count()).sum::<usize>();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The line, from 1, of the character after so many UTF-16 units.
fn line_of(text: &str, units: u32) -> usize {
    let units = usize::try_from(units).unwrap_or(usize::MAX);
    1 + text.encode_utf16().take(units).filter(|unit| *unit == u16::from(b'\n')).count()
}

/// The number of lines as an editor counts: a final line break begins another line.
fn line_count(text: &str) -> usize {
    text.split('\n').count()
}

/// The visible lines, from 0, including partly visible lines at both ends.
fn in_sight(top: f64, rows: usize, lines: usize) -> Range<usize> {
    let seen = window::visible(top, window::below(rows, LINE_PX), LINE_PX, lines);
    // A text that became shorter is scrolled back only later.
    seen.start.min(lines)..seen.end.min(lines)
}

/// These lines of a text, numbered from 1. The highlighting of a line may depend on all lines before it.
fn numbered(text: &str, range: Range<usize>) -> Vec<(usize, Vec<(Piece, &str)>)> {
    let mut reader = Lines::default();
    let mut found = Vec::new();
    for (at, line) in text.split('\n').enumerate().take(range.end) {
        if at < range.start {
            reader.skip(line);
        } else {
            found.push((at + 1, reader.pieces(line)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn lines_are_counted_as_an_editor_shows_them() {
        assert_eq!(["", "a", "a\n", "a\n\n"].map(line_count), [1, 1, 2, 3]);
    }

    #[test]
    fn only_lines_in_sight_are_drawn_and_each_knows_its_number() {
        let text = (1..=2_000).map(|line| format!("k{line}: |\n  text: {line}\n")).collect::<String>();
        let range = in_sight(21.0 * 1_000.0, 24, line_count(&text));
        let drawn = numbered(&text, range.clone());
        assert!(range.contains(&1_000) && range.contains(&1_023) && drawn.len() < 60, "{range:?}");
        let line = drawn.iter().find(|(number, _)| *number == 1_002);
        assert_eq!(line.map(|(_, pieces)| pieces.as_slice()), Some([(Piece::Text, "  text: 501")].as_slice()));
        assert_eq!(in_sight(99_999.0, 24, 3), 3..3, "a text that became shorter");
    }

    #[test]
    fn the_caret_is_put_where_the_line_begins() {
        let text = "é: 1\n😀: 2\nc: 3";
        assert_eq!([0, 1, 2, 3, 9].map(|line| start_of(text, line)), [0, 0, 5, 11, 15]);
        assert_eq!([0, 4, 5, 10, 11, 99].map(|units| line_of(text, units)), [1, 1, 2, 2, 3, 3]);
    }
}
