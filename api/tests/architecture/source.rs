//! A reader of the paths in Rust source: use trees, paths in expressions and types, inline modules. Comments, strings
//! and character literals are skipped.

use std::collections::{BTreeMap, BTreeSet};

/// The segments of a path below the crate's root.
pub(super) type Path = Vec<String>;

/// The paths of a source file.
pub(super) struct Source {
    /// The file's module, below the crate's root.
    module: Path,
    /// The text, with blanks in place of comments, strings and character literals.
    pub(super) code: String,
    /// The same, with strings and character literals.
    text: String,
    /// Local names and the paths they were imported from, as written in the file.
    imports: BTreeMap<String, Path>,
    /// Every path in use declarations and elsewhere, with the inline modules that contain it.
    paths: Vec<(Vec<String>, Path)>,
}

impl Source {
    /// Reads the text of a file whose module is `module`.
    pub(super) fn read(module: &[String], text: &str) -> Self {
        let code = blanked(text, |_| true);
        let text = blanked(text, |first| first == '/');
        let inline = inline_modules(&code);
        let around = |at: usize| -> Vec<String> {
            inline.iter().filter(|m| (m.0..m.1).contains(&at)).map(|m| m.2.clone()).collect()
        };
        let (mut imports, mut paths, mut rest) = (BTreeMap::new(), Vec::new(), code.clone());
        for (start, end) in use_declarations(&code) {
            for (path, name) in use_tree(&code[start..end]) {
                imports.insert(name, path.clone());
                paths.push((around(start), path));
            }
            rest.replace_range(start..end, &" ".repeat(end - start));
        }
        paths.extend(paths_in(&rest).into_iter().map(|(at, path)| (around(at), path)));
        Self { module: module.to_vec(), code, text, imports, paths }
    }

    /// The text with its strings, with blanks in place of comments and inline modules of tests.
    pub(super) fn product(&self) -> String {
        let mut text = self.text.clone();
        for (start, end, _) in inline_modules(&self.code).into_iter().filter(|(.., name)| name.ends_with("tests")) {
            let blank: String = text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            text.replace_range(start..end, &blank);
        }
        text
    }

    /// The paths of this crate that the file uses, below its root.
    pub(super) fn named(&self) -> BTreeSet<Path> {
        self.paths.iter().filter_map(|(inline, path)| self.absolute(inline, path, 0)).collect()
    }

    /// The paths of another crate that the file uses; they begin with its name.
    pub(super) fn named_of(&self, other: &str) -> BTreeSet<Path> {
        let imported = |path: &Path| match self.imports.get(&path[0]) {
            Some(whole) if whole.len() > 1 || whole[0] != path[0] => [whole.as_slice(), &path[1..]].concat(),
            Some(_) | None => path.clone(),
        };
        self.paths.iter().map(|(_, path)| imported(path)).filter(|path| path[0] == other).collect()
    }

    fn absolute(&self, inline: &[String], path: &[String], depth: usize) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" | "super" => {
                let mut at = [self.module.as_slice(), inline].concat();
                let steps = path.iter().take_while(|name| matches!(name.as_str(), "self" | "super")).count();
                for _ in path[..steps].iter().filter(|name| *name == "super") {
                    at.pop()?;
                }
                at.extend_from_slice(&path[steps..]);
                Some(at)
            }
            // A chain of imports is short; a name that imports itself has no end.
            _ if depth > 4 => None,
            name => {
                let imported = self.imports.get(name).filter(|import| import[0] != name)?;
                let base = self.absolute(&[], imported, depth + 1)?;
                Some([base, rest.to_vec()].concat())
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text at the same length, with blanks in place of the comments, strings and character literals for whose first
/// character `is_blank` is true.
fn blanked(text: &str, is_blank: impl Fn(char) -> bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_no_code(&chars, at);
        if end == at {
            // Other characters become `_`, so that offsets count characters and bytes alike.
            out.push(if chars[at].is_ascii() { chars[at] } else { '_' });
            at += 1;
        } else {
            let is_kept = |c: &char| *c == '\n' || c.is_ascii() && !is_blank(chars[at]);
            out.extend(chars[at..end].iter().map(|c| if is_kept(c) { *c } else { ' ' }));
            at = end;
        }
    }
    out
}

