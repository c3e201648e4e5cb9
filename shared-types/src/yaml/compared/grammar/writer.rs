//! Writes generated values as a text, in one style.

use proptest::sample::Index;

use super::{Block, Key, Manner, Node};

pub(super) struct Writer<'a> {
    manner: &'a Manner,
    out: String,
    /// The anchors that are complete, and whether they are maps.
    anchors: Vec<(String, bool)>,
    begun: usize,
    lines: usize,
    /// How many brackets are open.
    flows: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(manner: &'a Manner) -> Self {
        Self { manner, out: String::new(), anchors: Vec::new(), begun: 0, lines: 0, flows: 0 }
    }

    pub(super) fn document(mut self, map: &[(Key, Node)]) -> String {
        if map.is_empty() {
            return String::new();
        }
        self.map(map, 0, true);
        let body = format!("{}{}{}", self.manner.begin, self.out, self.manner.end);
        // Spaces at the end are read differently on purpose.
        body.trim_end_matches(' ').replace('\n', self.manner.line_end)
    }

    /// Ends a line and begins the next one. `may_comment`: the line is not inside a text, so a comment may follow.
    fn line(&mut self, indent: usize, may_comment: bool) {
        let comments = &self.manner.comments;
        let comment = comments.get(self.lines % comments.len()).copied().flatten();
        self.lines += 1;
        if let Some(comment) = comment.filter(|_| may_comment) {
            self.out.push_str(comment);
        }
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent));
    }

    /// Writes pairs a line each. `is_begun`: the first line's indentation is written.
    fn map(&mut self, pairs: &[(Key, Node)], indent: usize, is_begun: bool) {
        let mut may_comment = !is_begun;
        for (index, (key, node)) in pairs.iter().enumerate() {
            if index > 0 || !is_begun {
                self.line(indent, may_comment);
            }
            may_comment = !ends_in_block(node);
            self.key(key);
            self.out.push(':');
            match key {
                Key::MergeOf(anchors) => {
                    self.merge(anchors);
                    may_comment = true;
                }
                Key::Plain(_) | Key::Quoted(_) | Key::Merge => self.value(node, indent, false),
            }
        }
    }

    fn list(&mut self, items: &[Node], indent: usize, is_begun: bool) {
        let mut may_comment = !is_begun;
        for (index, node) in items.iter().enumerate() {
            if index > 0 || !is_begun {
                self.line(indent, may_comment);
            }
            may_comment = !ends_in_block(node);
            self.out.push('-');
            self.value(node, indent, true);
        }
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Plain(text) => self.out.push_str(text),
            Key::Quoted(text) => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\'', "''"));
                self.out.push('\'');
            }
            Key::Merge | Key::MergeOf(_) => self.out.push_str("<<"),
        }
    }

    /// Writes what `<<` merges.
    fn merge(&mut self, wanted: &[Index]) {
        let maps: Vec<_> = self.anchors.iter().filter(|(_, is_map)| *is_map).map(|(name, _)| name.clone()).collect();
        if maps.is_empty() {
            return self.out.push_str(" {a: 1, z: [2]}");
        }
        let names: Vec<_> = wanted.iter().map(|index| format!("*{}", index.get(&maps))).collect();
        let text = if names.len() == 1 { names.concat() } else { format!("[{}]", names.join(", ")) };
        self.out.push(' ');
        self.out.push_str(&text);
    }

    /// Writes what follows a key's colon or an item's hyphen, which stands at `indent`.
    fn value(&mut self, node: &Node, indent: usize, in_list: bool) {
        let deeper = indent + self.manner.step;
        match node {
            Node::Map(pairs) if !pairs.is_empty() => {
                if in_list {
                    self.out.push(' ');
                    self.map(pairs, indent + 2, true);
                } else {
                    self.map(pairs, deeper, false);
                }
            }
            Node::List(items) if !items.is_empty() => {
                if in_list {
                    self.out.push(' ');
                    self.list(items, indent + 2, true);
                } else {
                    self.list(items, if self.manner.are_lists_flush { indent } else { deeper }, false);
                }
            }
            Node::Anchored(node) => self.anchored(node, |writer| {
                // A map may not begin on the line of its anchor.
                writer.value(node, indent, false);
            }),
            Node::Tagged(tag, node) => {
                self.out.push(' ');
                self.out.push_str(tag);
                self.value(node, indent, false);
            }
            Node::Block(block) => self.block(block, indent),
            Node::Plain(text) if text.is_empty() => {}
            Node::Plain(_)
            | Node::Folded(_)
            | Node::Single(_)
            | Node::Double(_)
            | Node::List(_)
            | Node::Map(_)
            | Node::FlowList(_)
            | Node::FlowMap(_)
            | Node::Alias(_) => {
                self.out.push(' ');
                self.inline(node, deeper);
            }
        }
    }

    fn anchored(&mut self, node: &Node, write: impl FnOnce(&mut Self)) {
        // An anchor's name may be used again.
        let name = format!("n{}", self.begun % 7);
        self.begun += 1;
        self.out.push_str(" &");
        self.out.push_str(&name);
        self.anchors.retain(|(other, _)| *other != name);
        write(self);
        self.anchors.push((name, matches!(node, Node::Map(pairs) | Node::FlowMap(pairs) if !pairs.is_empty())));
    }

    fn block(&mut self, block: &Block, indent: usize) {
        let deeper = indent + self.manner.step;
        self.out.push(' ');
        self.out.push(block.sign);
        // Spaces at the beginning would be read as indentation, unless the header says how deep that is.
        let first = block.lines.iter().find(|line| !line.is_empty());
        if block.is_explicit || first.is_some_and(|line| line.starts_with(' ')) {
            self.out.push_str(&self.manner.step.to_string());
        }
        self.out.push_str(block.chomp);
        for line in &block.lines {
            self.out.push('\n');
            if !line.is_empty() {
                self.out.push_str(&" ".repeat(deeper));
                self.out.push_str(line);
            }
        }
    }

    /// Writes a value within a line. Continuation lines are indented by `indent`.
    fn inline(&mut self, node: &Node, indent: usize) {
        let folded = |lines: &[String]| lines.join(&format!("\n{}", " ".repeat(indent)));
        match node {
            // Inside brackets, the two grammars allow different texts without quotes.
            Node::Plain(text)
                if self.flows > 0 && (text.starts_with([':', '!']) || text.contains(',') || text == "-") =>
            {
                self.out.push_str(&format!("'{text}'"))
            }
            Node::Plain(text) => self.out.push_str(text),
            Node::Folded(lines) => self.out.push_str(&folded(lines)),
            Node::Single(lines) => self.out.push_str(&format!("'{}'", folded(lines))),
            Node::Double(lines) => self.out.push_str(&format!("\"{}\"", folded(lines))),
            Node::Block(block) => self.out.push_str(&format!("'{}'", block.lines.concat().replace('\'', "''"))),
            Node::List(items) | Node::FlowList(items) => self.flow_list(items, indent),
            Node::Map(pairs) | Node::FlowMap(pairs) => self.flow_map(pairs, indent),
            Node::Anchored(node) => {
                self.anchored(node, |writer| {
                    writer.out.push(' ');
                    writer.inline(node, indent);
                });
            }
            Node::Alias(index) if self.anchors.is_empty() => {
                self.out.push_str(if index.index(2) == 0 { "~" } else { "''" })
            }
            Node::Alias(index) => {
                let (name, _) = index.get(&self.anchors);
                self.out.push_str(&format!("*{name}"));
            }
            Node::Tagged(tag, node) => {
                self.out.push_str(tag);
                self.out.push(' ');
                // Otherwise PyYAML would read the closing bracket as a part of the tag.
                if matches!(node.as_ref(), Node::Plain(text) if text.is_empty()) {
                    self.out.push_str("''");
                } else {
                    self.inline(node, indent);
                }
            }
        }
    }

    fn flow_list(&mut self, items: &[Node], indent: usize) {
        self.out.push('[');
        self.flows += 1;
        for (index, item) in items.iter().enumerate() {
            self.separate(index, indent);
            self.inline(item, indent);
        }
        self.out.push(']');
        self.flows -= 1;
    }

    fn flow_map(&mut self, pairs: &[(Key, Node)], indent: usize) {
        self.out.push('{');
        self.flows += 1;
        for (index, (key, node)) in pairs.iter().enumerate() {
            self.separate(index, indent);
            self.key(key);
            self.out.push(':');
            if let Key::MergeOf(anchors) = key {
                self.merge(anchors);
            } else {
                self.out.push(' ');
                self.inline(node, indent);
            }
        }
        self.out.push('}');
        self.flows -= 1;
    }

    fn separate(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.out.push(',');
            if index % 3 == 2 { self.line(indent, true) } else { self.out.push(' ') }
        }
    }
}

/// Whether a comment after the node would be part of its text.
fn ends_in_block(node: &Node) -> bool {
    match node {
        Node::Block(_) => true,
        Node::Anchored(node) | Node::Tagged(_, node) => ends_in_block(node),
        Node::List(items) => items.last().is_some_and(ends_in_block),
        Node::Map(pairs) => pairs.last().is_some_and(|(_, node)| ends_in_block(node)),
        Node::Plain(_)
        | Node::Folded(_)
        | Node::Single(_)
        | Node::Double(_)
        | Node::FlowList(_)
        | Node::FlowMap(_)
        | Node::Alias(_) => false,
    }
}
