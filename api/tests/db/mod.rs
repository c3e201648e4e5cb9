//! Constraints of the database, and that its schema is what the program expects.

mod guards;
mod limits;
mod migrations;
mod schema;
mod sites;
mod tls;
mod upgrading;

use diesel_async::{AsyncPgConnection, RunQueryDsl};

#[derive(diesel::QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The column `text` of a query's rows.
async fn texts(conn: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    diesel::sql_query(query).load::<Text>(conn).await.unwrap().into_iter().map(|row| row.text).collect()
}

/// Selects our tables: not the queue's, which have their own schema, and not diesel's record of migrations.
const OURS: &str = "n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> '__diesel_schema_migrations'";
