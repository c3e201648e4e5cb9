//! Private repositories: a deploy key with a real sshd, a token with git's own HTTP server behind Basic authentication.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocim::git::credentials::{Credential, Credentials};
use ocim::git::port::{Git, GitError, Progress};
use ocim::git::real::GitCli;
use ocim::git::sources::Sources;
use ocim::platform::sandbox::{Sandbox, SandboxSettings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Sshd, all_arguments, local_play};

/// The same credential for every repository.
#[derive(Debug, Clone)]
struct Given(Option<Credential>);

#[async_trait]
impl Credentials for Given {
    async fn find(&self, _repository: &str) -> Result<Option<Credential>, String> {
        Ok(self.0.clone())
    }
}

struct Quiet;

#[async_trait]
impl Progress for Quiet {
    async fn say(&mut self, _text: String) -> Result<(), String> {
        Ok(())
    }
}

fn git(cache: &TempDir, source: &str, credential: Option<Credential>) -> GitCli {
    let sources = Sources::new([source], Vec::new()).unwrap();
    let sandbox = Arc::new(Sandbox::new(SandboxSettings {
        // The servers of these tests are on this host, which the walls keep out of reach.
        is_off: true,
        ..SandboxSettings::new(cache.path().join("sandbox"))
    }));
    GitCli { cache_dir: cache.path().to_owned(), sources, credentials: Arc::new(Given(credential)), sandbox }
}

fn refusal(result: Result<String, GitError>) -> String {
    let Err(GitError::Permanent(words)) = result else { panic!("{result:?}") };
    words
}

#[tokio::test]
async fn a_deploy_key_reads_a_repository_over_ssh_and_leaves_nothing() {
    let (sshd, cache) = (Sshd::start().await, tempfile::tempdir().unwrap());
    let repository = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    let head = repository.git(&["rev-parse", "HEAD"]);
    let (port, source) = (sshd.address.port(), format!("ssh://root@{}/*", sshd.address));
    let url = format!("ssh://root@{}{}", sshd.address, repository.address());
    let file = |name: &str| std::fs::read_to_string(sshd.dir.path().join(name)).unwrap();
    let hosts = |key: &str| format!("[127.0.0.1]:{port} {key}");
    let with = |private_key: String, known_hosts: String| Some(Credential::DeployKey { private_key, known_hosts });
    let good = git(&cache, &source, with(file("client"), hosts(&sshd.public_key("host.pub"))));
    assert_eq!(good.resolve(&url, "master").await.unwrap(), head);
    let checkout = cache.path().join("run/checkout");
    good.check_out(&url, &head, &checkout, &mut Quiet, &CancellationToken::new()).await.unwrap();
    assert!(checkout.join("playbooks/site.yml").is_file());
    assert_eq!(std::fs::read_dir(cache.path().join("git/keys")).unwrap().count(), 0, "the key's files are gone");
    // The same without the right key, the server's key, or any key.
    let words = refusal(
        git(&cache, &source, with(file("host"), hosts(&sshd.public_key("host.pub")))).resolve(&url, "master").await,
    );
    assert!(words.contains("Permission denied"), "{words}");
    let words = refusal(
        git(&cache, &source, with(file("client"), hosts(&sshd.public_key("client.pub")))).resolve(&url, "master").await,
    );
    assert!(words.contains("Host key verification failed"), "{words}");
    let words = refusal(git(&cache, &source, None).resolve(&url, "master").await);
    assert!(words.contains(&format!("there is no deploy key for {url}")), "{words}");
    assert_eq!(std::fs::read_dir(cache.path().join("git/keys")).unwrap().count(), 0);
}

