//! Pages for visitors that the gateway itself answers with.

const PAGE: &str = include_str!("page.html");

/// A page of the gateway.
struct Page {
    /// File name in the gateway's directory. A `.http` file is a complete answer with head, which HAProxy sends by
    /// itself; for the others, the rules of the configuration give the status.
    file: &'static str,
    title: &'static str,
    text: &'static str,
}

/// HAProxy puts the text of an instance's own page into this one.
const MAINTENANCE: &str = "maintenance.html";

const PAGES: &[Page] = &[
    Page {
        file: "unknown.html",
        title: "No such instance here",
        text: "No instance answers to this address. Check the address, or ask the person who gave it to you.",
    },
    Page {
        file: "inactive.html",
        title: "Nothing is active here yet",
        text: "This instance exists, but none of its app servers is active. Try again once one has been activated.",
    },
    Page {
        file: "preview.html",
        title: "This preview link does not work",
        text: "It has ended or was revoked, or its address is not complete. Ask the person who gave it to you for a new one.",
    },
    Page { file: MAINTENANCE, title: "Down for maintenance", text: "{notice}" },
    Page {
        file: "busy.html",
        title: "This instance has too many requests",
        text: "Its app server is answering as many requests as the gateway lets through to one. Try again in a moment.",
    },
    Page {
        file: "visitor.html",
        title: "Too many connections from your address",
        text: "The gateway answers only so many requests of one address at once. Try again in a moment.",
    },
    Page {
        file: "host.html",
        title: "This request does not name one host",
        text: "The Host header of a request must be exactly one valid host name, and the same one that the address names.",
    },
    Page {
        file: "connect.html",
        title: "This gateway is not a forward proxy",
        text: "It answers requests for the instances here, and opens no tunnels to other hosts.",
    },
    Page {
        file: "400.http",
        title: "This request is not valid HTTP",
        text: "Its first line or one of its headers has characters that are not allowed there, or does not say clearly \
               where the request ends.",
    },
    Page {
        file: "502.http",
        title: "This instance gave no proper answer",
        text: "Its app server broke off, sent something that is not valid HTTP, or sent headers of more than 32 KB. If \
               it stays so, tell the person who runs the instance.",
    },
    Page {
        file: "503.http",
        title: "This instance does not answer",
        text: "Its active app server could not be reached. It may be restarting: try again in a moment.",
    },
    Page {
        file: "504.http",
        title: "This instance takes too long",
        text: "Its active app server was reached, and gave no answer within five minutes.",
    },
];

/// Name and content of every page's file.
pub(super) fn files() -> impl Iterator<Item = (&'static str, String)> {
    PAGES.iter().map(|page| {
        let html = PAGE.replace("{title}", page.title).replace("{text}", page.text);
        let content = match page.file {
            // After a refused request, client and gateway may disagree about its end.
            "400.http" => whole_answer("400 Bad Request", "connection: close", &html),
            "502.http" => whole_answer("502 Bad Gateway", "retry-after: 5", &html),
            "503.http" => whole_answer("503 Service Unavailable", "retry-after: 5", &html),
            "504.http" => whole_answer("504 Gateway Timeout", "retry-after: 5", &html),
            // A format of HAProxy, where a percent sign begins a variable.
            MAINTENANCE => html.replace('%', "%%").replace("{notice}", "%[var(txn.notice)]"),
            _ => html,
        };
        (page.file, content)
    })
}

/// An error file of HAProxy is a complete HTTP answer.
fn whole_answer(status: &str, header: &str, html: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncache-control: no-store\r\n{header}\r\n\
         content-length: {}\r\n\r\n{html}",
        html.len()
    )
}
