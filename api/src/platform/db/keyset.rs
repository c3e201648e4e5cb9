//! Keyset pagination: a list continues after the last row that was seen, ordered by one column and then the id.
//! Postgres compares the pair with an index of the two columns, so that no page costs more than the first.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text, Untyped};

use super::fixed::{Fixed, fixed};

/// The sort column and direction. The texts are constants of this program, never taken from a request.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// `table.column`, or an expression that equals that of an index.
    pub by: &'static str,
    /// The id column, as `table.id`.
    pub id: &'static str,
    /// The SQL type that the cursor's text is cast to.
    pub kind: &'static str,
    /// Whether the largest value comes first.
    pub is_descending: bool,
}

impl Order {
    /// The expression for `ORDER BY`.
    pub fn by(self) -> Fixed<Untyped> {
        let Self { by, id, kind: _, is_descending } = self;
        let direction = if is_descending { "DESC" } else { "ASC" };
        fixed(format!("{by} {direction}, {id} {direction}"))
    }

    /// Only rows after the one with this value and id.
    pub fn after(self, value: String, id: i64) -> After {
        After { order: self, value, id }
    }
}

/// A query with a bound limit.
#[derive(Debug, Clone)]
pub struct AtMost<Q> {
    query: Q,
    limit: i64,
}

/// Limits a query. If Postgres knows the limit when planning, a plan for each number looks better than a generic one,
/// so it plans every time; a limit that it learns only at execution lets it plan once.
pub fn at_most<Q>(query: Q, limit: i64) -> AtMost<Q> {
    AtMost { query, limit }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for AtMost<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT (SELECT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Q: Query> Query for AtMost<Q> {
    type SqlType = Q::SqlType;
}

/// The prepared statement is cached by its SQL text.
impl<Q> QueryId for AtMost<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A condition: only rows after a given one.
#[derive(Debug, Clone)]
pub struct After {
    order: Order,
    value: String,
    id: i64,
}

impl Expression for After {
    type SqlType = Bool;
}

impl QueryFragment<Pg> for After {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Order { by, id, kind, is_descending } = self.order;
        let comes_after = if is_descending { "<" } else { ">" };
        out.push_sql(&format!("({by}, {id}) {comes_after} (CAST("));
        out.push_bind_param::<Text, _>(&self.value)?;
        out.push_sql(&format!(" AS {kind}), "));
        out.push_bind_param::<BigInt, _>(&self.id)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The prepared statement is cached by its SQL text.
impl QueryId for After {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Source> AppearsOnTable<Source> for After {}

impl<Source> SelectableExpression<Source> for After {}

impl<GroupBy> ValidGrouping<GroupBy> for After {
    type IsAggregate = is_aggregate::Never;
}
