//! Pieces of SQL that the query builder cannot express. Unlike `diesel::dsl::sql`, they let Postgres prepare a
//! statement once per connection, so that it is parsed and planned only once. Condition: the texts are constants of
//! this program and few; all values are bound.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::expression::is_aggregate;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Jsonb;
use serde_json::Value;

/// Stands in a text for the value that [`Fixed::with`] binds.
pub const VALUE: &str = "$value";

/// A constant piece of SQL with the SQL type `T`.
#[derive(Debug, Clone)]
pub struct Fixed<T> {
    text: Cow<'static, str>,
    value: Value,
    of: PhantomData<T>,
}

/// Makes a piece of SQL from a constant text.
pub fn fixed<T>(text: impl Into<Cow<'static, str>>) -> Fixed<T> {
    Fixed { text: text.into(), value: Value::Null, of: PhantomData }
}

impl<T> Fixed<T> {
    /// Binds a value of the SQL type `jsonb` wherever the text has [`VALUE`].
    pub fn with(self, value: &Value) -> Self {
        Self { value: value.clone(), ..self }
    }
}

impl<T: TypedExpressionType> Expression for Fixed<T> {
    type SqlType = T;
}

impl<T> QueryFragment<Pg> for Fixed<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (index, text) in self.text.split(VALUE).enumerate() {
            if index > 0 {
                out.push_bind_param::<Jsonb, Value>(&self.value)?;
            }
            out.push_sql(text);
        }
        Ok(())
    }
}

/// The prepared statement is cached by its SQL text.
impl<T> QueryId for Fixed<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, Source> AppearsOnTable<Source> for Fixed<T> where Self: Expression {}

impl<T, Source> SelectableExpression<Source> for Fixed<T> where Self: AppearsOnTable<Source> {}

impl<T, GroupBy> ValidGrouping<GroupBy> for Fixed<T> {
    type IsAggregate = is_aggregate::Never;
}