/// The end of a comment, string or character literal that begins at `at`; `at` if there is none.
fn end_of_no_code(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    let is_inside_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if next(1) == '/' => at + chars[at..].iter().take_while(|c| **c != '\n').count(),
        '/' if next(1) == '*' => end_of_block(chars, at),
        '"' => end_of_string(chars, at + 1),
        'r' | 'b' | 'c' if !is_inside_word => {
            let prefix = chars[at..].iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
            let hashes = chars[at + prefix..].iter().take_while(|c| **c == '#').count();
            let opens = chars.get(at + prefix + hashes) == Some(&'"');
            let is_raw = chars[at..at + prefix].contains(&'r');
            match (opens, is_raw) {
                (true, true) => end_of_raw(chars, at + prefix + hashes + 1, hashes),
                (true, false) if hashes == 0 => end_of_string(chars, at + prefix + 1),
                (true | false, _) => at,
            }
        }
        '\'' if next(1) == '\\' => at + 3 + chars[at + 3..].iter().take_while(|c| **c != '\'').count() + 1,
        '\'' if next(2) == '\'' => at + 3,
        _ => at,
    }
}

fn end_of_block(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (1, start + 2);
    while depth > 0 && at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn end_of_string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn end_of_raw(chars: &[char], mut at: usize, hashes: usize) -> usize {
    let closes = |at: usize| chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    while at < chars.len() && !closes(at) {
        at += 1;
    }
    (at + 1 + hashes).min(chars.len())
}

/// All positions in the code at which `word` begins.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].ends_with(is_word) && !code[at + word.len()..].starts_with(is_word))
}

/// The spans and names of inline modules, outer before inner.
fn inline_modules(code: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for at in words(code, "mod") {
        let rest = code[at + 3..].trim_start();
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let body = rest[name.len()..].trim_start();
        if !name.is_empty() && body.starts_with('{') {
            let start = code.len() - body.len();
            found.push((start, start + matching_brace(body), name));
        }
    }
    found
}

