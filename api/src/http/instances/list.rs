use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use shared_types::instance::InstanceSort;
use shared_types::queue::Tier;
use shared_types::{HealthState, InstanceId, InstanceSummary, Page, ProblemType};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::settings::read;
use crate::instances::store::listing::{self, Place};

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only instances whose name or domain has words that begin with these, ignoring case: `phys astro`.
    q: Option<String>,
    /// Only the instances with these ids, at most 100: `7,12`. Unknown ids are ignored.
    #[param(value_type = Option<Vec<i64>>, style = Form, explode = false, min_items = 1, max_items = 100, example = json!([7, 12]))]
    ids: Option<String>,
    /// The order of the list; by name unless given.
    sort: Option<InstanceSort>,
    /// Only instances of this application type.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    instance_type: Option<String>,
    /// Only instances of this tier.
    tier: Option<Tier>,
    /// Only instances with a hold (true), or only the others (false).
    has_hold: Option<bool>,
    /// Only instances with one of these health states, separated by commas: `down,degraded`. `none`: no app server is
    /// active.
    #[param(value_type = Option<Vec<HealthFilter>>, style = Form, explode = false, min_items = 1, max_items = 5, example = json!(["down", "degraded"]))]
    health: Option<String>,
    /// Archived instances (true) instead of those in use.
    archived: Option<bool>,
}

/// A health state to filter by.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthFilter {
    /// Every site passes its checks.
    Ok,
    /// The sites were not checked recently.
    Unknown,
    /// The main site answers; at least one other site fails.
    Degraded,
    /// The main site fails, or the machine is gone.
    Down,
    /// No app server is active.
    None,
}

impl From<HealthFilter> for Option<HealthState> {
    fn from(filter: HealthFilter) -> Self {
        match filter {
            HealthFilter::Ok => Some(HealthState::Ok),
            HealthFilter::Unknown => Some(HealthState::Unknown),
            HealthFilter::Degraded => Some(HealthState::Degraded),
            HealthFilter::Down => Some(HealthState::Down),
            HealthFilter::None => None,
        }
    }
}

/// Parses the health states of the query; `None` stands for `none`.
fn states(text: &str) -> Result<Vec<Option<HealthState>>, ApiError> {
    let state = |word: &str| {
        let parsed = HealthFilter::deserialize(word.into_deserializer());
        parsed.map(Into::into).map_err(|_: serde::de::value::Error| {
            let words = "health must be one or several of ok, unknown, degraded, down and none, separated by commas.";
            ApiError::new(ProblemType::BadRequest, words)
        })
    };
    text.split(',').map(state).collect()
}

/// List instances
///
/// Ordered by name unless `sort` is given.
#[utoipa::path(tag = "instances", params(Query), responses(
    (status = 200, description = "A page", body = Page<InstanceSummary>),
))]
#[get("/instances")]
pub async fn list_instances(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, ids, sort, instance_type, tier, has_hold, health, archived } = query.into_inner();
    let instance_type = extract::text("instance_type", instance_type)?;
    let limit = extract::limit(limit)?;
    let sort = sort.unwrap_or_default();
    let after: Option<Place> = cursor::decode(cursor.as_deref())?;
    if after.as_ref().is_some_and(|place| place.sort != sort) {
        return Err(ApiError::new(ProblemType::BadRequest, "The cursor is of another order; begin again without it."));
    }
    let query = listing::Query {
        text: extract::search(q)?,
        ids: extract::ids(ids.as_deref())?.map(|ids| ids.into_iter().map(InstanceId).collect()),
        is_archived: archived.unwrap_or(false),
        instance_type: extract::search(instance_type)?,
        tier,
        has_hold,
        health: health.as_deref().map(states).transpose()?,
        sort,
        after,
        limit: limit + 1,
    };
    let items = read::instance_page(&mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| Place::of(one, sort))))
}
