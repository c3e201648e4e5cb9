//! All local machines of a database are in one data directory.

use crate::app::Database;

#[tokio::test]
async fn a_second_data_directory_cannot_claim_the_local_machines() {
    let database = Database::migrated().await;
    let db = database.open();
    assert!(db.claim_local_site("first").await.unwrap());
    assert!(db.claim_local_site("first").await.unwrap(), "the same one again");
    assert!(!db.claim_local_site("second").await.unwrap());
    database.discard();
}
