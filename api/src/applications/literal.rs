//! Texts of people among the variables that ocim makes.

use shared_types::yaml::typed;

/// A text that Ansible's templates leave as it is. Without this, a name with `{{ … }}` in it (a pull request's title comes from
/// outside) would be evaluated on this host.
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
