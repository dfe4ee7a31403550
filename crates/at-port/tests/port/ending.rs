//! How a port ends: unplugged, broken, stalled, dropped, closed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use at_codec::CommandLine;
use at_port::{
    Channel, Deferred, Exchange, Lane, LinkState, Operation, OperationError, Phase, PlainRules, Port,
    PortError, PortOptions, Progress, PromptForm,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use crate::common::{Module, ms, start_with, synced, synced_with, write};

fn csq() -> Exchange {
    Exchange::new(CommandLine::execute("+CSQ"))
}

fn done(number: i64) -> Operation {
    Exchange::new(write("+DO", number)).deferred(Deferred::new(&["+DONE"], [number], Duration::from_secs(30)))
}

/// What a read brings when the module has hung up.
type AtTheEnd = fn() -> io::Result<()>;

/// A transport that fails on demand: reads after the module has hung up, writes after a number of bytes.
struct Failing {
    io: DuplexStream,
    reads: AtTheEnd,
    writes: Option<usize>,
}

impl AsyncRead for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() == before => Poll::Ready((self.reads)()),
            other => other,
        }
    }
}

impl AsyncWrite for Failing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Some(left) = self.writes else { return Pin::new(&mut self.io).poll_write(cx, buf) };
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = left.min(buf.len());
        let written = Pin::new(&mut self.io).poll_write(cx, &buf[..count]);
        if let Poll::Ready(Ok(count)) = written {
            self.writes = Some(left - count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn f58_hang_up_and_io_errors_end_the_port_at_once_for_everybody() {
    // EIO of a terminal without its other end, ENODEV of a USB device that is gone.
    let cases: [(AtTheEnd, &str); 3] = [
        (|| Ok(()), "the port hung up"),
        (|| Err(io::Error::from_raw_os_error(5)), "the port failed"),
        (|| Err(io::Error::from_raw_os_error(19)), "the port failed"),
    ];
    for (reads, expected) in cases {
        let (host, module) = tokio::io::duplex(4096);
        let (port, driver) =
            Port::new(Failing { io: host, reads, writes: None }, PlainRules::boxed(), PortOptions::default());
        let driver = tokio::spawn(driver);
        let mut module = Module::new(module);
        let mut reports = port.receiver(Channel::Modem);
        module.pass_fence().await;
        let start = |operation: Operation| {
            let port = port.clone();
            tokio::spawn(async move { port.run(operation).await })
        };
        let waiting = start(done(1));
        module.answer("AT+DO=1\r", "\r\nOK\r\n").await;
        let flying = start(csq().into());
        module.expect("AT+CSQ\r").await;
        let queued = start(csq().into());
        tokio::task::yield_now().await;
        drop(module);
        for (running, progress) in
            [(waiting, Progress::Complete), (flying, Progress::Complete), (queued, Progress::Nothing)]
        {
            let error = running.await.unwrap().unwrap_err();
            assert_eq!(error.progress(), progress);
            let OperationError::Port { error, .. } = error else { panic!("{error:?}") };
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(driver.await.unwrap().to_string(), expected);
        // The reason is kept for later calls, and receivers end.
        assert_eq!(port.ended().unwrap().to_string(), expected);
        assert!(matches!(
            port.run(csq()).await,
            Err(OperationError::Port { progress: Progress::Nothing, .. })
        ));
        assert_eq!(reports.recv().await, Err(RecvError::Closed));
        assert_eq!(port.receiver(Channel::Modem).recv().await, Err(RecvError::Closed));
        assert_eq!(port.events().recv().await, Err(RecvError::Closed));
        assert_eq!(*port.link().borrow(), LinkState::Dead);
    }
}

#[tokio::test(start_paused = true)]
async fn f14_a_write_that_fails_after_n_bytes_says_how_far_it_came() {
    let probe = "AT+CMEE?\r".len();
    let cases =
        [(0, Progress::Nothing), (1, Progress::Begun), (9, Progress::Begun), (12, Progress::DataInPart)];
    for (bytes, progress) in cases {
        let (host, module) = tokio::io::duplex(4096);
        let io = Failing { io: host, reads: || Ok(()), writes: Some(probe + bytes) };
        let (port, driver) = Port::new(io, PlainRules::boxed(), PortOptions::default());
        let driver = tokio::spawn(driver);
        let mut module = Module::new(module);
        module.pass_fence().await;
        let publish = Exchange::new(write("+PUB", 5)).data(PromptForm::Mark, "hello".into(), ms(1000));
        let running = tokio::spawn({
            let port = port.clone();
            async move { port.run(publish).await }
        });
        tokio::time::sleep(ms(10)).await;
        if bytes >= 9 {
            module.expect("AT+PUB=5\r").await;
            module.send("\r\n> ").await;
        }
        assert_eq!(running.await.unwrap().unwrap_err().progress(), progress, "after {bytes} bytes");
        assert!(matches!(driver.await.unwrap(), PortError::Io(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn f13_a_transport_that_takes_nothing_ends_the_port() {
    let s = synced_with(PortOptions::default(), 4).await;
    let payload = vec![b'x'; 100];
    let running = s.run(Exchange::new(write("+PUB", 100)).data(PromptForm::Mark, payload.into(), ms(1000)));
    let begun = Instant::now();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!((error.progress(), begun.elapsed()), (Progress::Begun, Duration::from_secs(30)));
    assert!(matches!(s.driver.await.unwrap(), PortError::Stalled { .. }));
    assert_eq!(Phase::Write.to_string(), "free transport");
}

#[tokio::test(start_paused = true)]
async fn f62_a_driver_that_is_dropped_answers_everybody() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let flying = s.run(csq());
    s.module.expect("AT+CSQ\r").await;
    let queued = s.run(csq());
    tokio::task::yield_now().await;
    s.driver.abort();
    for running in [flying, queued] {
        let error = running.await.unwrap().unwrap_err();
        assert!(matches!(error, OperationError::Port { error: PortError::DriverGone, .. }), "{error:?}");
    }
    assert!(matches!(s.port.post(csq()), Err(PortError::DriverGone)));
    assert_eq!(reports.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(*s.port.link().borrow(), LinkState::Dead);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_has_ended_but_is_kept_answers_everybody() {
    let (host, module) = tokio::io::duplex(4096);
    let (port, mut driver) = Port::new(host, PlainRules::boxed(), PortOptions::default());
    drop(module);
    let running = tokio::spawn({
        let port = port.clone();
        async move { port.run(csq()).await }
    });
    assert!(matches!((&mut driver).await, PortError::HungUp));
    assert!(running.await.unwrap().is_err());
    assert!(matches!(port.run(csq()).await, Err(OperationError::Port { error: PortError::HungUp, .. })));
    assert!(matches!(port.post(csq()), Err(PortError::HungUp)));
    assert!(matches!(driver.await, PortError::HungUp));
}

#[tokio::test(start_paused = true)]
async fn without_handles_the_queue_is_finished_and_then_the_port_ends() {
    let mut s = start_with(PortOptions::default(), 4096);
    for number in 1..=3 {
        s.port.post(Exchange::new(write("+STEP", number))).unwrap();
    }
    drop(s.port);
    s.module.pass_fence().await;
    for number in 1..=3 {
        s.module.answer(&format!("AT+STEP={number}\r"), "\r\nOK\r\n").await;
    }
    assert!(matches!(s.driver.await.unwrap(), PortError::Closed));
}

#[tokio::test(start_paused = true)]
async fn close_finishes_what_was_asked_for_and_refuses_the_rest() {
    let mut s = synced().await;
    let waiting = s.run(done(1));
    s.module.answer("AT+DO=1\r", "\r\nOK\r\n").await;
    let queued = s.run(csq());
    tokio::task::yield_now().await;
    s.port.close();
    tokio::task::yield_now().await;
    let error = s.port.run(csq()).await.unwrap_err();
    assert!(matches!(error, OperationError::Port { error: PortError::Closed, .. }), "{error:?}");
    s.module.answer("AT+CSQ\r", "\r\nOK\r\n").await;
    queued.await.unwrap().unwrap();
    assert!(!s.driver.is_finished());
    s.module.send("\r\n+DONE: 1,0\r\n").await;
    waiting.await.unwrap().unwrap();
    assert!(matches!(s.driver.await.unwrap(), PortError::Closed));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_started_in_time_is_given_up_unwritten() {
    let mut s = synced().await;
    let flying = s.run(csq().timeout(Duration::from_secs(20)));
    s.module.expect("AT+CSQ\r").await;
    let begun = Instant::now();
    let late = s.run(Operation::from(csq()).start_within(Duration::from_secs(5)).lane(Lane::client(3)));
    let error = late.await.unwrap().unwrap_err();
    assert!(matches!(error, OperationError::NotStarted { after } if after == Duration::from_secs(5)));
    assert_eq!((begun.elapsed(), error.progress()), (Duration::from_secs(5), Progress::Nothing));
    s.module.send("\r\nOK\r\n").await;
    flying.await.unwrap().unwrap();
    s.check_in_step().await;
}

/// The transport is blocked before the first byte: the operation is still withdrawn or given up.
#[tokio::test(start_paused = true)]
async fn what_a_blocked_transport_has_not_begun_can_be_withdrawn() {
    let mut s = synced_with(PortOptions::default(), 9).await;
    // The module answers without having read its pipe, which stays full.
    let filler = s.run(Exchange::new(write("+FIL", 1)));
    tokio::time::sleep(ms(10)).await;
    s.module.send("\r\nOK\r\n").await;
    filler.await.unwrap().unwrap();
    let late = s.run(Operation::from(csq()).start_within(ms(1000)));
    assert!(matches!(late.await.unwrap(), Err(OperationError::NotStarted { .. })));
    let dropped = s.run(csq());
    tokio::time::sleep(ms(10)).await;
    dropped.abort();
    tokio::time::sleep(ms(10)).await;
    s.module.expect("AT+FIL=1\r").await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_transport_buffers_is_flushed() {
    let (host, module) = tokio::io::duplex(4096);
    let (port, driver) =
        Port::new(tokio::io::BufWriter::new(host), PlainRules::boxed(), PortOptions::default());
    tokio::spawn(driver);
    let mut module = Module::new(module);
    module.pass_fence().await;
    port.post(csq()).unwrap();
    module.answer("AT+CSQ\r", "\r\nOK\r\n").await;
}

/// Reports that each ask for something must not keep a port busy that is to be closed.
#[tokio::test(start_paused = true)]
async fn a_closed_port_is_not_kept_open_by_reports() {
    let mut s = synced().await;
    s.module.send("\r\n+NEW: 0\r\n").await;
    s.module.expect("AT+READ=0\r").await;
    s.port.close();
    s.module.expect_nothing_for(ms(10)).await;
    s.module.send("\r\n+NEW: 1\r\n\r\nOK\r\n").await;
    assert!(matches!(s.driver.await.unwrap(), PortError::Closed));
}
