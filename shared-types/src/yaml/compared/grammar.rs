//! Generates texts as people write them, and unusual ones: all styles, anchors, aliases, merges, comments, line ends.

mod writer;

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use self::writer::Writer;
use super::super::pyyaml_table::TABLE;

/// A value, before it is written.
#[derive(Debug, Clone)]
enum Node {
    /// Written as it is.
    Plain(String),
    /// Written over several lines.
    Folded(Vec<String>),
    Single(Vec<String>),
    Double(Vec<String>),
    Block(Block),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    FlowList(Vec<Node>),
    FlowMap(Vec<(Key, Node)>),
    Anchored(Box<Node>),
    Alias(Index),
    Tagged(&'static str, Box<Node>),
}

/// A block of lines, `|` or `>`.
#[derive(Debug, Clone)]
struct Block {
    sign: char,
    chomp: &'static str,
    /// Whether the header says how deep it is indented.
    is_explicit: bool,
    lines: Vec<String>,
}

#[derive(Debug, Clone)]
enum Key {
    Plain(String),
    Quoted(String),
    /// `<<` with any value.
    Merge,
    /// `<<` with aliases of maps.
    MergeOf(Vec<Index>),
}

/// How a text is written.
#[derive(Debug, Clone)]
struct Manner {
    step: usize,
    /// Whether lists stand as deep as the key they belong to.
    are_lists_flush: bool,
    line_end: &'static str,
    begin: &'static str,
    end: &'static str,
    comments: Vec<Option<&'static str>>,
}

/// Texts that mostly are maps.
pub(super) fn texts() -> impl Strategy<Value = String> {
    (pairs(nodes().boxed(), 7), manners()).prop_map(|(map, manner)| Writer::new(&manner).document(&map))
}

fn manners() -> impl Strategy<Value = Manner> {
    let comments = vec(option::weighted(0.15, select(&[" # c", "\n# c: d", "\n", "\n  ", "\n    # e"][..])), 1..12);
    (
        2..5_usize,
        any::<bool>(),
        prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")],
        prop_oneof![8 => Just(""), 1 => Just("---\n"), 1 => Just("# a\n\n"), 1 => Just("\u{feff}"), 1 => Just("%YAML 1.1\n---\n")],
        prop_oneof![8 => Just("\n"), 3 => Just(""), 1 => Just("\n\n"), 1 => Just("\n...\n"), 1 => Just("\n# z")],
        comments,
    )
        .prop_map(|(step, are_lists_flush, line_end, begin, end, comments)| Manner {
            step,
            are_lists_flush,
            line_end,
            begin,
            end,
            comments,
        })
}

/// Pairs of a map, mostly without a key that stands twice.
fn pairs(node: BoxedStrategy<Node>, most: usize) -> impl Strategy<Value = Vec<(Key, Node)>> {
    (vec((keys(), node), 0..most), prop::bool::weighted(0.02)).prop_map(|(mut pairs, may_repeat)| {
        let mut seen = HashSet::new();
        pairs.retain(|(key, _)| seen.insert(key.text()) || may_repeat);
        pairs
    })
}

impl Key {
    fn text(&self) -> String {
        match self {
            Self::Plain(text) | Self::Quoted(text) => text.clone(),
            Self::Merge | Self::MergeOf(_) => "<<".to_owned(),
        }
    }
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        120 => "[a-f]".prop_map(Key::Plain),
        30 => "[a-zA-Z_][a-zA-Z0-9_. -]{0,8}[a-z]".prop_map(Key::Plain),
        20 => "['a-c: #éλ~<=-]{0,5}".prop_map(Key::Quoted),
        6 => select(TABLE).prop_map(|(text, _)| Key::Plain(text.to_owned())),
        20 => "(0|1|-?[1-9][0-9]{0,3}|1\\.0|0x1|-?[0-9]\\.[0-9]{1,2}|true|no|~|2001-0[1-9]-1[0-9])".prop_map(Key::Plain),
        1 => Just(Key::Merge),
        30 => vec(any::<Index>(), 1..3).prop_map(Key::MergeOf),
    ]
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        4 => plain().prop_map(Node::Plain),
        1 => vec("[a-z][a-z0-9.:'\"#-]{0,5}( [a-z0-9][a-z0-9#-]{0,3})?", 2..4).prop_map(Node::Folded),
        1 => vec(pieces("''"), 1..4).prop_map(Node::Single),
        2 => vec(pieces("\\\""), 1..4).prop_map(Node::Double),
        2 => blocks().prop_map(Node::Block),
        1 => any::<Index>().prop_map(Node::Alias),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let pairs = || pairs(inner.clone(), 5);
        prop_oneof![
            2 => vec(inner.clone(), 0..5).prop_map(Node::List),
            4 => pairs().prop_map(Node::Map),
            1 => vec(inner.clone(), 0..4).prop_map(Node::FlowList),
            1 => pairs().prop_map(Node::FlowMap),
            2 => inner.clone().prop_map(|node| Node::Anchored(Box::new(node))),
            1 => (select(&["!!pairs", "!!omap"][..]), vec(("[a-f1-3]", inner.clone()), 0..4)).prop_map(|(tag, pairs)| {
                let item = |(key, node)| Node::FlowMap(vec![(Key::Plain(key), node)]);
                Node::Tagged(tag, Box::new(Node::List(pairs.into_iter().map(item).collect())))
            }),
            1 => (select(TAGS), prop::bool::weighted(0.05), inner.clone()).prop_map(|(tag, may_misfit, node)| {
                let tag = if may_misfit { tag } else { fitting(&node) };
                Node::Tagged(tag, Box::new(node))
            }),
        ]
    })
}

