//! App servers by their names: “AppServer 3”, the instance's name, or both together.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};

use crate::platform::db::words::beginnings;

/// The word that every app server's name begins with. Fewer than `FEWEST` letters of it could begin any word.
const NAME: &str = "appserver";
const FEWEST: usize = 3;

/// The SQL condition that [`called`] makes.
#[derive(Debug, Clone)]
pub struct Called {
    all: String,
    own: String,
    rest: String,
}

/// A condition for app servers whose instance matches all words of a text, or that match some of them by their own name
/// and the rest by their instance.
pub fn called(text: &str) -> Called {
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_own = |word: &&str| {
        let word = word.to_lowercase();
        word.chars().all(|c| c.is_ascii_digit()) || (word.len() >= FEWEST && NAME.starts_with(&word))
    };
    let together = |words: Vec<&str>| beginnings(&words.join(" "));
    Called {
        all: beginnings(text),
        own: together(words().filter(is_own).collect()),
        rest: together(words().filter(|word| !is_own(word)).collect()),
    }
}

impl Called {
    /// Matches words of the instance, by the indices `instances_words` and `app_servers_instance_newest`.
    fn of_instances<'b>(words: &'b String, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("app_servers.instance_id = ANY (ARRAY(SELECT i.id FROM instances AS i ");
        out.push_sql("WHERE search_words(i.name, i.domain) @@ to_tsquery('simple', ");
        out.push_bind_param::<Text, _>(words)?;
        out.push_sql(")))");
        Ok(())
    }
}

impl Expression for Called {
    type SqlType = Bool;
}

impl QueryFragment<Pg> for Called {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        Self::of_instances(&self.all, &mut out)?;
        if !self.own.is_empty() {
            out.push_sql(" OR (search_words(app_servers.name) @@ to_tsquery('simple', ");
            out.push_bind_param::<Text, _>(&self.own)?;
            out.push_sql(")");
            if !self.rest.is_empty() {
                out.push_sql(" AND ");
                Self::of_instances(&self.rest, &mut out)?;
            }
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}

/// Diesel must not cache the statement by type: its text depends on the words.
impl QueryId for Called {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Source> AppearsOnTable<Source> for Called {}

impl<Source> SelectableExpression<Source> for Called {}

impl<GroupBy> ValidGrouping<GroupBy> for Called {
    type IsAggregate = is_aggregate::Never;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String) {
        let Called { all: _, own, rest } = called(text);
        (own, rest)
    }

    #[test]
    fn words_are_of_the_app_server_or_of_its_instance() {
        assert_eq!(parts("campus 3"), ("'3':*".into(), "'campus':*".into()));
        assert_eq!(parts("AppServer 3"), ("'AppServer':* & '3':*".into(), String::new()));
        assert_eq!(parts("campus"), (String::new(), "'campus':*".into()));
        assert_eq!(parts("ap"), (String::new(), "'ap':*".into()), "the beginning of many a name");
        assert_eq!(parts("%"), (String::new(), String::new()));
    }
}
