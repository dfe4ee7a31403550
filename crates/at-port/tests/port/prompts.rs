//! Prompts, payloads, and what must not be written while a prompt may be pending.

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{
    Channel, Exchange, Operation, OperationError, Phase, PortEvent, PortOptions, Progress, PromptForm,
};
use bytes::Bytes;

use crate::common::{ms, seen, synced, synced_with, write};

pub(crate) const PATIENCE: Duration = Duration::from_secs(35);

pub(crate) fn publish(payload: &'static [u8]) -> Exchange {
    Exchange::new(write("+PUB", payload.len() as i64)).data(PromptForm::Mark, payload.into(), PATIENCE)
}

#[tokio::test(start_paused = true)]
async fn the_payload_follows_the_prompt_and_the_result_follows_the_payload() {
    let mut s = synced().await;
    let running = s.run(publish(b"a\r\nOK\r\n\x1a>b"));
    s.module.expect("AT+PUB=10\r").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\n> ").await;
    s.module.expect("a\r\nOK\r\n\x1a>b").await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn behind_the_prompt_for_an_empty_payload_the_result_is_waited_for() {
    let mut s = synced().await;
    let running = s.run(publish(b""));
    s.module.answer("AT+PUB=0\r", "\r\n> ").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn an_ok_in_front_of_the_prompt_ends_nothing_where_it_was_declared() {
    let publish = |patience| {
        Exchange::new(write("+RAW", 5)).data(PromptForm::MarkAfterOk, Bytes::from_static(b"hello"), patience)
    };
    for (before, after) in [
        ("\r\nOK\r\n\r\n>", "\r\nOK\r\n"),
        ("\r\nOK\r\n\r\n+MSG: 6,\r\nOK\r\n\r\n> ", "\r\nOK\r\n"),
        ("\r\n>", "\r\nOK\r\n"),
    ] {
        let mut s = synced().await;
        let running = s.run(publish(PATIENCE));
        s.module.answer("AT+RAW=5\r", before).await;
        s.module.answer("hello", after).await;
        running.await.unwrap().unwrap();
        s.check_in_step().await;
    }
    // A refusal instead of the prompt is one, and a second OK is nobody's.
    for (answer, progress) in
        [("\r\nERROR\r\n", Progress::Begun), ("\r\nOK\r\n\r\nERROR\r\n", Progress::Begun)]
    {
        let mut s = synced().await;
        let running = s.run(publish(PATIENCE));
        s.module.answer("AT+RAW=5\r", answer).await;
        let error = running.await.unwrap().unwrap_err();
        assert!(
            matches!(&error, OperationError::Refused(refusal) if refusal.progress == progress),
            "{error:?}"
        );
        s.check_in_step().await;
    }
    let mut s = synced().await;
    let mut events = s.port.events();
    let running = s.run(publish(ms(100)));
    s.module.answer("AT+RAW=5\r", "\r\nOK\r\n\r\nOK\r\n").await;
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(&error, OperationError::Timeout { phase: Phase::Prompt, .. }), "{error:?}");
    assert_eq!(seen(&mut events).iter().filter(|event| **event == PortEvent::OrphanFinal).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn connect_is_a_prompt_only_where_it_was_declared() {
    let mut s = synced().await;
    let upload =
        Exchange::new(write("+PUT", 4)).data(PromptForm::Connect, Bytes::from_static(b"file"), PATIENCE);
    let running = s.run(upload);
    s.module.expect("AT+PUT=4\r").await;
    s.module.send("\r\n> \r\n").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\nCONNECT\r\n").await;
    s.module.expect("file").await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_report_between_command_and_prompt_is_delivered() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let running = s.run(publish(b"hello"));
    s.module.expect("AT+PUB=5\r").await;
    s.module.send("\r\n+MSG: 4,> >\n\r\n\r\n+URC: 1\r\n\r\n>").await;
    s.module.expect("hello").await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    assert_eq!(reports.try_recv().unwrap(), "+MSG: 4,> >\n");
    assert_eq!(reports.try_recv().unwrap(), "+URC: 1");
}

#[tokio::test(start_paused = true)]
async fn f24_no_prompt_writes_nothing_until_the_modules_own_time_is_over() {
    let mut s = synced().await;
    let running = s.run(publish(b"hello"));
    s.module.expect("AT+PUB=5\r").await;
    s.module.expect_nothing_for(PATIENCE - ms(1)).await;
    let error = running.await.unwrap().unwrap_err();
    assert!(
        matches!(error, OperationError::Timeout { phase: Phase::Prompt, after: PATIENCE, .. }),
        "{error:?}"
    );
    assert_eq!(error.progress(), Progress::Begun);
    s.module.expect("?\r\r\r\r").await;
    s.module.pass_fence().await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f25_a_late_prompt_gets_the_very_payload_and_nothing_comes_between() {
    let mut s = synced().await;
    let running = s.run(publish(b"hello"));
    s.module.expect("AT+PUB=5\r").await;
    let other =
        s.run(Operation::from(Exchange::new(CommandLine::execute("+CSQ"))).lane(at_port::Lane::CONTROL));
    s.module.expect_nothing_for(PATIENCE - ms(10)).await;
    s.module.send("\r\n> ").await;
    s.module.expect("hello").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\n+CME ERROR: 4\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("the true result") };
    assert_eq!(
        (refusal.result.to_string(), refusal.progress),
        ("+CME ERROR: 4".to_owned(), Progress::Complete)
    );
    s.module.answer("AT+CSQ\r", "\r\nOK\r\n").await;
    other.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn f26_a_second_prompt_is_ignored() {
    let mut s = synced().await;
    let running = s.run(publish(b"hello"));
    s.module.expect("AT+PUB=5\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect("hello").await;
    s.module.send("\r\n> \r\n").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f27_prompt_at_read_boundary() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    // A read ends in `>` while a prompt is armed, once in a line and once in counted bytes.
    let running = s.run(publish(b"hello"));
    s.module.expect("AT+PUB=5\r").await;
    for half in ["\r\n+URC: a>", "b\r\n", "\r\n+MSG: 6,\r\n>", "\r\n>\r\n"] {
        s.module.send(half).await;
        s.module.expect_nothing_for(ms(50)).await;
    }
    s.module.send("\r\n>").await;
    s.module.expect("hello").await;
    s.module.send(" \r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    assert_eq!(reports.try_recv().unwrap(), "+URC: a>b");
    assert_eq!(reports.try_recv().unwrap(), "+MSG: 6,\r\n>\r\n>");
    // Without a command that asked for it `>` is never a prompt.
    let running = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect("AT+CSQ\r").await;
    s.module.send("\r\n>").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\n\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn f28_an_error_instead_of_the_prompt_disarms_it() {
    let mut s = synced().await;
    let running = s.run(publish(b"hello"));
    s.module.answer("AT+PUB=5\r", "\r\n+CME ERROR: 3\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("a refusal") };
    assert_eq!(refusal.progress, Progress::Begun);
    s.module.send("\r\n> \r\n").await;
    s.module.expect_nothing_for(ms(400)).await;
    s.check_in_step().await;
}

/// An `OK` where only a prompt or an error can come belongs to something else; the prompt may still follow,
/// and a probe would be swallowed by it.
#[tokio::test(start_paused = true)]
async fn an_ok_instead_of_the_prompt_does_not_let_a_probe_into_the_payload() {
    let mut s = synced().await;
    let mut events = s.port.events();
    let running = s.run(publish(b"hello"));
    s.module.answer("AT+PUB=5\r", "\r\nOK\r\n").await;
    s.module.expect_nothing_for(Duration::from_secs(10)).await;
    s.module.send("\r\n> ").await;
    s.module.expect("hello").await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    assert_eq!(seen(&mut events)[0], PortEvent::OrphanFinal);
    s.module.pass_fence().await;
    s.check_in_step().await;
}

/// The module takes the payload slowly and says something meanwhile: the payload is written to its end.
#[tokio::test(start_paused = true)]
async fn f31_an_ok_in_the_middle_of_a_payload_does_not_cut_it() {
    let mut s = synced_with(PortOptions::default(), 16).await;
    let running = s.run(publish(&[b'x'; 100]));
    s.module.expect("AT+PUB=100\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect([b'x'; 10]).await;
    s.module.send("\r\nOK\r\n").await;
    s.module.expect([b'x'; 90]).await;
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.module.pass_fence().await;
}

#[tokio::test(start_paused = true)]
async fn f32_the_modules_own_payload_timeout_ends_the_payload_and_proves_the_link() {
    let mut s = synced_with(PortOptions::default(), 16).await;
    let running = s.run(publish(&[b'x'; 100]));
    s.module.expect("AT+PUB=100\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect([b'x'; 10]).await;
    s.module.send("\r\nERROR: 703\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("a refusal") };
    assert_eq!(refusal.progress, Progress::DataInPart);
    // What the transport had taken already comes first, and then the probe.
    s.module.expect([b'x'; 6]).await;
    s.module.pass_fence().await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_payload_passes_a_tiny_pipe_while_the_module_talks() {
    let mut s = synced_with(PortOptions::default(), 7).await;
    let mut reports = s.port.receiver(Channel::Modem);
    let running = s.run(publish(&[b'y'; 10_000]));
    s.module.expect("AT+PUB=10000\r").await;
    s.module.send("\r\n> ").await;
    for number in 0..100 {
        s.module.expect([b'y'; 100]).await;
        s.module.send(format!("\r\n+URC: {number}\r\n")).await;
    }
    s.module.send("\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    for number in 0..100 {
        assert_eq!(reports.recv().await.unwrap(), format!("+URC: {number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_in_every_phase_of_a_payload_writes_no_more_of_it() {
    for (phase, expected) in [(0, Progress::Begun), (1, Progress::DataInPart), (2, Progress::Complete)] {
        let mut s = synced_with(PortOptions::default(), 16).await;
        let running = s.run(publish(&[b'x'; 100]));
        s.module.expect("AT+PUB=100\r").await;
        if phase > 0 {
            s.module.send("\r\n> ").await;
            s.module.expect([b'x'; 10]).await;
        }
        if phase > 1 {
            s.module.expect([b'x'; 90]).await;
        }
        s.module.send("\r\nRDY\r\n").await;
        let Err(OperationError::Reset { progress }) = running.await.unwrap() else { panic!("a reset") };
        assert_eq!(progress, expected);
        if phase == 1 {
            // What was in the pipe.
            s.module.expect([b'x'; 6]).await;
        }
        s.module.pass_fence().await;
        s.check_in_step().await;
    }
}
