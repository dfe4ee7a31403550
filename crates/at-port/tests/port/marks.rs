//! The mark that a host leaves while the module may wait for a payload, and what is written when nobody knows.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use at_codec::CommandLine;
use at_port::{
    Deferred, Exchange, LinkState, OperationError, PayloadMark, Phase, PlainRules, Port, PortEvent,
    PortOptions, Progress,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::common::{Module, ms, start_with, synced_with};
use crate::prompts::{PATIENCE, publish};

#[derive(Clone, Default)]
struct Mark(Arc<Mutex<Vec<&'static str>>>);

impl PayloadMark for Mark {
    fn set(&mut self, _: usize) {
        self.0.lock().unwrap().push("set");
    }

    fn clear(&mut self) {
        self.0.lock().unwrap().push("clear");
    }
}

impl Mark {
    fn options(&self) -> PortOptions {
        let mut options = PortOptions::default();
        options.payload_mark = Some(Box::new(self.clone()));
        options
    }

    fn seen(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn f30_the_mark_is_set_before_the_command_and_cleared_by_the_answer() {
    let mark = Mark::default();
    let mut s = synced_with(mark.options(), 4).await;
    s.check_in_step().await;
    assert_eq!(mark.seen(), [""; 0]);
    let running = s.run(publish(&[b'x'; 20]));
    s.module.expect("A").await;
    assert_eq!(mark.seen(), ["set"]);
    s.module.expect("T+PUB=20\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect([b'x'; 10]).await;
    assert_eq!(mark.seen(), ["set"]);
    s.module.expect([b'x'; 10]).await;
    s.module.expect_nothing_for(ms(1)).await;
    assert_eq!(mark.seen(), ["set"], "what was written need not have arrived");
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.check_in_step().await;
    assert_eq!(mark.seen(), ["set", "clear"]);
}

/// A transport that writes down when it was given bytes.
struct Logged {
    io: DuplexStream,
    log: Mark,
}

impl AsyncRead for Logged {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Logged {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.log.0.lock().unwrap().push("write");
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn f30_the_mark_goes_before_the_first_byte_and_stays_past_the_last() {
    let (log, (host, module)) = (Mark::default(), tokio::io::duplex(4096));
    let (port, driver) = Port::new(Logged { io: host, log: log.clone() }, PlainRules::boxed(), log.options());
    tokio::spawn(driver);
    let mut module = Module::new(module);
    module.pass_fence().await;
    port.post(publish(b"hello")).unwrap();
    module.expect("AT+PUB=5\r").await;
    module.send("\r\n> ").await;
    module.expect("hello").await;
    assert_eq!(log.seen(), ["write", "set", "write", "write"]);
    module.send("\r\nOK\r\n").await;
    module.expect_nothing_for(ms(1)).await;
    assert_eq!(log.seen(), ["write", "set", "write", "write", "clear"]);
}

#[tokio::test(start_paused = true)]
async fn f30_a_flood_of_payloads_keeps_one_mark() {
    let mark = Mark::default();
    let mut s = synced_with(mark.options(), 4096).await;
    let running: Vec<_> = (0..3).map(|_| s.run(publish(b"hello"))).collect();
    for _ in 0..3 {
        s.module.answer("AT+PUB=5\r", "\r\n>").await;
        s.module.answer("hello", "\r\nOK\r\n").await;
    }
    for running in running {
        running.await.unwrap().unwrap();
    }
    s.check_in_step().await;
    assert_eq!(mark.seen(), ["set", "clear"]);
}

/// The module did not get all of the data: whatever is written before it gives up would be published.
#[tokio::test(start_paused = true)]
async fn f01_data_that_was_lost_on_its_way_is_not_filled_up_with_probes() {
    let mark = Mark::default();
    let mut s = synced_with(mark.options(), 4096).await;
    let running = s.run(publish(b"hello"));
    s.module.answer("AT+PUB=5\r", "\r\n>").await;
    s.module.expect("hello").await;
    let written = tokio::time::Instant::now();
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, OperationError::Timeout { phase: Phase::FinalResult, .. }), "{error:?}");
    assert_eq!(*s.port.link().borrow(), LinkState::InPayload);
    let left = PATIENCE - written.elapsed();
    s.module.expect_nothing_for(left - ms(1)).await;
    assert_eq!(mark.seen(), ["set"]);
    // It may wait without end. What it gets then is as long as the data, and no command.
    let mut events = s.port.events();
    s.module.expect("?\r\r\r\r").await;
    assert_eq!(*s.port.link().borrow(), LinkState::InPayload);
    s.module.answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
    assert_eq!(events.recv().await.unwrap(), PortEvent::Filled { bytes: 5 });
    assert_eq!(mark.seen(), ["set", "clear"]);
}

/// Found with a module of another make than ours: a message with bytes of ours in it counted as delivered.
#[tokio::test(start_paused = true)]
async fn what_comes_of_the_filler_is_no_result_of_the_data() {
    for shared in [false, true] {
        let mut s = synced_with(PortOptions::default(), 4096).await;
        let publish = |data| {
            let done = Deferred::new(&["+DONE"], [0], Duration::from_secs(90));
            publish(data).deferred(if shared { done.shared_key() } else { done })
        };
        let running = s.run(publish(b"hello"));
        s.module.answer("AT+PUB=5\r", "\r\n>").await;
        s.module.expect("hello").await;
        s.module.expect("?\r\r\r\r").await;
        s.module.send("\r\nOK\r\n\r\n+DONE: 0,0\r\n").await;
        let error = running.await.unwrap().unwrap_err();
        assert_eq!(error.progress(), Progress::Complete, "{error:?}");
        assert!(matches!(error, OperationError::Timeout { phase: Phase::FinalResult, .. }), "{error:?}");
        s.module.pass_fence().await;
        let running = s.run(publish(b"again"));
        s.module.answer("AT+PUB=5\r", "\r\n>").await;
        s.module.answer("again", "\r\nOK\r\n\r\n+DONE: 0,0\r\n").await;
        running.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_has_started_owes_nothing() {
    let mark = Mark::default();
    let mut s = synced_with(mark.options(), 4096).await;
    let running = s.run(publish(b"hello"));
    s.module.answer("AT+PUB=5\r", "\r\n>").await;
    s.module.answer("hello", "\r\nRDY\r\n").await;
    running.await.unwrap().unwrap_err();
    s.module.expect_nothing_for(ms(1)).await;
    assert_eq!(mark.seen(), ["set", "clear"], "a program that ends now leaves no mark");
}

#[tokio::test(start_paused = true)]
async fn f16_a_late_answer_to_the_data_ends_the_wait_for_it() {
    let mut s = synced_with(PortOptions::default(), 4096).await;
    let running = s.run(publish(b"hello"));
    s.module.answer("AT+PUB=5\r", "\r\n>").await;
    s.module.expect("hello").await;
    running.await.unwrap().unwrap_err();
    s.module.expect_nothing_for(Duration::from_secs(1)).await;
    let answered = tokio::time::Instant::now();
    s.module.send("\r\nOK\r\n").await;
    s.module.answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    assert!(answered.elapsed() < ms(100), "{:?}", answered.elapsed());
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f40_a_port_that_breaks_in_mid_payload_keeps_its_mark() {
    let mark = Mark::default();
    let mut s = synced_with(mark.options(), 4).await;
    let running = s.run(publish(&[b'x'; 20]));
    s.module.expect("AT+PUB=20\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect([b'x'; 10]).await;
    drop(s.module);
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, OperationError::Port { progress: Progress::DataInPart, .. }), "{error:?}");
    s.driver.await.unwrap();
    assert_eq!(mark.seen(), ["set"]);
}

#[tokio::test(start_paused = true)]
async fn f30_after_a_hold_off_the_first_byte_is_written_and_not_before() {
    let mut options = PortOptions::default();
    options.session.hold_off = PATIENCE;
    let mut s = start_with(options, 4096);
    assert_eq!(*s.port.link().borrow(), LinkState::InPayload);
    let running = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect_nothing_for(PATIENCE - ms(1)).await;
    s.module.pass_fence().await;
    s.module.answer("AT+CSQ\r", "\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    assert_eq!(*s.port.link().borrow(), LinkState::Synced);
}

#[tokio::test(start_paused = true)]
async fn f30_what_a_former_host_owes_is_made_up_for_before_the_first_probe() {
    for owed in [1, 2, 3, 256, 257, 1500] {
        let mut options = PortOptions::default();
        (options.session.hold_off, options.session.owed) = (PATIENCE, owed);
        let mut s = start_with(options, 300);
        s.module.expect_nothing_for(PATIENCE - ms(1)).await;
        let mut filler = vec![b'\r'; owed.max(2)];
        filler[0] = b'?';
        s.module.expect(filler).await;
        s.module.pass_fence().await;
        s.check_in_step().await;
    }
}

#[tokio::test(start_paused = true)]
async fn f30_a_module_that_answers_gets_nothing_in_place_of_data() {
    let mut options = PortOptions::default();
    (options.session.hold_off, options.session.owed) = (PATIENCE, 1000);
    let mut s = start_with(options, 4096);
    s.module.expect_nothing_for(Duration::from_secs(5)).await;
    s.module.send("\r\nERROR\r\n").await;
    s.module.pass_fence().await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f30_a_mark_that_was_left_stays_until_the_link_is_proven() {
    let mark = Mark::default();
    let mut options = mark.options();
    options.session.hold_off = PATIENCE;
    let mut s = start_with(options, 4096);
    s.module.expect_nothing_for(PATIENCE - ms(1)).await;
    s.module.expect("AT+CMEE?\r").await;
    assert_eq!(mark.seen(), [""; 0]);
    s.module.send("\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
    assert_eq!(mark.seen(), ["clear"]);
}

#[tokio::test(start_paused = true)]
async fn a_boot_report_ends_the_hold_off() {
    let mut options = PortOptions::default();
    options.session.hold_off = PATIENCE;
    let mut s = start_with(options, 4096);
    s.module.expect_nothing_for(Duration::from_secs(5)).await;
    s.module.send("\r\nRDY\r\n").await;
    let booted = tokio::time::Instant::now();
    s.module.pass_fence().await;
    assert!(booted.elapsed() < ms(100));
}
