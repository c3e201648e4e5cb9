//! The contract of the port, on real servers of every kind.

use ocim::resources::server::{Attempt, ResourceServer, ServerError};
use shared_types::resource::ResourcePart::{Account, Database};

use super::mariadb::MariaDb;
use super::postgresql::Postgres;
use super::redis::Redis;
use super::{account, only, servers};

/// Goes through the life of an account with two databases, each call twice.
async fn keeps_the_contract(server: &dyn ResourceServer) {
    let names = if server.numbers().is_some() { ["5", "6"] } else { ["ocim_1_pages", "ocim_1_readers"] };
    let (own, user) = (account("ocim_1_abcdefghijklmnop", "first"), "ocim_1_abcdefghijklmnop");
    assert!(!server.is_used(Account, user).await.unwrap());
    server.make_account(&own, Attempt::First).await.unwrap();
    server.make_account(&own, Attempt::Again).await.unwrap();
    assert_eq!(server.make_account(&own, Attempt::First).await, Err(ServerError::Taken), "it is there");
    for name in names {
        assert!(!server.is_used(Database, name).await.unwrap());
        server.make_database(name, user, Attempt::First).await.unwrap();
        server.make_database(name, user, Attempt::Again).await.unwrap();
        assert!(server.has(Database, name).await.unwrap() && server.has(Account, user).await.unwrap());
        if server.numbers().is_none() {
            assert_eq!(server.make_database(name, user, Attempt::First).await, Err(ServerError::Taken));
            assert!(server.size(name).await.unwrap().is_some());
        }
    }
    server.make_account(&account(user, "second"), Attempt::Again).await.unwrap();
    for name in names {
        server.delete_database(name).await.unwrap();
        server.delete_database(name).await.unwrap();
        assert!(!server.is_used(Database, name).await.unwrap());
    }
    server.delete_account(user).await.unwrap();
    server.delete_account(user).await.unwrap();
    assert!(!server.is_used(Account, user).await.unwrap());
    // After a crash between two calls: the second attempt makes what the first one did not.
    server.make_account(&own, Attempt::Again).await.unwrap();
    server.make_database(names[0], user, Attempt::Again).await.unwrap();
    server.delete_database(names[0]).await.unwrap();
    server.delete_account(user).await.unwrap();
}

#[tokio::test]
#[ignore = "needs MariaDB, PostgreSQL and Redis: make test-resources"]
async fn every_kind_of_server_keeps_the_contract_and_is_left_as_it_was() {
    let (mariadb, postgres, redis) = (MariaDb::start().await, Postgres::start().await, Redis::start(true).await);
    let before = [mariadb.listing().await, postgres.listing().await, redis.listing().await];
    keeps_the_contract(only(&servers(&mariadb.table(""))).as_ref()).await;
    keeps_the_contract(only(&servers(&postgres.table())).as_ref()).await;
    keeps_the_contract(only(&servers(&redis.table())).as_ref()).await;
    assert_eq!([mariadb.listing().await, postgres.listing().await, redis.listing().await], before);
    postgres.stop().await;
}
