//! Full-text search by word prefixes, for `?q=`.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};

/// A condition: each word of the text is the prefix of a word in the row.
#[derive(Debug, Clone)]
pub struct Words {
    columns: &'static str,
    wanted: String,
}

/// `columns` is a call of `search_words`, equal to that of an index. A text without words matches nothing.
pub fn words(columns: &'static str, text: &str) -> Words {
    Words { columns, wanted: beginnings(text) }
}

/// The text as a tsquery of prefixes.
pub fn beginnings(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!("'{word}':*")).collect::<Vec<_>>().join(" & ")
}

impl Expression for Words {
    type SqlType = Bool;
}

impl QueryFragment<Pg> for Words {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.columns);
        out.push_sql(" @@ to_tsquery('simple', ");
        out.push_bind_param::<Text, _>(&self.wanted)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The prepared statement is cached by its SQL text.
impl QueryId for Words {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Source> AppearsOnTable<Source> for Words {}

impl<Source> SelectableExpression<Source> for Words {}

impl<GroupBy> ValidGrouping<GroupBy> for Words {
    type IsAggregate = is_aggregate::Never;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_input_becomes_words() {
        assert_eq!(beginnings("Astro.campus"), "'Astro':* & 'campus':*");
        assert_eq!(beginnings("  l'été & (b|c):* \\ "), "'l':* & 'été':* & 'b':* & 'c':*");
        assert_eq!(beginnings("%_!"), "");
    }
}
