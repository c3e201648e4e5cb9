//! A fake of Gandi LiveDNS, version 5, after its reference; Gandi itself is not asked.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use ocim::config::dns::Target;
use ocim::dns::DnsError;
use ocim::dns::port::{Dns, Owned};
use ocim::dns::providers::gandi::{Account, Gandi};
use serde_json::{Value, json};

use super::{NAME, ZONE, owner, target};

/// The values by name and type.
type Records = Arc<Mutex<BTreeMap<(String, String), Vec<String>>>>;

#[derive(Clone, Default)]
struct Fake {
    records: Records,
    /// Method and path of each change.
    changes: Arc<Mutex<Vec<String>>>,
}

fn set((name, kind): &(String, String), values: &[String]) -> Value {
    json!({ "rrset_name": name, "rrset_type": kind, "rrset_values": values, "rrset_ttl": 300, "rrset_href": "x" })
}

async fn serve(fake: web::Data<Fake>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    match request.headers().get("authorization").map(|value| value.to_str().unwrap()) {
        Some("Bearer pat_right") => {}
        Some("Bearer pat_narrow") => return HttpResponse::Forbidden().json(json!({ "message": "Access was denied" })),
        Some("Bearer pat_hasty") => return HttpResponse::TooManyRequests().json(json!({ "message": "Slow down" })),
        _ => return HttpResponse::Unauthorized().json(json!({ "message": "The server could not verify you" })),
    }
    let path: Vec<_> = request.path().trim_start_matches("/livedns/domains/").split('/').collect();
    if path[0] != ZONE {
        return HttpResponse::NotFound().json(json!({ "message": "Unknown domain" }));
    }
    let mut records = fake.records.lock().unwrap();
    if request.method() != "GET" {
        fake.changes.lock().unwrap().push(format!("{} {}", request.method(), path[2..].join("/")));
    }
    match (request.method().as_str(), path.as_slice()) {
        ("GET", [_]) => HttpResponse::Ok().json(json!({ "fqdn": ZONE })),
        ("GET", [_, "records"]) => {
            HttpResponse::Ok().json(records.iter().map(|(at, values)| set(at, values)).collect::<Vec<_>>())
        }
        ("GET", [_, "records", name]) => {
            let found: Vec<_> =
                records.iter().filter(|((own, _), _)| own == name).map(|(at, values)| set(at, values)).collect();
            if found.is_empty() {
                HttpResponse::NotFound().json(json!({ "message": "No such record" }))
            } else {
                HttpResponse::Ok().json(found)
            }
        }
        ("PUT", [_, "records", name, kind]) => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert!(body["rrset_ttl"].as_u64().unwrap() >= 300);
            let has = |kind: &str| records.contains_key(&((*name).to_owned(), kind.to_owned()));
            if *kind == "CNAME" && (has("A") || has("AAAA")) || ["A", "AAAA"].contains(kind) && has("CNAME") {
                return HttpResponse::Conflict().json(json!({ "message": "A CNAME stands alone" }));
            }
            let values = serde_json::from_value(body["rrset_values"].clone()).unwrap();
            records.insert(((*name).to_owned(), (*kind).to_owned()), values);
            HttpResponse::Created().json(json!({ "message": "DNS Record Created" }))
        }
        ("DELETE", [_, "records", name, kind]) => match records.remove(&((*name).to_owned(), (*kind).to_owned())) {
            Some(_) => HttpResponse::NoContent().finish(),
            None => HttpResponse::NotFound().finish(),
        },
        (method, path) => panic!("{method} {path:?}"),
    }
}

impl Fake {
    /// Serves the fake until the test ends, and returns its URL.
    fn start(&self) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/livedns", listener.local_addr().unwrap());
        let data = web::Data::new(self.clone());
        let app = move || actix_web::App::new().app_data(data.clone()).default_service(web::to(serve));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        tokio::spawn(server);
        url
    }

    fn put(&self, name: &str, kind: &str, value: &str) {
        self.records.lock().unwrap().insert((name.to_owned(), kind.to_owned()), vec![value.to_owned()]);
    }

    fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.changes.lock().unwrap())
    }
}

