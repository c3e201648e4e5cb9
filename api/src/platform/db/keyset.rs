//! Pages by key: a list goes on after the last row that was seen, in the order of one column and then the id. Postgres compares
//! the pair with an index of the two, so that no page costs more than the first.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text, Untyped};

use super::fixed::{Fixed, fixed};

/// What to sort by, and in which direction. The texts are ours, never what a request sent.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// `table.column`, or an expression as an index has it.
    pub by: &'static str,
    /// `table.id`.
    pub id: &'static str,
    /// The type that the text in a cursor is read as.
    pub kind: &'static str,
    /// The largest first.
    pub is_descending: bool,
}

impl Order {
    /// For `ORDER BY`.
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

/// So many rows of a query at most.
#[derive(Debug, Clone)]
pub struct AtMost<Q> {
    query: Q,
    limit: i64,
}

/// So many rows of a query at most. A limit that Postgres knows when it plans makes a plan for each number look better than one for
/// all, and is planned for each time; one that it only learns when it runs is planned for once.
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

/// The statement is known by its text.
impl<Q> QueryId for AtMost<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Only rows after one.
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

/// The statement is known by its text.
impl QueryId for After {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Source> AppearsOnTable<Source> for After {}

impl<Source> SelectableExpression<Source> for After {}

impl<GroupBy> ValidGrouping<GroupBy> for After {
    type IsAggregate = is_aggregate::Never;
}
