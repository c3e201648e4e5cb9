//! Windowing of long lists: of thousands of rows of one height, only the visible ones are in the document.

use std::ops::Range;

use leptos::html;
use leptos::prelude::*;

/// Rows drawn beyond each edge, so that scrolling shows no blank area.
const MARGIN: usize = 12;

/// The range of rows to draw.
pub fn visible(top_px: f64, height_px: f64, row_px: f64, rows: usize) -> Range<usize> {
    if row_px <= 0.0 {
        return 0..0;
    }
    let first = count(top_px / row_px).saturating_sub(MARGIN).min(rows);
    let last = count((top_px + height_px) / row_px) + 1 + MARGIN;
    first..last.clamp(first, rows)
}

/// Whether the list is scrolled to its end, to within 24 pixels.
pub fn is_at_end(top_px: f64, height_px: f64, all_px: f64) -> bool {
    top_px + height_px >= all_px - 24.0
}

/// The height of so many rows in pixels.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^52 rows")]
pub fn below(rows: usize, row_px: f64) -> f64 {
    rows as f64 * row_px
}

/// That height for a style, in whole pixels: formatting fractions adds ten kilobytes to the program.
pub fn px(rows: usize, row_px: f64) -> String {
    format!("{}px", whole(below(rows, row_px)))
}

/// Truncates to whole pixels.
#[expect(clippy::cast_possible_truncation, reason = "a cast from floats saturates")]
pub fn whole(px: f64) -> i64 {
    px as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn count(number: f64) -> usize {
    number.clamp(0.0, 1e15) as usize
}

/// The scroll position of an element, and its visible height.
#[derive(Debug, Clone, Copy)]
pub struct Scroll {
    pub node: NodeRef<html::Div>,
    top: RwSignal<f64>,
    height: RwSignal<f64>,
}

impl Scroll {
    /// Watches an element: give it `node_ref=scroll.node` and `on:scroll=move |_| scroll.look()`.
    pub fn watch() -> Self {
        let scroll = Self { node: NodeRef::new(), top: RwSignal::new(0.0), height: RwSignal::new(0.0) };
        Effect::new(move || {
            scroll.node.track();
            request_animation_frame(move || scroll.look());
        });
        let resized = window_event_listener(leptos::ev::resize, move |_| scroll.look());
        on_cleanup(move || resized.remove());
        scroll
    }

    /// Reads position and height from the element.
    pub fn look(self) {
        let Some(element) = self.node.try_get_untracked().flatten() else {
            return;
        };
        let (top, height) = (f64::from(element.scroll_top()), f64::from(element.client_height()));
        // An animation frame may run after the view is gone.
        if self.top.try_get_untracked().is_some_and(|last| last != top) {
            self.top.set(top);
        }
        if self.height.try_get_untracked().is_some_and(|last| last != height) {
            self.height.set(height);
        }
    }

    /// Scrolls to so many pixels from the top.
    pub fn to(self, top_px: f64) {
        if let Some(element) = self.node.try_get_untracked().flatten() {
            #[expect(clippy::cast_possible_truncation, reason = "the browser's own limit is far below")]
            element.set_scroll_top(top_px as i32);
            self.look();
        }
    }

    /// Scrolls as little as needed to make a row visible.
    pub fn show(self, row: usize, row_px: f64) {
        let (top, height) = (self.top.get_untracked(), self.height.get_untracked());
        let (begin, end) = (below(row, row_px), below(row + 1, row_px));
        if begin < top {
            self.to(begin);
        } else if end > top + height {
            self.to(end - height);
        }
    }

    /// Scrolls the page if the element is not completely visible.
    pub fn reveal(self) {
        let Some(element) = self.node.try_get_untracked().flatten() else {
            return;
        };
        let place = element.get_bounding_client_rect();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        if place.top() < 0.0 || place.bottom() > height {
            element.scroll_into_view_with_bool(false);
        }
    }

    /// Scrolls sideways to the first element that matches a selector, if it is not visible.
    pub fn reveal_across(self, selector: &str) {
        let Some(window) = self.node.try_get_untracked().flatten() else {
            return;
        };
        let Ok(Some(element)) = window.query_selector(selector) else {
            return;
        };
        let (place, seen) = (element.get_bounding_client_rect(), window.get_bounding_client_rect());
        if place.right() > seen.right() || place.left() < seen.left() {
            // Keep some of the content before it visible.
            let by = place.left() - seen.left() - seen.width() / 3.0;
            #[expect(clippy::cast_possible_truncation, reason = "the browser's own limit is far below")]
            window.set_scroll_left(window.scroll_left() + by as i32);
        }
    }

    /// The scroll position in pixels; tracked.
    pub fn top(self) -> f64 {
        self.top.get()
    }

    /// The scroll position in pixels, without tracking changes.
    pub fn top_untracked(self) -> f64 {
        self.top.get_untracked()
    }

    /// Whether a row is visible, without tracking changes.
    pub fn sees(self, row: usize, row_px: f64) -> bool {
        let (top, height, at) = (self.top.get_untracked(), self.height.get_untracked(), below(row, row_px));
        at >= top && at + row_px <= top + height
    }

    /// The first visible row, without tracking changes.
    pub fn top_row(self, row_px: f64) -> usize {
        count(self.top.get_untracked() / row_px)
    }

    /// Whether the list is scrolled to its end, to within 24 pixels.
    pub fn is_at_end(self) -> bool {
        self.node.try_get_untracked().flatten().is_none_or(|element| {
            let [top, height, all] =
                [element.scroll_top(), element.client_height(), element.scroll_height()].map(f64::from);
            is_at_end(top, height, all)
        })
    }

    /// The range of rows to draw.
    pub fn visible(self, row_px: f64, rows: usize) -> Range<usize> {
        visible(self.top.get(), self.height.get(), row_px, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn draws_what_is_in_sight_and_a_margin() {
        assert_eq!(visible(0.0, 400.0, 20.0, 100_000), 0..33);
        assert_eq!(visible(2_000.0, 400.0, 20.0, 100_000), 88..133);
        assert_eq!(visible(2_000_000.0, 400.0, 20.0, 100_000), 99_988..100_000, "the end, after rows went");
        assert_eq!(visible(0.0, 400.0, 20.0, 3), 0..3);
        assert_eq!(visible(0.0, 400.0, 0.0, 3), 0..0);
        assert_eq!(visible(-50.0, 400.0, 20.0, 5), 0..5, "pulled beyond the top");
    }

    #[test]
    fn nearly_the_end_is_the_end() {
        assert!(is_at_end(1_590.0, 400.0, 2_000.0));
        assert!(!is_at_end(1_500.0, 400.0, 2_000.0));
        assert!(is_at_end(0.0, 400.0, 100.0), "all of it is in sight");
    }
}