/// A web server that passes requests with this login to `git http-backend`, redirects below `/away/`, and answers
/// others with 401 and what they sent.
const SERVER: &str = r#"
import base64, http.server, os, subprocess, sys
root, login, away = sys.argv[1:4]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def log_message(self, *_): pass
    def answer(self):
        sent = self.headers.get("Authorization")
        print(self.path, sent, flush=True)
        if self.path.startswith("/away/"):
            self.send_response(302); self.send_header("Location", away + self.path[5:]); self.end_headers(); return
        if sent != "Basic " + base64.b64encode(login.encode()).decode():
            body = f"you sent {sent} {base64.b64decode((sent or ' ').split(' ')[1]).decode()}".encode()
            self.send_response(401); self.send_header("WWW-Authenticate", "Basic realm=x")
            self.send_header("Content-Type", "text/plain"); self.end_headers(); self.wfile.write(body); return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = dict(os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
            REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type") or "",
            GIT_PROTOCOL=self.headers.get("Git-Protocol") or "", HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding") or "")
        made = subprocess.run(["git", "-c", "safe.directory=*", "http-backend"], input=body, env=env, capture_output=True).stdout
        head, _, body = made.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for name, value in fields.items(): self.send_header(name, value)
        self.end_headers(); self.wfile.write(body)
    do_GET = do_POST = answer
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"#;

struct Web {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    address: String,
}

impl Web {
    fn start(root: &str, login: &str, away: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", SERVER, root, login, away])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = reader.next().unwrap().unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || reader.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, address: format!("http://127.0.0.1:{port}") }
    }

    /// The requests since the last call: path and `Authorization`. A request of this test marks the end of them, because
    /// the server's output arrives later than its answers.
    fn requests(&self) -> Vec<String> {
        let mut mark = TcpStream::connect(self.address.trim_start_matches("http://")).unwrap();
        mark.write_all(b"GET /mark HTTP/1.0\r\n\r\n").unwrap();
        mark.read_to_end(&mut Vec::new()).unwrap();
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(Duration::from_secs(10)).ok());
        lines.take_while(|line| !line.starts_with("/mark ")).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_token_reads_a_repository_over_http_and_goes_to_no_other_server() {
    let (cache, repository) =
        (tempfile::tempdir().unwrap(), Repository::with_playbook(&local_play("    - debug: msg=x\n")));
    let head = repository.git(&["rev-parse", "HEAD"]);
    let root = repository.0.path().parent().unwrap().display().to_string();
    let name = repository.0.path().file_name().unwrap().to_str().unwrap();
    let other = Web::start(&root, "git:hunter2", "");
    let web = Web::start(&root, "git:hunter2", &other.address);
    let source = format!("{}/*", web.address);
    let token = |token: &str| Some(Credential::Token { username: "git".into(), token: token.into() });
    let url = format!("{}/{name}/.git", web.address);
    let good = git(&cache, &source, token("hunter2"));
    assert_eq!(good.resolve(&url, "master").await.unwrap(), head);
    let checkout = cache.path().join("run/checkout");
    good.check_out(&url, &head, &checkout, &mut Quiet, &CancellationToken::new()).await.unwrap();
    assert!(checkout.join("playbooks/site.yml").is_file());
    assert!(!all_arguments().iter().any(|text| text.contains("hunter2") && text.contains("extraHeader")));
    // Without it, and with a wrong one, which the server repeats.
    let words = refusal(git(&cache, &source, None).resolve(&url, "master").await);
    assert!(words.contains("cannot be read"), "{words}");
    let words = refusal(git(&cache, &source, token("wrong-hunter3")).resolve(&url, "master").await);
    assert!(words.contains("cannot be read") && !words.contains("hunter3"), "{words}");
    // A redirect to another server is not followed with a token; without one it is.
    let (before, away) = (other.requests(), format!("{}/away/{name}/.git", web.address));
    assert_eq!(before, Vec::<String>::new());
    let words = refusal(good.resolve(&away, "master").await);
    assert!(words.contains("its server redirects"), "{words}");
    assert_eq!(other.requests(), Vec::<String>::new(), "the token went to another server");
    assert!(git(&cache, &source, None).resolve(&away, "master").await.is_err());
    let reached = other.requests();
    assert!(!reached.is_empty() && reached.iter().all(|line| line.ends_with(" None")), "{reached:?}");
}
