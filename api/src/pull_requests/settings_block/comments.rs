//! HTML comments in Markdown, as far as they hide what is in them.

/// Where one is in a text, line by line.
#[derive(Debug)]
pub(super) struct Comments {
    is_open: bool,
    /// Line and byte of the text's last `-->`.
    last_end: Option<(usize, usize)>,
}

impl Comments {
    /// Before the first of these lines.
    pub(super) fn of(lines: &[&str]) -> Self {
        let mut ends = lines.iter().enumerate().filter_map(|(at, line)| line.rfind("-->").map(|byte| (at, byte)));
        Self { is_open: false, last_end: ends.next_back() }
    }

    /// Whether the next line begins inside a comment.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The line at an index without what is in comments. `<!--` is text inside backticks, and where no `-->` follows, unless
    /// it begins the line.
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
            // `<!-->` is over at once, so the end may share the beginning's hyphens.
            let may_end = self.last_end >= Some((index, mark + "<!".len()));
            self.is_open = ticks % 2 == 0 && (begins_line || may_end);
            at = mark + if self.is_open { "<!" } else { "<!--" }.len();
            if !self.is_open {
                shown.push_str("<!--");
            }
        }
    }
}
