//! Databases that are numbers, as those of Redis: which one is free.

use diesel_async::AsyncPgConnection;
use shared_types::ResourceServerName;
use shared_types::resource::ResourcePart;

use super::store;
use crate::platform::db::DbError;

/// A number below `count` that no resource of ours has at this server: the first one after `after`, or after the highest one that
/// is used, then from 0. None: all are used. So a number that others use is met once, and not by every instance. The server stays locked until the transaction ends, so that no other one chooses the same number.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn free(
    conn: &mut AsyncPgConnection,
    server: &ResourceServerName,
    count: u32,
    after: Option<&str>,
) -> Result<Option<u32>, DbError> {
    store::lock_server(conn, server).await?;
    let used = store::at_server(conn, server, ResourcePart::Database).await?;
    let used: Vec<u32> = used.iter().filter_map(|(_, name)| name.parse().ok()).collect();
    let after = after.map_or_else(|| used.iter().max().copied(), |number| number.parse().ok());
    Ok(first_free(count, after, &used))
}

fn first_free(count: u32, after: Option<u32>, used: &[u32]) -> Option<u32> {
    let begin = after.map_or(0, |number| number.saturating_add(1));
    (begin..count).chain(0..begin.min(count)).find(|number| !used.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_number_is_taken_and_then_those_after_it() {
        assert_eq!(first_free(4, None, &[]), Some(0));
        assert_eq!(first_free(4, None, &[0, 1, 3]), Some(2));
        assert_eq!(first_free(4, Some(2), &[2]), Some(3));
        assert_eq!(first_free(4, Some(3), &[3, 0]), Some(1), "it begins again");
        assert_eq!(first_free(4, Some(9), &[]), Some(0), "the settings may name fewer by now");
    }

    #[test]
    fn there_may_be_no_free_number() {
        assert_eq!(first_free(2, None, &[0, 1]), None);
        assert_eq!(first_free(2, Some(1), &[0, 1]), None);
        assert_eq!(first_free(0, None, &[]), None);
    }
}
