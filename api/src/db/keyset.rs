//! Pages by key: a list goes on after the last row that was seen, in the order of one column and then the id. Postgres compares
//! the pair with an index of the two, so that no page costs more than the first.

use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::helper_types::AsExprOf;
use diesel::sql_types::{BigInt, Bool, Text, Untyped};

/// A column and a direction to sort by. The names are ours, never what somebody sent.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// `table`.
    pub table: &'static str,
    /// A column of it.
    pub column: &'static str,
    /// What its text is read as.
    pub kind: &'static str,
    /// The largest first.
    pub is_descending: bool,
}

/// `(… AS kind), …`: a condition with the value in it.
type WithValue = UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>;
/// And with the id.
type WithId = UncheckedBind<SqlLiteral<Bool, WithValue>, AsExprOf<i64, BigInt>>;

impl Order {
    /// For `ORDER BY`.
    pub fn by(self) -> SqlLiteral<Untyped> {
        let Self { table, column, kind: _, is_descending } = self;
        let direction = if is_descending { "DESC" } else { "ASC" };
        diesel::dsl::sql(&format!("{table}.{column} {direction}, {table}.id {direction}"))
    }

    /// Only rows after the one with this value and id.
    pub fn after(self, value: String, id: i64) -> SqlLiteral<Bool, WithId> {
        let Self { table, column, kind, is_descending } = self;
        let comes_after = if is_descending { "<" } else { ">" };
        diesel::dsl::sql::<Bool>(&format!("({table}.{column}, {table}.id) {comes_after} (CAST("))
            .bind::<Text, _>(value)
            .sql(&format!(" AS {kind}), "))
            .bind::<BigInt, _>(id)
            .sql(")")
    }
}
