//! Messages of the DNS over UDP and TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long a server may take for one answer over UDP.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a question is sent over UDP before the server counts as silent.
const ATTEMPTS: usize = 2;
/// How long an exchange over TCP may take.
const EXCHANGE: Duration = Duration::from_secs(10);
/// The largest answer over UDP that is read.
const MAX_UDP: usize = 4096;

/// Parses a name; it is absolute, with or without a dot at the end.
///
/// # Errors
/// A message that names it.
pub(super) fn name(text: &str) -> Result<Name, String> {
    let mut name = Name::from_ascii(text).map_err(|error| format!("{text} is not a name in the DNS: {error}"))?;
    name.set_fqdn(true);
    Ok(name)
}

/// A name in lower case, without a dot at the end.
pub(super) fn text(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// Asks a server; over TCP if the answer does not fit into UDP. `wants_recursion`: it is a resolver.
///
/// # Errors
/// Says that the server does not answer, or that its answer cannot be read.
pub(super) async fn ask(
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
    wants_recursion: bool,
) -> Result<Message, String> {
    let mut message = Message::query();
    message.metadata.recursion_desired = wants_recursion;
    message.add_query(Query::query(name.clone(), kind));
    let bytes = message.to_vec().map_err(|error| format!("the question about {name} cannot be written: {error}"))?;
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match timeout(PATIENCE, ask_udp(server, &bytes, &message)).await {
            Ok(Ok(answer)) if answer.truncation => {
                let answer = exchange(server, &bytes).await?;
                return read(&answer).filter(|answer| answers(answer, &message)).ok_or_else(|| unreadable(server));
            }
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = format!("{server} does not answer: {error}"),
            Err(_) => last = format!("{server} did not answer within {} s, asked {ATTEMPTS} times", PATIENCE.as_secs()),
        }
    }
    Err(last)
}

async fn ask_udp(server: SocketAddr, bytes: &[u8], question: &Message) -> std::io::Result<Message> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(bytes).await?;
    let mut buffer = vec![0; MAX_UDP];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // An answer to another question is an old or a forged one: the right one may still come.
        if let Some(answer) = buffer.get(..length).and_then(read).filter(|answer| answers(answer, question)) {
            return Ok(answer);
        }
    }
}

/// Sends a message over TCP and reads one answer.
///
/// # Errors
/// Says that the server does not answer.
pub(super) async fn exchange(server: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut stream = Stream::open(server, bytes).await?;
    stream.next().await
}

/// The answers to one message over TCP; a transfer of a zone has several.
pub(super) struct Stream {
    server: SocketAddr,
    stream: TcpStream,
}

impl Stream {
    /// Connects, and sends the message.
    ///
    /// # Errors
    /// Says that the server does not answer.
    pub(super) async fn open(server: SocketAddr, bytes: &[u8]) -> Result<Self, String> {
        let length = u16::try_from(bytes.len()).map_err(|_| "the message is too long".to_owned())?;
        let sent = async {
            let mut stream = TcpStream::connect(server).await?;
            stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
            Ok(stream)
        };
        Ok(Self { server, stream: within(server, sent).await? })
    }

    /// The next answer.
    ///
    /// # Errors
    /// Says that the server does not answer.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, String> {
        let read = async {
            let length = self.stream.read_u16().await?;
            let mut answer = vec![0; usize::from(length)];
            self.stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        within(self.server, read).await
    }
}

async fn within<T>(server: SocketAddr, work: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match timeout(EXCHANGE, work).await {
        Ok(done) => done.map_err(|error| format!("{server} does not answer over TCP: {error}")),
        Err(_) => Err(format!("{server} did not answer over TCP within {} s", EXCHANGE.as_secs())),
    }
}

/// Parses an answer; none: it cannot be read.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    Message::from_vec(bytes).ok()
}

/// The message about an answer that cannot be read.
pub(super) fn unreadable(server: SocketAddr) -> String {
    format!("the answer of {server} cannot be read")
}

fn answers(answer: &Message, question: &Message) -> bool {
    answer.id == question.id
        && answer.message_type == MessageType::Response
        && answer.op_code == OpCode::Query
        // Some servers leave the question out of a refusal.
        && (answer.queries == question.queries || answer.queries.is_empty() && answer.response_code != ResponseCode::NoError)
}

/// The texts of the TXT records at this name.
pub(super) fn texts(records: &[Record], at: &Name) -> Vec<String> {
    let own = records.iter().filter(|record| record.name == *at);
    own.filter_map(|record| {
        let RData::TXT(txt) = &record.data else { return None };
        Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect())
    })
    .collect()
}

/// The address in a record, if it is one.
pub(super) fn address(record: &Record) -> Option<IpAddr> {
    if let RData::AAAA(address) = &record.data {
        return Some(IpAddr::V6(address.0));
    }
    let RData::A(address) = &record.data else { return None };
    Some(IpAddr::V4(address.0))
}
