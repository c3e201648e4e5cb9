use diesel_async::RunQueryDsl;
use shared_types::Role;

use crate::app::TestApp;

const PATH: &str = "/api/v1/auth/me";

#[tokio::test]
async fn each_role_is_told_who_it_is() {
    let app = TestApp::idle().await;
    for role in Role::ALL {
        for person in [app.session(*role).await, app.person(*role).await] {
            assert_eq!(person.get(PATH).await.expect(200)["role"], role.as_str());
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_session_expires() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Admin).await;
    browser.get(PATH).await.expect(200);
    let end = diesel::sql_query("UPDATE sessions SET expires = now()");
    end.execute(&mut app.conn().await).await.unwrap();
    browser.get(PATH).await.problem(401);
    app.end().await;
}
