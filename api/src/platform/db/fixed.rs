//! Pieces of SQL that the query builder has no words for. Unlike those of `diesel::dsl::sql` they leave a statement fit to be
//! prepared once a connection: Postgres reads and plans it once, not each time. That asks one thing: their texts are ours, and
//! few; whatever varies is bound.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::expression::is_aggregate;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// A piece of SQL of the type `T`.
#[derive(Debug, Clone)]
pub struct Fixed<T> {
    text: Cow<'static, str>,
    of: PhantomData<T>,
}

/// A piece of SQL.
pub fn fixed<T>(text: impl Into<Cow<'static, str>>) -> Fixed<T> {
    Fixed { text: text.into(), of: PhantomData }
}

impl<T: TypedExpressionType> Expression for Fixed<T> {
    type SqlType = T;
}

impl<T> QueryFragment<Pg> for Fixed<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.text);
        Ok(())
    }
}

/// The statement is known by its text.
impl<T> QueryId for Fixed<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, Source> AppearsOnTable<Source> for Fixed<T> where Self: Expression {}

impl<T, Source> SelectableExpression<Source> for Fixed<T> where Self: AppearsOnTable<Source> {}

impl<T, GroupBy> ValidGrouping<GroupBy> for Fixed<T> {
    type IsAggregate = is_aggregate::Never;
}
