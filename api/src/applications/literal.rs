//! Texts of users among the variables that ocim generates.

use shared_types::yaml::typed;

/// Quotes a text so that Ansible's templates do not evaluate it on this host: a name may hold `{{ … }}` (a pull
/// request's title comes from outside).
pub(super) fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let opens = character == '{' && matches!(characters.peek(), Some('{' | '%' | '#'));
        if opens { quoted.push_str(r#"{{ "{" }}"#) } else { quoted.push(character) }
    }
    typed::text(&quoted)
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn what_looks_like_a_template_stays_text() {
        assert_eq!(literal("A {plain} name"), "A {plain} name");
        assert_eq!(literal("{{ x }}"), r#"{{ "{" }}{ x }}"#);
        assert_eq!(literal("{%{#"), r#"{{ "{" }}%{{ "{" }}#"#);
        assert_eq!(literal("{{{"), r#"{{ "{" }}{{ "{" }}{"#);
    }
}
