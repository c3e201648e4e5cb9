//! Machines by words: their own, or those of their instance.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};

use crate::platform::db::words::beginnings;

/// The SQL condition that [`found`] makes.
#[derive(Debug, Clone)]
pub struct Found {
    wanted: String,
}

/// A condition for machines that have all words of a text in name, address and provider's id, or whose instance has them
/// all in name and domain. Uses the indices `servers_words` and `instances_words`.
pub fn found(text: &str) -> Found {
    Found { wanted: beginnings(text) }
}

impl Expression for Found {
    type SqlType = Bool;
}

impl QueryFragment<Pg> for Found {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("servers.id = ANY (ARRAY(SELECT s.id FROM servers AS s WHERE ");
        out.push_sql(
            "search_words(s.name, coalesce(s.public_ip, ''), coalesce(s.provider_id, '')) @@ to_tsquery('simple', ",
        );
        out.push_bind_param::<Text, _>(&self.wanted)?;
        out.push_sql(") UNION ALL SELECT a.server_id FROM app_servers AS a WHERE a.instance_id = ANY (ARRAY(");
        out.push_sql("SELECT i.id FROM instances AS i WHERE search_words(i.name, i.domain) @@ to_tsquery('simple', ");
        out.push_bind_param::<Text, _>(&self.wanted)?;
        out.push_sql(")))))");
        Ok(())
    }
}

/// The prepared statement is cached by its SQL text.
impl QueryId for Found {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Source> AppearsOnTable<Source> for Found {}

impl<Source> SelectableExpression<Source> for Found {}

impl<GroupBy> ValidGrouping<GroupBy> for Found {
    type IsAggregate = is_aggregate::Never;
}
