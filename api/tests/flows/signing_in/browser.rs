//! A minimal browser: cookies with their paths, and redirects.

use std::collections::BTreeMap;

use reqwest::Method;

use crate::app::{Answer, Client, TestApp, http};

/// A browser that is signed in nowhere yet.
pub struct Browser {
    app: Client,
    /// Path and value by name.
    pub cookies: BTreeMap<String, (String, String)>,
    /// The `Accept` header; a script asks for JSON.
    pub accept: &'static str,
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        Self { app: app.anonymous(), cookies: BTreeMap::new(), accept: "text/html,application/xhtml+xml,*/*;q=0.8" }
    }

    pub fn script(app: &TestApp) -> Self {
        Self { accept: "application/json", ..Self::new(app) }
    }

    /// GET with the cookies that apply to this path.
    pub async fn get(&mut self, path: &str) -> Answer {
        let sent = self.cookies.iter().filter(|(_, (of, _))| path.starts_with(of.as_str()));
        let sent: Vec<String> = sent.map(|(name, (_, value))| format!("{name}={value}")).collect();
        let request = self.app.request(Method::GET, path).header("accept", self.accept);
        let answer = Answer::to(request.header("cookie", sent.join("; "))).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let mut parts = cookie.to_str().unwrap().split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let attributes: Vec<&str> = parts.collect();
            let path = attributes.iter().find_map(|part| part.strip_prefix("Path=")).unwrap().to_owned();
            if attributes.contains(&"Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), (path, value.to_owned()));
            }
        }
        answer
    }

    /// Begins at the provider and follows its redirect; gives the path of the callback.
    pub async fn leave(&mut self, provider: &str, next: Option<&str>) -> String {
        let query = next.map(|next| format!("?next={next}")).unwrap_or_default();
        let away = self.get(&format!("/api/v1/auth/{provider}/login{query}")).await;
        assert_eq!(away.status, 302, "{}", away.body);
        let http = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let back = http.get(away.header("location")).send().await.unwrap();
        assert_eq!(back.status(), 302);
        let back = back.headers()["location"].to_str().unwrap();
        back.strip_prefix("https://ocim.example").unwrap().to_owned()
    }

    /// Signs in at the provider; gives the callback's answer.
    pub async fn sign_in(&mut self, provider: &str) -> Answer {
        let back = self.leave(provider, None).await;
        self.get(&back).await
    }

    /// Signs in at the provider, which must succeed. Gives the user.
    pub async fn signed_in(&mut self, provider: &str) -> serde_json::Value {
        let answer = self.sign_in(provider).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/"), "{}", answer.body);
        self.get("/api/v1/auth/me").await.expect(200)
    }
}
