//! What the database itself refuses, and that it is what the program thinks it is.

mod guards;
mod migrations;
mod schema;
mod sites;
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

/// Our tables; the queue's are in a schema of their own, and diesel's remembers which migrations ran.
const OURS: &str = "n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> '__diesel_schema_migrations'";