const TAGS: &[&str] = &[
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!map",
    "!!seq",
    "!!set",
    "!!omap",
    "!!pairs",
    "!!timestamp",
    "!!binary",
    "!unsafe",
    "!",
    "!x",
];

/// A tag that may stand before a node.
fn fitting(node: &Node) -> &'static str {
    match node {
        Node::List(_) | Node::FlowList(_) => "!!seq",
        Node::FlowMap(pairs) if pairs.len() == 2 => "!!set",
        Node::Map(_) | Node::FlowMap(_) => "!!map",
        Node::Single(lines) if lines.len() == 2 => "!unsafe",
        Node::Single(_) => "!",
        Node::Plain(_) | Node::Folded(_) | Node::Double(_) | Node::Block(_) => "!!str",
        // None of these may have a second anchor or tag.
        Node::Anchored(_) | Node::Alias(_) | Node::Tagged(..) => "",
    }
}

/// Texts without quotes: all forms that YAML 1.1 gives a type, and near misses.
fn plain() -> impl Strategy<Value = String> {
    prop_oneof![
        30 => select(TABLE).prop_filter("a value", |(_, value)| value.is_some()).prop_map(|(text, _)| text.to_owned()),
        1 => select(TABLE).prop_map(|(text, _)| text.to_owned()),
        24 => "[a-zA-Z/.][a-zA-Z0-9_./:@-]{0,10}",
        8 => "[a-z]{1,4}( [a-z0-9#:'\",=-]{1,3}[a-z]){1,3}",
        16 => "[-+]?[0-9][0-9_]{0,4}([.:][0-9_]{0,3}){0,3}([eE][-+]?[0-9]{1,2})?",
        8 => "[-+]?0[xbo]?[0-9a-fA-F_]{0,6}",
        4 => "[-+]?([1-9][0-9_]{16,40}|0x[0-9a-f]{14,40}|0b[01]{60,80}|0[0-7]{20,30}|[1-9][0-9]{15,25}:[0-5][0-9])",
        2 => "[1-9]\\.[0-9]e[-+][0-9]{3}",
        8 => "[-+.0-9:_eExT]{1,9}",
        1 => "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ]+[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,8})?( ?(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?)?",
        8 => "2[0-9]{3}-(0[1-9]|1[0-2])-[0-2][0-9]([Tt ][01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?(Z|[-+]0[0-9](:[0-5][0-9])?)?)?",
        8 => "(yes|no|on|off|true|false|null|y|n|Yes|NO|On|oFF|~|\\.inf|-\\.Inf|\\.nan|=|<<)",
        8 => Just(String::new()),
    ]
}

/// A line of a quoted text; `quote` is how a quote is written in it.
fn pieces(quote: &'static str) -> impl Strategy<Value = String> {
    let common = prop_oneof![
        4 => "[a-z0-9]{1,4}",
        2 => select(&[" ", "  ", ": ", " #", "- ", "? ", "{", "}", "[", "]", ",", "|", "&a", "*a", "!", "%", "@", "`", "é", "😀", "\u{a0}", "---"][..])
            .prop_map(str::to_owned),
        1 => Just(quote.to_owned()),
    ];
    let escape = select(
        &[
            "\\n",
            "\\t",
            "\\\\",
            "\\x41",
            "\\u00e9",
            "\\U0001F600",
            "\\/",
            "\\e",
            "\\0",
            "\\a",
            "\\b",
            "\\v",
            "\\f",
            "\\r",
            "\\ ",
            "\\N",
            "\\_",
            "\\L",
            "\\P",
        ][..],
    )
    .prop_map(str::to_owned);
    let piece = if quote == "''" {
        common.boxed()
    } else {
        prop_oneof![160 => common, 40 => escape, 1 => Just("\\q".to_owned()), 1 => Just("\\x4".to_owned())].boxed()
    };
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn blocks() -> impl Strategy<Value = Block> {
    let line = prop_oneof![
        5 => "[a-zA-Z0-9#:'\"&*!{}\\[\\],%@é-]{1,6}( [a-z#:-]{1,4}){0,2}",
        2 => Just(String::new()),
        1 => " {1,3}[a-z-]{1,4}",
        1 => "[a-z]{1,3} {1,2}",
        1 => " {1,3}",
    ];
    let chomp = select(&["", "-", "+"][..]);
    (select(&['|', '>'][..]), chomp, any::<bool>(), vec(line, 0..5))
        .prop_map(|(sign, chomp, is_explicit, lines)| Block { sign, chomp, is_explicit, lines })
}