fn gandi(url: &str, token: &str, zone: &str) -> Gandi {
    let expires = Some("2027-03-31".parse().unwrap());
    let account = Account { url: url.parse().unwrap(), token: token.to_owned().into(), expires };
    Gandi::new(account, vec![zone.to_owned()], 60).unwrap()
}

#[actix_web::test]
async fn the_text_is_written_first_and_removed_last() {
    let fake = Fake::default();
    let dns = gandi(&fake.start(), "pat_right", ZONE);
    assert!(dns.set(NAME, &target(), &owner(7)).await.unwrap());
    assert_eq!(fake.changes(), ["PUT _ocim.campus/TXT", "PUT campus/A", "PUT campus/AAAA"]);
    assert!(!dns.set(NAME, &target(), &owner(7)).await.unwrap());
    assert_eq!(fake.changes(), [""; 0]);
    assert!(dns.set(NAME, &Target::Name("gw.example.net".to_owned()), &owner(7)).await.unwrap());
    assert_eq!(fake.changes(), ["DELETE campus/A", "DELETE campus/AAAA", "PUT campus/CNAME"]);
    assert_eq!(dns.owned().await.unwrap(), [Owned { name: NAME.to_owned(), owner: owner(7) }]);
    assert!(dns.delete(NAME, &owner(7)).await.unwrap());
    assert_eq!(fake.changes(), ["DELETE campus/CNAME", "DELETE _ocim.campus/TXT"]);
    assert!(!dns.delete(NAME, &owner(7)).await.unwrap());
    assert!(fake.records.lock().unwrap().is_empty());
    assert_eq!(dns.check().await.unwrap().expires.unwrap().to_string(), "2027-03-31");
}

#[actix_web::test]
async fn a_lost_answer_after_the_text_is_made_up_for() {
    let fake = Fake::default();
    let dns = gandi(&fake.start(), "pat_right", ZONE);
    fake.put("_ocim.campus", "TXT", &format!("\"{}\"", owner(7).text()));
    assert!(dns.set(NAME, &target(), &owner(7)).await.unwrap());
    assert_eq!(fake.changes(), ["PUT campus/A", "PUT campus/AAAA"]);
}

#[actix_web::test]
async fn records_of_others_are_never_touched() {
    let fake = Fake::default();
    let dns = gandi(&fake.start(), "pat_right", ZONE);
    fake.put("campus", "A", "198.51.100.7");
    let DnsError::NotOurs(words) = dns.set(NAME, &target(), &owner(7)).await.unwrap_err() else { panic!() };
    assert!(words.contains("ocim has not written"), "{words}");
    assert!(!dns.delete(NAME, &owner(7)).await.unwrap());
    fake.put("_ocim.campus", "TXT", "\"heritage=ocim,installation=other,instance=7\"");
    assert!(matches!(dns.set(NAME, &target(), &owner(7)).await, Err(DnsError::NotOurs(_))));
    assert!(matches!(dns.delete(NAME, &owner(7)).await, Err(DnsError::NotOurs(_))));
    assert_eq!(fake.changes(), [""; 0]);
}

#[actix_web::test]
async fn every_refusal_has_its_words_and_none_shows_the_token() {
    let url = Fake::default().start();
    for (token, zone, part) in [
        ("pat_expired", ZONE, "does not accept the token (401)"),
        ("pat_narrow", ZONE, "may not change the zone example.test (403)"),
        ("pat_hasty", ZONE, "fewer requests (429)"),
        ("pat_right", "elsewhere.test", "no zone elsewhere.test for this token (404)"),
    ] {
        let dns = gandi(&url, token, zone);
        let name = format!("campus.{zone}");
        for words in [
            dns.check().await.unwrap_err().to_string(),
            dns.set(&name, &target(), &owner(7)).await.unwrap_err().to_string(),
            dns.owned().await.unwrap_err().to_string(),
        ] {
            assert!(words.contains(part) && !words.contains(token), "{words}");
        }
        assert!(!format!("{dns:?}").contains(token), "{dns:?}");
    }
}
