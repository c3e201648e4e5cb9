//! Mail over real SMTP.

use ocim::platform::mail::smtp::{SmtpConfig, SmtpMailer};
use ocim::platform::mail::{Attachment, MailError, Mailer, Message};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::install_tls;

/// The commands and the mail of one SMTP conversation.
#[derive(Debug, Default)]
struct Heard {
    commands: Vec<String>,
    data: String,
}

/// Serves one conversation, and answers RCPT with `recipient`.
async fn serve(recipient: &'static str) -> (u16, JoinHandle<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let conversation = async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut heard = Heard::default();
        writer.write_all(b"220 test ESMTP\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let word = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            heard.commands.push(line);
            let answer = match word.as_str() {
                "EHLO" => "250-test\r\n250-8BITMIME\r\n250 SIZE 10240000",
                "RCPT" => recipient,
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await.unwrap();
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        heard.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                        heard.data.push('\n');
                    }
                    "250 queued"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() || word == "QUIT" {
                break;
            }
        }
        heard
    };
    (port, tokio::spawn(conversation))
}

fn mailer(port: u16) -> SmtpMailer {
    install_tls();
    SmtpMailer::new(SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        user: String::new(),
        password: None,
        use_tls: false,
        from: "ocim@campus.example".into(),
        to: vec!["one@example.com".into(), "Two <two@example.com>".into()],
        subject_prefix: "[OpenCraft] ".into(),
    })
    .unwrap()
}

fn message() -> Message {
    Message {
        id: "app-server-7@an-installation".into(),
        subject: "AppServer AppServer 7 (Demo\r\nBcc: evil@example.com) failed to provision".into(),
        text: "AppServer AppServer 7 failed.\n.\nA line after a dot.\n".into(),
        attachment: Some(Attachment { name: "provision.log".into(), text: "one\n.two\nthree\n".into() }),
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_and_once() {
    let (port, heard) = serve("250 ok").await;
    mailer(port).send(&message()).await.unwrap();
    let Heard { commands, data } = heard.await.unwrap();
    assert!(commands.iter().any(|line| line.starts_with("MAIL FROM:<ocim@campus.example>")), "{commands:?}");
    let recipients: Vec<_> = commands.iter().filter(|line| line.starts_with("RCPT TO:")).collect();
    assert_eq!(recipients, ["RCPT TO:<one@example.com>", "RCPT TO:<two@example.com>"]);
    let (headers, body) = data.split_once("\n\n").unwrap();
    for header in [
        "From: ocim@campus.example",
        "To: one@example.com, Two <two@example.com>",
        "Message-ID: <app-server-7@an-installation>",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.lines().any(|line| line == header), "{header} in {headers}");
    }
    let unfolded = headers.replace("\n ", " ");
    let subject = "Subject: [OpenCraft] AppServer AppServer 7 (Demo Bcc: evil@example.com) failed to provision";
    assert!(unfolded.lines().any(|line| line == subject), "{headers}");
    assert!(!unfolded.lines().any(|line| line.starts_with("Bcc")), "{headers}");
    assert!(body.contains("AppServer AppServer 7 failed.\n.\nA line after a dot.\n"), "{body}");
    assert!(body.contains("Content-Disposition: attachment; filename=\"provision.log\""), "{body}");
    assert!(body.contains("one\n.two\nthree\n"), "{body}");
}

#[tokio::test]
async fn a_refused_mail_and_an_unavailable_server_are_different_errors() {
    let (port, heard) = serve("550 5.1.1 no such mailbox").await;
    let refused = mailer(port).send(&message()).await.unwrap_err();
    assert!(matches!(&refused, MailError::Refused(words) if words.contains("no such mailbox")), "{refused:?}");
    assert_eq!(heard.await.unwrap().data, "");
    let (port, heard) = serve("451 4.3.0 come back later").await;
    let later = mailer(port).send(&message()).await.unwrap_err();
    assert!(matches!(&later, MailError::Away(words) if words.contains("come back later")), "{later:?}");
    drop(heard);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let away = mailer(port).send(&message()).await.unwrap_err();
    assert!(matches!(&away, MailError::Away(_)), "{away:?}");
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_where_tls_is_wanted() {
    let (port, heard) = serve("250 ok").await;
    install_tls();
    let mailer = SmtpMailer::new(SmtpConfig {
        host: "localhost".into(),
        port,
        user: "me".into(),
        password: Some("hunter2".to_owned().into()),
        use_tls: true,
        from: "ocim@campus.example".into(),
        to: vec!["one@example.com".into()],
        subject_prefix: String::new(),
    });
    assert!(mailer.unwrap().send(&message()).await.is_err());
    let Heard { commands, data } = heard.await.unwrap();
    assert!(data.is_empty() && !commands.iter().any(|line| line.starts_with("AUTH")), "{commands:?}");
}
