//! A parser of Jinja's expressions, to find out whether a text is one and what it calls.
//!
//! It accepts every text that some release of Jinja reads as an expression, and a few others (operators have no
//! precedence here). A text is read up to the first `%}` outside of brackets, which would end a statement.

/// The most levels of nested brackets; deeper ones are not parsed.
const MAX_DEPTH: usize = 60;

/// The signs of operators and brackets, the longer ones first.
const SIGNS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",",
];

/// Signs between two operands.
const BINARY: &[&str] = &["+", "-", "~", "*", "/", "//", "%", "**", "==", "!=", ">", ">=", "<", "<="];

/// Words that are operators, or belong to one.
const WORDS: &[&str] = &["and", "or", "not", "in", "is", "if", "else"];

/// The token before a part of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Operand,
    Sign,
    Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Number,
    Text,
    Sign(&'static str),
}

/// The contents of an expression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    /// Whether something is called: `a(…)`, `a.b(…)`.
    pub(super) has_call: bool,
    /// The names of variables and functions.
    pub(super) names: Vec<&'a str>,
    /// The names of attributes: `b` of `a.b`.
    pub(super) attributes: Vec<&'a str>,
    /// Filters: `b` of `a | b`.
    pub(super) filters: Vec<&'a str>,
    /// Whether a value is taken by a computed name: `a[b]`.
    pub(super) has_subscript: bool,
    /// Whether brackets are nested deeper than [`MAX_DEPTH`], so that the other fields are incomplete.
    pub(super) is_too_deep: bool,
}

/// Parses a text; `None`: it is no expression.
pub(super) fn parse(text: &str) -> Option<Expression<'_>> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, found: Expression::default() };
    // A statement may end with a colon: `{% if a: %}`.
    let is_tuple = parser.tuple().is_some();
    parser.takes(Token::Sign(":"));
    let is_whole = is_tuple && parser.at == parser.tokens.len();
    (is_whole || parser.found.is_too_deep).then_some(parser.found)
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let (mut tokens, mut open, mut rest) = (Vec::new(), 0_usize, text);
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.get(first.len_utf8()..)?;
            continue;
        }
        if open == 0 && ["%}", "-%}", "+%}"].iter().any(|end| rest.starts_with(end)) {
            break;
        }
        let (token, length) = match first {
            '\'' | '"' => (Token::Text, quoted_length(rest, first)?),
            _ if first.is_ascii_digit() => {
                let is_index = text.strip_suffix(rest).is_some_and(|before| before.ends_with('.'));
                (Token::Number, number_length(rest, is_index))
            }
            _ if is_in_name(first) => {
                let length = rest.find(|c| !is_in_name(c)).unwrap_or(rest.len());
                (Token::Name(rest.get(..length)?), length)
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
                (Token::Sign(sign), sign.len())
            }
        };
        match token {
            Token::Sign("(" | "[" | "{") => open += 1,
            Token::Sign(")" | "]" | "}") => open = open.saturating_sub(1),
            Token::Sign(_) | Token::Name(_) | Token::Number | Token::Text => {}
        }
        tokens.push(token);
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of a quoted text, with its quotes; `None` when it is not closed.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            character if character == quote => return Some(at + quote.len_utf8()),
            _ => {}
        }
    }
    None
}

/// The bytes of the number that a text begins with. A word may follow without a space: `1if x`. An index (`a.1`) is an
/// integer.
fn number_length(text: &str, is_index: bool) -> usize {
    let run = |from: usize, fits: fn(char) -> bool| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|c: char| !fits(c) && c != '_').unwrap_or(rest.len())
    };
    for (prefix, fits) in [("0b", is_binary as fn(char) -> bool), ("0o", is_octal), ("0x", is_hexadecimal)] {
        if text.to_ascii_lowercase().starts_with(prefix) && text.chars().nth(2).is_some_and(|c| fits(c) || c == '_') {
            return run(2, fits);
        }
    }
    let mut end = run(0, is_decimal);
    if is_index {
        return end;
    }
    let goes_on = |from: usize| text.get(from..).is_some_and(|rest| rest.starts_with(is_decimal));
    if text.get(end..).is_some_and(|rest| rest.starts_with('.')) && goes_on(end + 1) {
        end = run(end + 1, is_decimal);
    }
    if text.get(end..).is_some_and(|rest| rest.starts_with(['e', 'E'])) {
        let signed = text.get(end + 1..).is_some_and(|rest| rest.starts_with(['+', '-']));
        let digits = end + 1 + usize::from(signed);
        if goes_on(digits) {
            end = run(digits, is_decimal);
        }
    }
    end
}

fn is_binary(c: char) -> bool {
    matches!(c, '0' | '1')
}

fn is_octal(c: char) -> bool {
    c.is_digit(8)
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_hexadecimal(c: char) -> bool {
    c.is_ascii_hexdigit()
}

/// A recursive descent parser; its methods give `None` where the text is no expression.
struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    found: Expression<'a>,
}

