//! Local machines are in one place.

use crate::app::Database;

#[tokio::test]
async fn one_data_directory_has_the_local_machines_of_a_database() {
    let database = Database::migrated().await;
    let db = database.open();
    assert!(db.claim_local_site("first").await.unwrap());
    assert!(db.claim_local_site("first").await.unwrap(), "the same one again");
    assert!(!db.claim_local_site("second").await.unwrap());
    database.discard();
}
