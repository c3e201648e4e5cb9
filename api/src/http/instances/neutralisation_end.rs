use actix_web::{HttpResponse, delete, web};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::instances::backups::neutralisation;

/// Let app servers of a copy mail people and take payments
///
/// For an instance whose data is a copy of another one's (`copy`). App servers that are launched from now on have mail and payments as
/// their settings say; those that exist stay as they are. If that was ended already, nothing changes.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "Ended", body = Instance),
    (status = 409, description = "The data are still being copied"),
))]
#[delete("/instances/{id}/neutralisation")]
pub async fn end_neutralisation(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    neutralisation::end(&mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
