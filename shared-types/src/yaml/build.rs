//! Builds the value from the parser's events, within bounds: an alias costs as much as what it repeats.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Value, json};

use super::pad::padded;
use super::tags::{self, Shape};
use super::text::{check_text, open_end, without_blank_end};
use super::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, YamlError, typed, words};

/// How many bytes of text all values may have together, those that aliases repeat counted each time.
const MAX_EXPANDED_BYTES: usize = 4 * MAX_BYTES;

/// The most surprises that are kept.
pub(super) const MAX_SURPRISES: usize = 50;

/// A document's value and where it begins.
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) surprises: Vec<Surprise>,
}

/// A place that is read, but perhaps not as its author expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surprise {
    /// The line, counted from 1.
    pub(super) line: usize,
    pub(super) what: String,
}

/// Reads the one document of a text; `None` when there is no value at all.
pub(super) fn document(text: &str) -> Result<Option<Document>, YamlError> {
    let text = without_blank_end(text.strip_prefix('\u{feff}').unwrap_or(text));
    check_text(text)?;
    let read = Builder::of(text).stream();
    match read {
        Err(error) if words::is_about_indentation(&error.message) => match padded(text) {
            Some(padded) => Builder::of(&padded.text).stream().map_err(|error| padded.original(error)),
            None => Err(error),
        },
        read => read,
    }
}

struct Builder<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// Where the text ends, in characters, when its last line is not ended.
    open_end: Option<usize>,
    anchors: HashMap<usize, Anchored>,
    /// How many values were made so far, and how many bytes their texts have.
    values: usize,
    bytes: usize,
    surprises: Vec<Surprise>,
}

/// A value, and how many levels of maps and lists it has.
struct Built {
    value: Value,
    height: usize,
}

/// A value that aliases may repeat, and what each repetition costs.
struct Anchored {
    value: Value,
    height: usize,
    values: usize,
    bytes: usize,
}

enum Key {
    Merge,
    Name(String),
}

