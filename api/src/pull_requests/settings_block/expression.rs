//! Texts that old versions of Ansible evaluate although they are no templates.
//!
//! Where a task says `when: NAME`, Ansible before 2.12 takes the *value* of the variable for an expression of Jinja, so that
//! `NAME: lookup('pipe', 'id')` runs `id` on the manager; playbooks of Open edX releases use such versions. An expression does harm
//! only by calling something, so texts that could call are refused, unless they are none that Jinja could read: «see
//! example.com (staging)», `^https://(a|b)\.example\.com(:\d+)?$`.

/// What can be called by its name and does more than compute.
const FUNCTIONS: &[&str] = &["lookup", "query", "q"];

/// Words between which and a name Jinja takes no offence.
const OPERATORS: &[&str] = &["and", "or", "not", "in", "is", "if", "else"];

/// No token of Jinja begins with these, outside of quotes.
const NO_TOKEN: &[char] = &['$', '?', '@', '&', '^', '\\', '`', '#'];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    /// A text in quotes, or what begins with a digit: Jinja takes `1if` for two words.
    Literal,
    Sign(char),
}

/// Whether a text is perhaps an expression that calls something.
pub(super) fn may_call(text: &str) -> bool {
    // Most texts call nothing, and that is seen at once.
    if !text.contains('(') {
        return false;
    }
    let Some(tokens) = tokens(text) else { return false };
    !has_names_side_by_side(&tokens) && has_call(&tokens)
}

/// `None` when Jinja could not read it.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // Here the expression would be over, and what follows a text.
        if rest.starts_with("%}") {
            break;
        }
        let length = match first {
            '\'' | '"' => {
                tokens.push(Token::Literal);
                quoted_length(rest, first)?
            }
            _ if is_in_name(first) => {
                let end = rest.find(|c| !is_in_name(c)).unwrap_or(rest.len());
                tokens.push(if first.is_numeric() { Token::Literal } else { Token::Name(rest.get(..end)?) });
                end
            }
            _ if NO_TOKEN.contains(&first) => return None,
            _ => {
                if !first.is_whitespace() {
                    tokens.push(Token::Sign(first));
                }
                first.len_utf8()
            }
        };
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

/// How many bytes a quoted text has, with its quotes; `None` when it is not closed.
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

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Two names that nothing joins are no expression. Only a test may have its argument so: `x is divisibleby y`.
fn has_names_side_by_side(tokens: &[Token<'_>]) -> bool {
    let plain = |token: &Token<'_>| matches!(token, Token::Name(name) if !OPERATORS.contains(name));
    let tests = |token: &Token<'_>| matches!(token, Token::Name("is" | "not"));
    tokens.windows(2).enumerate().any(|(at, pair)| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        pair.iter().all(plain) && !before.is_some_and(tests)
    })
}

/// What stands before a `(` says whether it calls: one of the functions, something of something (`a.b(`), or a result
/// (`a[b](`, `(a)(`).
fn has_call(tokens: &[Token<'_>]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let before = |distance: usize| at.checked_sub(distance).and_then(|index| tokens.get(index));
        *token == Token::Sign('(')
            && match before(1) {
                Some(Token::Sign(')' | ']')) => true,
                Some(Token::Name(name)) => FUNCTIONS.contains(name) || before(2) == Some(&Token::Sign('.')),
                Some(Token::Literal | Token::Sign(_)) | None => false,
            }
    })
}
