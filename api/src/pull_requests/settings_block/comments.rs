//! Removes HTML comments from Markdown.

/// The state while the lines of a text are read in order.
#[derive(Debug)]
pub(super) struct Comments {
    is_open: bool,
    /// The index of the line and the byte of the text's last `-->`.
    last_end: Option<(usize, usize)>,
}

impl Comments {
    /// The state before the first of these lines.
    pub(super) fn of(lines: &[&str]) -> Self {
        let mut ends = lines.iter().enumerate().filter_map(|(at, line)| line.rfind("-->").map(|byte| (at, byte)));
        Self { is_open: false, last_end: ends.next_back() }
    }

    /// Whether the next line begins inside a comment.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The line at an index without comments. `<!--` is text inside backticks, and if no `-->` follows, unless it
    /// begins the line.
    pub(super) fn taken_out(&mut self, index: usize, line: &str) -> String {
        let mut shown = String::with_capacity(line.len());
        let (mut at, mut ticks) = (0, 0);
        loop {
            let left = line.get(at..).unwrap_or_default();
            if self.is_open {
                let Some(end) = left.find("-->") else { return shown };
                self.is_open = false;
                at += end + "-->".len();
                continue;
            }
            let Some((before, _)) = left.split_once("<!--") else {
                shown.push_str(left);
                return shown;
            };
            shown.push_str(before);
            ticks += before.matches('`').count();
            let mark = at + before.len();
            let begins_line = at == 0 && before.len() <= 3 && before.trim_start_matches(' ').is_empty();
            // `<!-->` is a complete comment: its end may share the hyphens of its beginning.
            let may_end = self.last_end >= Some((index, mark + "<!".len()));
            self.is_open = ticks % 2 == 0 && (begins_line || may_end);
            at = mark + if self.is_open { "<!" } else { "<!--" }.len();
            if !self.is_open {
                shown.push_str("<!--");
            }
        }
    }
}
