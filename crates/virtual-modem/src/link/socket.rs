//! A connection over TCP, with or without TLS.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;

use super::wire::{Decoder, encode};
use super::{ConnectionNo, Dial, DialFailure, LinkEvent, tls};
use crate::mqtt::packet::Packet;

/// Where a connection reports.
type Sink = mpsc::UnboundedSender<(ConnectionNo, LinkEvent)>;

/// Dials and then carries packets in both directions until one side closes. When the sender of `packets` is dropped
/// what it had sent is still written.
pub(super) async fn run(
    connection: ConnectionNo,
    dial: Dial,
    instead: Option<SocketAddr>,
    mut packets: mpsc::UnboundedReceiver<Packet>,
    sink: Sink,
) {
    let report = |event| {
        // The module may be gone; then nobody wants to know.
        let _ = sink.send((connection, event));
    };
    // Nothing is sent before the connection is open: what comes out here is that the module gave up.
    let dialled = tokio::select! {
        biased;
        dialled = open(&dial, instead) => dialled,
        _ = packets.recv() => return,
    };
    let stream = match dialled {
        Ok(stream) => stream,
        Err((why, note)) => {
            report(LinkEvent::Note(note));
            report(LinkEvent::Dialled(Err(why)));
            return;
        }
    };
    report(LinkEvent::Dialled(Ok(())));
    match carry(stream, &mut packets, &report).await {
        Ok(()) => {}
        Err(error) => {
            report(LinkEvent::Note(format!("connection {connection}: {error}")));
            report(LinkEvent::Closed);
        }
    }
}

/// Any byte stream.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn open(dial: &Dial, instead: Option<SocketAddr>) -> Result<Box<dyn Stream>, (DialFailure, String)> {
    let host = String::from_utf8_lossy(&dial.host).into_owned();
    let address = match instead {
        Some(address) => address,
        None => resolve(&host, dial.port)
            .await
            .ok_or_else(|| (DialFailure::NameUnknown, format!("error 565: nobody knows the name {host}")))?,
    };
    let tcp = TcpStream::connect(address).await.map_err(|error| {
        let why = if error.kind() == io::ErrorKind::TimedOut {
            DialFailure::TimedOut
        } else {
            DialFailure::Refused
        };
        (why, format!("error 566: cannot connect to {address}: {error}"))
    })?;
    tcp.set_nodelay(true).map_err(|error| (DialFailure::Refused, error.to_string()))?;
    match &dial.tls {
        None => Ok(Box::new(tcp)),
        Some(settings) => match tls::handshake(settings, &host, tcp).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err((DialFailure::Handshake, format!("error 566: no TLS with {host}: {error}"))),
        },
    }
}

async fn resolve(host: &str, port: u16) -> Option<SocketAddr> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await.ok()?.collect();
    // Modules of this kind have an IPv4 context by default.
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied()
}

/// Returns `Ok` when the module hung up, an error when the other side did.
async fn carry(
    stream: Box<dyn Stream>,
    packets: &mut mpsc::UnboundedReceiver<Packet>,
    report: &impl Fn(LinkEvent),
) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut decoder = Decoder::new();
    let mut outgoing = BytesMut::new();
    let mut buffer = vec![0; 4096];
    let mut hung_up = false;
    while !(hung_up && outgoing.is_empty()) {
        tokio::select! {
            biased;
            packet = packets.recv(), if !hung_up => match packet {
                Some(packet) => outgoing.extend_from_slice(&encode(&packet).map_err(io::Error::other)?),
                None => hung_up = true,
            },
            written = writer.write(&outgoing), if !outgoing.is_empty() => {
                outgoing.advance(written?);
                if outgoing.is_empty() {
                    writer.flush().await?;
                }
            }
            count = reader.read(&mut buffer) => {
                let bytes = match buffer.get(..count?) {
                    None | Some([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Some(bytes) => bytes,
                };
                for packet in decoder.feed(bytes).map_err(io::Error::other)? {
                    report(LinkEvent::Packet(packet));
                }
            }
        }
    }
    writer.shutdown().await
}
