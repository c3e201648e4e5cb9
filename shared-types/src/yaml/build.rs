//! Builds the value from the parser's events, within bounds: an alias costs as much as what it repeats.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::scalar::{self, Plain};
use super::text::{check_text, open_end, without_blank_end};
use super::words;
use super::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, YamlError};

/// How many bytes of text all values may have together, those that aliases repeat counted each time.
const MAX_EXPANDED_BYTES: usize = 4 * MAX_BYTES;

const CORE_TAGS: &str = "tag:yaml.org,2002:";

/// A document's value and where it begins.
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Reads the one document of a text; `None` when there is no value at all.
pub(super) fn document(text: &str) -> Result<Option<Document>, YamlError> {
    let text = without_blank_end(text.strip_prefix('\u{feff}').unwrap_or(text));
    check_text(text)?;
    let mut builder = Builder {
        text,
        parser: Parser::new_from_str(text),
        open_end: open_end(text),
        anchors: HashMap::new(),
        values: 0,
        bytes: 0,
    };
    builder.stream()
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
                    found = Some(Document { value, line: at.line(), column: at.col() + 1 });
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
                (anchor, Built { value: scalar_value(text, style, tag.as_deref(), at)?, height: 0 })
            }
            Event::SequenceStart(anchor, tag) => {
                self.spend(1, 0, at)?;
                check_collection(tag.as_deref(), "seq", depth, at)?;
                (anchor, self.list(depth + 1)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.spend(1, 0, at)?;
                check_collection(tag.as_deref(), "map", depth, at)?;
                (anchor, self.map(depth + 1)?)
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
        let mut own = Map::new();
        let mut merged: Option<Map<String, Value>> = None;
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                // A key of the map's own wins over a merged one and takes its place, as in PyYAML.
                let mut map = merged.unwrap_or_default();
                map.extend(own);
                return Ok(Built { value: Value::Object(map), height: height + 1 });
            }
            let at = span.start;
            let key = self.key(event, span)?;
            let (event, span) = self.next()?;
            let value_at = span.start;
            let built = self.node(event, span, depth)?;
            height = height.max(built.height);
            match key {
                Key::Merge if merged.is_some() => {
                    return Err(error(at, "`<<` may stand once in a map; give it a list: `<<: [*a, *b]`"));
                }
                Key::Merge => merged = Some(merge_sources(built.value, value_at)?),
                Key::Name(name) => {
                    if let Some(line) = lines.insert(name.clone(), at.line()) {
                        return Err(error(at, format!("the key `{name}` stands in this map already, in line {line}")));
                    }
                    own.insert(name, built.value);
                }
            }
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
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(error(at, "a key must be a text; this is a map or a list"));
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
        let shown = match self.node(event, span, 0)?.value {
            Value::String(name) => return Ok(Key::Name(name)),
            Value::Null => "null".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => format!("the number {number}"),
            Value::Array(_) | Value::Object(_) => "a map or a list".to_owned(),
        };
        Err(error(at, format!("a key must be a text, and this is read as {shown}; put it in quotes")))
    }

    /// Keeps a copy for aliases. The copy is paid for too, or anchors inside anchors would multiply for nothing.
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
        // Paid before it is copied.
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

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Marker) -> Result<Value, YamlError> {
    match tag_name(tag, at)? {
        Some(name) => scalar::resolve_tagged(&name, text).map_err(|message| error(at, message)),
        None if tag.is_none() && style != ScalarStyle::Plain => Ok(Value::String(text.to_owned())),
        // The tag `!` makes PyYAML read a quoted text as a plain one, over a newline at its end.
        None if text.strip_suffix('\n').is_some_and(|text| !text.is_empty() && !scalar::is_text(text)) => {
            Err(error(at, "the tag `!` does not fit this value; without it, it is a text"))
        }
        None => match scalar::resolve(text) {
            Ok(Plain::Value(value)) => Ok(value),
            Ok(Plain::Merge) => Err(error(at, "`<<` merges where it is a key; put it in quotes to keep it as a text")),
            Err(message) => Err(error(at, message)),
        },
    }
}

fn check_collection(tag: Option<&Tag>, wanted: &str, depth: usize, at: Marker) -> Result<(), YamlError> {
    if depth >= MAX_DEPTH {
        return Err(error(at, words::too_deep()));
    }
    match tag_name(tag, at)? {
        Some(name) if name != wanted => {
            // A core tag that does not fit, or one that is not allowed at all.
            let message = scalar::resolve_tagged(&name, "").err();
            Err(error(at, message.unwrap_or_else(|| format!("the tag `!!{name}` does not fit this value"))))
        }
        Some(_) | None => Ok(()),
    }
}

/// The name of a core tag; `None` without one and for the tag `!`, which names none.
fn tag_name(tag: Option<&Tag>, at: Marker) -> Result<Option<String>, YamlError> {
    let Some(tag) = tag else { return Ok(None) };
    let whole = format!("{}{}", tag.handle, tag.suffix);
    if whole == "!" {
        return Ok(None);
    }
    match whole.strip_prefix(CORE_TAGS) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(error(at, scalar::unknown_tag(&whole))),
    }
}

/// What `<<` brings: of several maps, the earlier wins.
fn merge_sources(value: Value, at: Marker) -> Result<Map<String, Value>, YamlError> {
    let wrong = || error(at, "`<<` needs a map or a list of maps");
    let sources = match value {
        Value::Object(map) => return Ok(map),
        Value::Array(sources) => sources,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(wrong()),
    };
    let mut merged = Map::new();
    for source in sources.into_iter().rev() {
        let Value::Object(source) = source else { return Err(wrong()) };
        merged.extend(source);
    }
    Ok(merged)
}

fn error(at: Marker, message: impl Into<String>) -> YamlError {
    YamlError { line: at.line(), column: at.col() + 1, message: message.into() }
}
