use actix_web::{HttpResponse, get, web};
use shared_types::{ServerDetail, ServerId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::logins;
use crate::http::principal::Viewer;
use crate::instances::store::machines;

/// Read a machine by id
#[utoipa::path(tag = "servers", params(("id" = ServerId, Path, description = "The machine")), responses(
    (status = 200, description = "The machine", body = ServerDetail),
))]
#[get("/servers/{id}")]
pub async fn read_server(
    app: web::Data<App>,
    Viewer(who): Viewer,
    id: web::Path<ServerId>,
) -> Result<HttpResponse, ApiError> {
    let server = machines::read(&mut *app.db().conn().await?, &app.manager.providers, *id).await?;
    let mut server = server.ok_or_else(|| ApiError::not_found("server", id))?;
    logins::hide(&who, &mut server.server);
    Ok(HttpResponse::Ok().json(server))
}
