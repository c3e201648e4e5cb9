//! The columns of `instances` that say which routing decisions the gateway has applied.

use diesel::sql_types::{Array, BigInt};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, Queryable,
    QueryableByName,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;
use shared_types::https::HttpsPolicy;

use crate::platform::db::DbError;
use crate::platform::db::schema::{app_servers, instances, servers};

/// The routing that the gateway should have for an instance.
#[derive(Debug, Clone, Queryable)]
pub struct Wanted {
    pub id: InstanceId,
    /// The web server of its active app server; None: none is active, or it has no address.
    pub address: Option<String>,
    /// What the maintenance page says; None: it is not up.
    pub notice: Option<String>,
    /// How visitors by HTTP are treated.
    pub https: HttpsPolicy,
    /// The routing generation of this decision.
    pub generation: i64,
    /// The routing generation that the gateway has applied.
    pub applied: i64,
}

/// The routing that the gateway should have for these instances, or for all: archived ones only if the gateway has not
/// applied that yet.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn wanted(conn: &mut AsyncPgConnection, ids: Option<&[InstanceId]>) -> Result<Vec<Wanted>, DbError> {
    let select = instances::table
        .left_join(app_servers::table.on(instances::active_app_server_id.eq(app_servers::id.nullable())))
        .left_join(servers::table.on(app_servers::server_id.eq(servers::id)))
        .select((
            instances::id,
            servers::http_address.nullable(),
            instances::maintenance_text,
            instances::https,
            instances::routing_generation,
            instances::routing_applied_generation,
        ))
        .into_boxed();
    let select = match ids {
        Some(ids) => select.filter(instances::id.eq_any(ids)),
        None => select.filter(
            instances::archived_at
                .is_null()
                .or(instances::routing_applied_generation.lt(instances::routing_generation)),
        ),
    };
    Ok(select.load(conn).await?)
}

/// Instances with a decision that the gateway has not applied.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn behind(conn: &mut AsyncPgConnection) -> Result<Vec<InstanceId>, DbError> {
    Ok(instances::table
        .filter(instances::routing_applied_generation.lt(instances::routing_generation))
        .order(instances::id)
        .select(instances::id)
        .load(conn)
        .await?)
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    id: InstanceId,
}

/// Records that the gateway has applied these generations, and their switches. Returns the instances that were behind.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn applied(
    conn: &mut AsyncPgConnection,
    generations: &[(InstanceId, i64)],
) -> Result<Vec<InstanceId>, DbError> {
    let (ids, generations): (Vec<InstanceId>, Vec<i64>) = generations.iter().copied().unzip();
    let changed: Vec<Changed> = diesel::sql_query(
        "WITH told AS (SELECT * FROM unnest($1, $2) AS told (id, generation)), \
         switches AS (UPDATE activations SET applied_at = now() FROM told \
             WHERE activations.instance_id = told.id AND activations.generation <= told.generation \
             AND activations.applied_at IS NULL) \
         UPDATE instances SET routing_applied_generation = told.generation FROM told \
         WHERE instances.id = told.id AND instances.routing_applied_generation < told.generation \
         RETURNING instances.id",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<BigInt>, _>(generations)
    .load(conn)
    .await?;
    Ok(changed.into_iter().map(|changed| changed.id).collect())
}