/// The length of the text in braces at the beginning of `text`.
fn matching_brace(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The spans of all use declarations.
fn use_declarations(code: &str) -> Vec<(usize, usize)> {
    words(code, "use")
        .filter(|at| !code[..*at].trim_end().ends_with("::"))
        .filter_map(|at| code[at..].find(';').map(|len| (at + 3, at + len)))
        // `impl Trait + use<'a>` is no use declaration.
        .filter(|(start, _)| !code[*start..].trim_start().starts_with('<'))
        .collect()
}

/// Every path of a use tree, with its local name.
fn use_tree(text: &str) -> Vec<(Path, String)> {
    let mut leaves = Vec::new();
    branch(&[], text, &mut leaves);
    leaves
}

fn branch(prefix: &[String], text: &str, leaves: &mut Vec<(Path, String)>) {
    let text = text.trim();
    let (stem, group) = text.split_once('{').map_or((text, None), |(stem, group)| (stem, Some(group)));
    let (stem, alias) = stem.split_once(" as ").map_or((stem, None), |(stem, alias)| (stem, Some(alias.trim())));
    let mut path = prefix.to_vec();
    path.extend(stem.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
    if let Some(group) = group {
        let inner = group.trim_end().strip_suffix('}').unwrap_or(group);
        items(inner).for_each(|item| branch(&path, item, leaves));
        return;
    }
    if path.last().is_some_and(|name| name == "*" || (name == "self" && path.len() > 1)) {
        path.pop();
    }
    if let Some(last) = path.last() {
        let name = alias.unwrap_or(last).to_owned();
        leaves.push((path, name));
    }
}

/// The items of a group, separated by commas outside of inner groups.
fn items(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    group
        .split(move |c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .filter(|item| !item.trim().is_empty())
}

/// Every path with at least two segments, and its position.
fn paths_in(code: &str) -> Vec<(usize, Path)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(len) = code[at..].find("::") {
        let colons = at + len;
        let head = code[..colons].trim_end();
        let first = head.len() - head.chars().rev().take_while(|c| is_word(*c)).count();
        let mut path = vec![head[first..].to_owned()];
        let mut end = colons;
        while let Some(rest) = code[end..].trim_start().strip_prefix("::") {
            let name: String = rest.trim_start().chars().take_while(|c| is_word(*c)).collect();
            end = code.len() - rest.trim_start().len() + name.len();
            if name.is_empty() {
                break;
            }
            path.push(name);
        }
        // `pub(in crate::a)` limits visibility and uses nothing.
        let is_visibility = code[..first].trim_end().ends_with("(in");
        if !path[0].is_empty() && path.len() > 1 && !is_visibility {
            found.push((first, path));
        }
        at = end.max(colons + 2);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        text.split("::").map(str::to_owned).collect()
    }

    fn named(module: &str, text: &str) -> Vec<String> {
        Source::read(&path(module), text).named().into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn use_trees_are_resolved() {
        let text = "use crate::{db::{Db, words::{self, find}}, logs as log}; pub(crate) use super::super::http::*;";
        assert_eq!(
            named("a::b", text),
            ["db::Db", "db::words", "db::words::find", "http", "logs"],
            "groups, names, self and globs"
        );
    }

    #[test]
    fn paths_in_code_are_resolved() {
        let text = "pub(in crate::a) fn f() -> super::c::T { crate::db::find::<Vec<crate::logs::Line>>(self::g()) }";
        assert_eq!(named("a::b", text), ["a::b::g", "a::c::T", "db::find", "logs::Line"]);
    }

    #[test]
    fn names_that_were_imported_are_followed() {
        let text = "use crate::instances as here; use here::store; fn f() { store::builds::find() }";
        assert_eq!(named("a", text), ["instances", "instances::store", "instances::store::builds::find"]);
    }

    #[test]
    fn an_inline_module_is_a_module() {
        let text = "use super::x; mod tests { use super::*; fn f() { super::super::y::z() } } fn g() { super::w::v() }";
        assert_eq!(named("a::b", text), ["a::b", "a::w::v", "a::x", "a::y::z"]);
    }

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        let text = r####"
            // crate::one
            /* crate::two /* crate::three */ crate::four */
            const A: &str = "crate::five // \" crate::six";
            const B: &str = r#"crate::seven " crate::eight"#;
            const C: (char, char, &[u8]) = ('"', '\'', b"crate::nine");
            fn f<'a>(x: &'a str) -> crate::ten::T { "https://x"; crate::eleven::f() }
        "####;
        assert_eq!(named("a", text), ["eleven::f", "ten::T"]);
    }

    #[test]
    fn the_product_has_strings_but_no_comments_and_no_tests() {
        let text = "/// a\nconst B: &str = \"“b” // b\"; // c\nmod tests {\n    \"d\";\n}\nfn e() {}\n";
        let product = Source::read(&path("a"), text).product();
        let lines: Vec<_> = product.lines().map(str::trim).collect();
        assert_eq!(lines, ["", "const B: &str = \" b  // b\";", "mod tests", "", "", "fn e() {}"]);
    }

    #[test]
    fn names_of_another_crate_are_found() {
        let source = Source::read(&path("a"), "use shared_types::openedx::{self, Field}; fn f() { openedx::check() }");
        let found: Vec<_> = source.named_of("shared_types").into_iter().map(|path| path.join("::")).collect();
        assert_eq!(found, ["shared_types::openedx", "shared_types::openedx::Field", "shared_types::openedx::check"]);
    }
}
