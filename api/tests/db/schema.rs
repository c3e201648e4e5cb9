//! The tables in diesel's schema file are those of the migrated database, and each has a comment there.

use std::collections::BTreeSet;
use std::path::Path;

use super::{OURS, texts};
use crate::app::Database;

/// `table.column type` of every column in a file of `diesel::table!`s, with `?` if it is nullable.
fn declared(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in source.split("diesel::table! {").skip(1) {
        let (head, body) = table.split_once('{').unwrap();
        let table = head.split_whitespace().next().unwrap();
        let (columns, _) = body.split_once('}').unwrap();
        for column in columns.split(',').map(str::trim).filter(|column| !column.is_empty()) {
            let (name, kind) = column.split_once(" -> ").unwrap();
            let (kind, may_be_null) = match kind.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), "?"),
                None => (kind, ""),
            };
            found.insert(format!("{table}.{name} {kind}{may_be_null}"));
        }
    }
    found
}

/// Diesel's name for a type of Postgres.
const KINDS: &str = "CASE format_type(a.atttypid, a.atttypmod) WHEN 'bigint' THEN 'BigInt' WHEN 'integer' THEN 'Integer' \
    WHEN 'text' THEN 'Text' WHEN 'boolean' THEN 'Bool' WHEN 'jsonb' THEN 'Jsonb' WHEN 'bytea' THEN 'Binary' \
    WHEN 'smallint' THEN 'SmallInt' WHEN 'text[]' THEN 'Array<Text>' \
    WHEN 'timestamp with time zone' THEN 'Timestamptz' ELSE format_type(a.atttypid, a.atttypmod) END";

#[tokio::test]
async fn the_schema_file_is_the_migrated_database() {
    let database = Database::migrated().await;
    let db = database.open();
    let query = format!(
        "SELECT c.relname || '.' || a.attname || ' ' || {KINDS} || CASE WHEN a.attnotnull THEN '' ELSE '?' END AS text \
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE {OURS} AND a.attnum > 0 AND NOT a.attisdropped"
    );
    let migrated: BTreeSet<String> = texts(&mut db.conn().await.unwrap(), &query).await.into_iter().collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platform/db/schema.rs");
    let declared = declared(&std::fs::read_to_string(path).unwrap());
    assert!(declared.len() > 80, "the file could not be read");
    let missing: Vec<_> = migrated.difference(&declared).collect();
    let surplus: Vec<_> = declared.difference(&migrated).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "src/db/schema.rs lacks {missing:?} and should not have {surplus:?}"
    );
    database.discard();
}

#[tokio::test]
async fn every_table_and_column_is_explained() {
    let database = Database::migrated().await;
    let db = database.open();
    let query = format!(
        "SELECT c.relname || coalesce('.' || a.attname, '') AS text FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN LATERAL (SELECT 0 AS attnum, NULL::name AS attname UNION ALL SELECT attnum, attname FROM pg_attribute \
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS a ON true \
         LEFT JOIN pg_description AS d \
             ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum \
         WHERE {OURS} AND d.description IS NULL"
    );
    let bare = texts(&mut db.conn().await.unwrap(), &query).await;
    assert_eq!(bare, Vec::<String>::new(), "COMMENT ON is missing");
    database.discard();
}
