//! Who asks.

use at_codec::CommandLine;
use at_port::{Exchange, LinkState, PlainRules, Port, PortOptions};
use atat::asynch::{AtatClient, Client};
use atat::{AtDigester, AtatCmd, AtatIngress, AtatResp, AtatUrc, Config, Ingress, ResponseSlot, UrcChannel};
use bytes::Bytes;
use embassy_time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

const COMMAND: &[u8] = b"AT\r";

/// Writes a command, reads its answer, and does nothing else.
pub(crate) struct Raw<IO> {
    io: IO,
    buffer: [u8; 64],
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Raw<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self { io, buffer: [0; 64] }
    }

    pub(crate) async fn exchange(&mut self) {
        self.ask(COMMAND).await;
    }

    pub(crate) async fn ask(&mut self, command: &[u8]) -> &[u8] {
        self.io.write_all(command).await.expect("the module is there");
        let mut length = 0;
        while !self.buffer[..length].ends_with(b"OK\r\n") {
            length += self.io.read(&mut self.buffer[length..]).await.expect("the module is there");
        }
        &self.buffer[..length]
    }
}

type Question = (&'static [u8], oneshot::Sender<Bytes>);

/// The least that lets several tasks share a port.
pub(crate) struct Actor {
    questions: mpsc::Sender<Question>,
}

impl Actor {
    pub(crate) fn start<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: IO) -> Self {
        let (questions, mut inbox) = mpsc::channel::<Question>(16);
        let mut raw = Raw::new(io);
        tokio::spawn(async move {
            while let Some((command, answer)) = inbox.recv().await {
                let reply = Bytes::copy_from_slice(raw.ask(command).await);
                let _ = answer.send(reply);
            }
        });
        Self { questions }
    }

    pub(crate) async fn exchange(&self) {
        let (answer, reply) = oneshot::channel();
        self.questions.send((COMMAND, answer)).await.expect("the actor is there");
        reply.await.expect("the actor answers");
    }
}

/// The port of this library, fence and session included.
pub(crate) struct Ours {
    port: Port<Bytes>,
}

impl Ours {
    pub(crate) async fn start<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: IO) -> Self {
        let (port, driver) = Port::new(io, PlainRules::boxed(), PortOptions::default());
        tokio::spawn(driver);
        let mut link = port.link();
        link.wait_for(|link| *link == LinkState::Synced).await.expect("the link is proven");
        Self { port }
    }

    pub(crate) async fn exchange(&self) {
        self.port.run(Exchange::new(CommandLine::execute(""))).await.expect("the module answers");
    }
}

/// `AT` in atat's terms.
struct At;

/// An answer without content.
struct Nothing;

impl AtatResp for Nothing {}

impl AtatCmd for At {
    type Response = Nothing;
    const MAX_LEN: usize = 4;

    fn write(&self, buf: &mut [u8]) -> usize {
        buf[..COMMAND.len()].copy_from_slice(COMMAND);
        COMMAND.len()
    }

    fn parse(&self, answer: Result<&[u8], atat::InternalError<'_>>) -> Result<Nothing, atat::Error> {
        answer.map(|_| Nothing).map_err(Into::into)
    }
}

/// No reports.
struct NoReports;

impl AtatUrc for NoReports {
    type Response = ();

    fn parse(_: &[u8]) -> Option<()> {
        None
    }
}

impl atat::Parser for NoReports {
    fn parse(_: &[u8]) -> Result<(&[u8], usize), atat::digest::ParseError> {
        Err(atat::digest::ParseError::NoMatch)
    }
}

const BUFFER: usize = 256;

/// atat's client without its pause between commands.
pub(crate) struct Atat<IO: AsyncWrite> {
    client: Client<'static, Half<WriteHalf<IO>>, BUFFER>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static> Atat<IO> {
    pub(crate) fn start(io: IO) -> Self {
        // Both sides borrow these for as long as they run: to the end of the process.
        let slot: &ResponseSlot<BUFFER> = Box::leak(Box::new(ResponseSlot::new()));
        let reports: &UrcChannel<NoReports, 1, 1> = Box::leak(Box::new(UrcChannel::new()));
        let (reader, writer) = tokio::io::split(io);
        tokio::spawn(async move {
            let mut buffer = [0; BUFFER];
            let mut ingress = Ingress::new(AtDigester::<NoReports>::new(), &mut buffer, slot, reports);
            // As `read_from` does, which cannot be spawned: no trait says that its future is Send.
            let mut reader: ReadHalf<IO> = reader;
            loop {
                let count = reader.read(ingress.write_buf()).await.unwrap_or_default();
                if count == 0 || ingress.try_advance(count).is_err() {
                    return;
                }
            }
        });
        let config = Config::new().cmd_cooldown(Duration::from_ticks(0));
        let client = Client::new(Half(writer), slot, Box::leak(Box::new([0; BUFFER])), config);
        Self { client }
    }

    pub(crate) async fn exchange(&mut self) {
        assert!(self.client.send(&At).await.is_ok(), "the module answers");
    }
}

/// Tokio's half in the words of embedded-io.
struct Half<W>(W);

impl<W> embedded_io_async::ErrorType for Half<W> {
    type Error = embedded_io_async::ErrorKind;
}

impl<W: AsyncWrite + Unpin> embedded_io_async::Write for Half<W> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        self.0.write(buf).await.map_err(|_| embedded_io_async::ErrorKind::Other)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