impl<'a> Parser<'a> {
    fn next(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn takes(&mut self, token: Token<'_>) -> bool {
        let is_next = self.next() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn name(&mut self) -> Option<&'a str> {
        let Some(Token::Name(name)) = self.next() else { return None };
        self.at += 1;
        Some(name)
    }

    /// One or more expressions, as in `a`, `a, b` and `a,`.
    fn tuple(&mut self) -> Option<()> {
        self.expression()?;
        while self.takes(Token::Sign(",")) {
            if self.is_at_end() {
                break;
            }
            self.expression()?;
        }
        Some(())
    }

    fn is_at_end(&self) -> bool {
        matches!(self.next(), None | Some(Token::Sign(")" | "]" | "}")))
    }

    /// Operands with operators between them. Jinja's words (`and`, `is`, `if`, …) are names where no operator is
    /// possible, so they are accepted in any place.
    fn expression(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.found.is_too_deep = true;
            return None;
        }
        let mut before = Before::Nothing;
        loop {
            match self.next() {
                Some(Token::Name(name)) if WORDS.contains(&name) => {
                    self.word(name)?;
                    before = Before::Word;
                }
                Some(Token::Sign(sign)) if BINARY.contains(&sign) => {
                    let is_prefix = matches!(sign, "+" | "-");
                    if matches!(before, Before::Nothing | Before::Sign) && !is_prefix {
                        return None;
                    }
                    self.at += 1;
                    before = Before::Sign;
                }
                Some(Token::Name(_) | Token::Number | Token::Text | Token::Sign("(" | "[" | "{"))
                    if before != Before::Operand =>
                {
                    self.operand()?;
                    before = Before::Operand;
                }
                Some(Token::Sign(_) | Token::Name(_) | Token::Number | Token::Text) | None => break,
            }
        }
        self.depth -= 1;
        matches!(before, Before::Operand | Before::Word).then_some(())
    }

    /// A word operator and its operand: the name of a test, or attributes of a name that looks like such a word.
    fn word(&mut self, word: &str) -> Option<()> {
        self.at += 1;
        if word == "is" {
            self.takes(Token::Name("not"));
            if matches!(self.next(), Some(Token::Name(name)) if name != "is") {
                self.dotted()?;
            }
        }
        match self.next() {
            // A call by a word is undefined, but what is in its brackets is evaluated.
            Some(Token::Sign("(")) => self.list(")", Self::argument)?,
            Some(Token::Sign("[")) => self.list("]", Self::slice)?,
            Some(Token::Sign(_) | Token::Name(_) | Token::Number | Token::Text) | None => {}
        }
        while self.postfix()? {}
        Some(())
    }

    fn operand(&mut self) -> Option<()> {
        match self.next()? {
            Token::Name(name) => {
                self.at += 1;
                self.found.names.push(name);
            }
            Token::Number => self.at += 1,
            Token::Text => while self.takes(Token::Text) {},
            Token::Sign("(") => {
                self.at += 1;
                if !self.is_at_end() {
                    self.tuple()?;
                }
                self.closed_by(")")?;
            }
            Token::Sign("[") => self.list("]", Self::expression)?,
            Token::Sign("{") => self.list("}", Self::pair)?,
            Token::Sign(_) => return None,
        }
        while self.postfix()? {}
        Some(())
    }

    /// What may follow an operand: `.b`, `[b]`, `(b)`, `| b`. False: another token follows.
    fn postfix(&mut self) -> Option<bool> {
        match self.next() {
            Some(Token::Sign(".")) => {
                self.at += 1;
                if self.next() == Some(Token::Number) {
                    self.at += 1;
                } else {
                    let name = self.name()?;
                    self.found.attributes.push(name);
                }
            }
            Some(Token::Sign("[")) => {
                self.found.has_subscript = true;
                self.list("]", Self::slice)?;
            }
            Some(Token::Sign("(")) => {
                self.found.has_call = true;
                self.list(")", Self::argument)?;
            }
            Some(Token::Sign("|")) => {
                self.at += 1;
                let name = self.dotted()?;
                self.found.filters.push(name);
                if self.next() == Some(Token::Sign("(")) {
                    self.list(")", Self::argument)?;
                }
            }
            Some(Token::Sign(_) | Token::Name(_) | Token::Number | Token::Text) | None => return Some(false),
        }
        Some(true)
    }

    /// The last part of a name like `ansible.builtin.bool`.
    fn dotted(&mut self) -> Option<&'a str> {
        let mut last = self.name()?;
        while self.takes(Token::Sign(".")) {
            last = self.name()?;
        }
        Some(last)
    }

    /// Items in brackets, separated by commas; a trailing comma is allowed.
    fn list(&mut self, end: &'static str, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        while self.next() != Some(Token::Sign(end)) {
            item(self)?;
            if !self.takes(Token::Sign(",")) {
                break;
            }
        }
        self.closed_by(end)
    }

    fn closed_by(&mut self, end: &'static str) -> Option<()> {
        self.takes(Token::Sign(end)).then_some(())
    }

    fn pair(&mut self) -> Option<()> {
        self.expression()?;
        self.closed_by(":")?;
        self.expression()
    }

    /// An argument of a call: `a`, `a=b`, `*a`, `**a`.
    fn argument(&mut self) -> Option<()> {
        let is_named = matches!(self.next(), Some(Token::Name(_)))
            && self.tokens.get(self.at + 1).copied() == Some(Token::Sign("="));
        if is_named {
            self.at += 2;
        } else if matches!(self.next(), Some(Token::Sign("*" | "**"))) {
            self.at += 1;
        }
        self.expression()
    }

    /// An index or slice: `a`, `a:b`, `:b:c`.
    fn slice(&mut self) -> Option<()> {
        loop {
            if !matches!(self.next(), Some(Token::Sign(":" | "]" | ","))) {
                self.expression()?;
            }
            if !self.takes(Token::Sign(":")) {
                return Some(());
            }
        }
    }
}
