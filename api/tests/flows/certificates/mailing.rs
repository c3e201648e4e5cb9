//! Mail before a certificate expires that is not renewed.

use ocim::certificates::mail;

use super::Faked;

#[tokio::test]
async fn mail_is_written_once_in_two_days_for_a_failing_certificate_that_expires_soon() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    faked.world.execute("UPDATE certificates SET not_after = now() + interval '13 days'").await;
    let owed = async || {
        mail::owe(&faked.world.db).await.unwrap();
        faked.world.number("SELECT count(*) AS n FROM outbox WHERE kind = 'certificates'").await
    };
    assert_eq!(owed().await, 0, "it is valid, and will be renewed");
    faked.authority.refuse("a.example.org", Some("nothing answers"));
    faked.world.execute("UPDATE certificates SET renew_at = now()").await;
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert!(faked.world.certificate(id).await.failing_since.is_some());
    assert_eq!((owed().await, owed().await), (1, 1));
    faked.world.execute("UPDATE certificates SET mailed_at = now() - interval '49 hours'").await;
    assert_eq!(owed().await, 2);
    faked.world.execute("UPDATE certificates SET not_after = now() + interval '15 days', mailed_at = NULL").await;
    assert_eq!(owed().await, 2, "there is time");
    faked.world.end();
}
