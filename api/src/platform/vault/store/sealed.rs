//! A JSON document whose secrets are stored separately.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde_json::Value;
use shared_types::secret;

use super::super::document;

/// A document as it is stored, with ids in place of its secrets. [`super::super::open`] restores the secrets.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Sealed(pub(in crate::platform::vault) Value);

impl Sealed {
    /// The document with [`secret::HIDDEN`] in place of each secret, for readers that must not see secrets.
    pub fn hidden(&self) -> Value {
        document::put_back(&self.0, &|_| secret::HIDDEN.into())
    }
}

impl FromSql<Jsonb, Pg> for Sealed {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        <Value as FromSql<Jsonb, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<Jsonb, Pg> for Sealed {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Value as ToSql<Jsonb, Pg>>::to_sql(&self.0, out)
    }
}