impl<'a> Builder<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            parser: Parser::new_from_str(text),
            open_end: open_end(text),
            anchors: HashMap::new(),
            values: 0,
            bytes: 0,
            surprises: Vec::new(),
        }
    }

    fn stream(&mut self) -> Result<Option<Document>, YamlError> {
        let mut documents = 0;
        let mut found = None;
        loop {
            let (event, span) = self.next()?;
            let at = span.start;
            match event {
                Event::StreamEnd => return Ok(found),
                Event::DocumentStart(_) if documents > 0 => {
                    return Err(error(at, "a second document begins here; only one is read"));
                }
                Event::DocumentStart(_) => documents += 1,
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
                Event::Scalar(ref text, ScalarStyle::Plain, _, None) if text.is_empty() => {}
                event @ (Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd) => {
                    let value = self.node(event, span, 0)?.value;
                    let surprises = std::mem::take(&mut self.surprises);
                    found = Some(Document { value, line: at.line(), column: at.col() + 1, surprises });
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Built, YamlError> {
        let at = span.start;
        let (values, bytes) = (self.values, self.bytes);
        let (anchor, built) = match event {
            Event::Alias(id) => return self.repeat(id, at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1, text.len(), at)?;
                let text = self.as_pyyaml_ends(&text, style, span);
                (anchor, Built { value: tags::scalar_value(text, style, tag.as_deref(), at)?, height: 0 })
            }
            Event::SequenceStart(anchor, tag) => {
                self.spend(1, 0, at)?;
                let (shape, is_secret) = tags::of_list(tag.as_deref(), depth, at)?;
                let built = self.list(depth + 1)?;
                (anchor, shaped(built, &shape, is_secret, at)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.spend(1, 0, at)?;
                let (shape, is_secret) = tags::of_map(tag.as_deref(), depth, at)?;
                let built = self.map(depth + 1)?;
                (anchor, shaped(built, &shape, is_secret, at)?)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(error(at, "a value is expected here")),
        };
        if anchor > 0 {
            self.remember(anchor, &built, self.values - values, self.bytes - bytes, at)?;
        }
        Ok(built)
    }

    fn list(&mut self, depth: usize) -> Result<Built, YamlError> {
        let mut list = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Built { value: Value::Array(list), height: height + 1 });
            }
            let item = self.node(event, span, depth)?;
            height = height.max(item.height);
            list.push(item.value);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Built, YamlError> {
        let (mut own, mut merged) = (Vec::new(), Map::new());
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Built { value: Value::Object(with_own(merged, own)), height: height + 1 });
            }
            let at = span.start;
            let key = self.key(event, span)?;
            let (event, span) = self.next()?;
            let value_at = span.start;
            let built = self.node(event, span, depth)?;
            height = height.max(built.height);
            match key {
                // Of several `<<` the later wins, of the maps in one the earlier, as in PyYAML.
                Key::Merge => merged = with_own(merged, merge_sources(built.value, value_at)?),
                Key::Name(name) => {
                    if let Some(line) = lines.insert(typed::identity(&name).into_owned(), at.line()) {
                        let name = typed::shown(&name);
                        self.surprised(
                            at,
                            format!(
                                "The key `{name}` stands in this map already, in line {line}. The last one counts."
                            ),
                        );
                    }
                    own.push((name, built.value));
                }
            }
        }
    }

    fn surprised(&mut self, at: Marker, what: String) {
        if self.surprises.len() < MAX_SURPRISES {
            self.surprises.push(Surprise { line: at.line(), what });
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<Key, YamlError> {
        let at = span.start;
        match &event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => {
                self.spend(1, 0, at)?;
                return Ok(Key::Merge);
            }
            // A plain `=` is a text where it is a key, to PyYAML.
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if text == "=" => return Ok(Key::Name("=".to_owned())),
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if text.is_empty() => {
                return Err(error(at, "a key is missing before this colon; write `null` or `\"\"` for an empty one"));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(error(at, "a key must be a scalar; this is a map or a list"));
            }
            Event::Scalar(_, _, _, Some(tag)) if tags::is_secret(tag) => {
                return Err(error(at, "`!secret` marks a value, and this is a key; write it behind the colon"));
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceEnd
            | Event::MappingEnd => {}
        }
        let value = self.node(event, span, 0)?.value;
        if typed::has_mark(&value) {
            return Err(error(at, "a secret cannot be a key"));
        }
        let Some(key) = typed::key_of(&value) else {
            return Err(error(at, "a key must be a scalar; this is a map or a list"));
        };
        if matches!(value, Value::Bool(_) | Value::Null) {
            let name = typed::shown(&key);
            self.surprised(
                at,
                format!("This key is read as `{name}`, which is no text. Put it in quotes to keep it as a text."),
            );
        }
        if key == tags::NOT_A_NUMBER {
            return Err(error(
                at,
                "not-a-number equals nothing, so it can be no key; put it in quotes to keep it as a text",
            ));
        }
        Ok(Key::Name(key))
    }

    /// Keeps a copy for aliases. The copy counts toward the limits, or nested anchors would multiply without limit.
    fn remember(
        &mut self,
        anchor: usize,
        built: &Built,
        values: usize,
        bytes: usize,
        at: Marker,
    ) -> Result<(), YamlError> {
        self.spend(values, bytes, at)?;
        self.anchors.insert(anchor, Anchored { value: built.value.clone(), height: built.height, values, bytes });
        Ok(())
    }

    fn repeat(&mut self, id: usize, at: Marker, depth: usize) -> Result<Built, YamlError> {
        let Some(anchored) = self.anchors.get(&id) else {
            return Err(error(at, "this alias repeats what it is a part of; that has no end"));
        };
        let (values, bytes, height) = (anchored.values, anchored.bytes, anchored.height);
        if depth + height > MAX_DEPTH {
            return Err(error(at, words::too_deep()));
        }
        // Count the copy before it is made.
        self.spend(values, bytes, at)?;
        let value = self.anchors.get(&id).map_or(Value::Null, |anchored| anchored.value.clone());
        Ok(Built { value, height })
    }

    fn spend(&mut self, values: usize, bytes: usize, at: Marker) -> Result<(), YamlError> {
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.values > MAX_VALUES {
            return Err(error(at, format!("more than {MAX_VALUES} values, those counted that aliases repeat")));
        }
        if self.bytes > MAX_EXPANDED_BYTES {
            return Err(error(at, format!("more than {MAX_EXPANDED_BYTES} bytes, those counted that aliases repeat")));
        }
        Ok(())
    }

    /// A text block that ends with the text, in a line that is not ended, has no newline at its end.
    fn as_pyyaml_ends<'t>(&self, text: &'t str, style: ScalarStyle, span: Span) -> &'t str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if is_block && self.open_end == Some(span.end.index()) { text.strip_suffix('\n').unwrap_or(text) } else { text }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(fault)) => {
                let (line, column) = (fault.marker().line(), fault.marker().col() + 1);
                let (line, column) = words::position(self.text, fault.info(), line, column);
                Err(YamlError { line, column, message: words::in_words(fault.info()) })
            }
            None => Err(error(Marker::new(0, 1, 0), "the text ends too early")),
        }
    }
}

/// Adds a map's own entries to the merged ones: an own key replaces the merged key, in its place, as in PyYAML.
fn with_own(mut merged: Map<String, Value>, own: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut known = typed::identities(&merged);
    for (key, value) in own {
        typed::insert(&mut merged, &mut known, key, value);
    }
    merged
}

fn shaped(built: Built, shape: &Shape, is_secret: bool, at: Marker) -> Result<Built, YamlError> {
    let Built { value, height } = built;
    let value = match shape {
        Shape::Plain => value,
        Shape::Set => json!({ typed::SET: tags::members(value) }),
        Shape::Pairs(name) => json!({ *name: tags::pairs(value, at)? }),
    };
    let height = if matches!(shape, Shape::Plain) { height } else { height + 1 };
    Ok(Built { value: if is_secret { typed::marked(value) } else { value }, height })
}

/// The entries that `<<` merges: of several maps, the earlier wins.
fn merge_sources(value: Value, at: Marker) -> Result<Map<String, Value>, YamlError> {
    let wrong = || error(at, "`<<` needs a map or a list of maps");
    let sources = match value {
        Value::Object(map) if !typed::is_collection(&map) => return Ok(map),
        Value::Array(sources) => sources,
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(wrong()),
    };
    let mut merged = Map::new();
    for source in sources.into_iter().rev() {
        let Value::Object(source) = source else { return Err(wrong()) };
        merged = with_own(merged, source);
    }
    Ok(merged)
}

pub(super) fn error(at: Marker, message: impl Into<String>) -> YamlError {
    YamlError { line: at.line(), column: at.col() + 1, message: message.into() }
}
