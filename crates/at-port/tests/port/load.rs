//! Storms, slow consumers, fairness, and how much work one exchange is.

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Answer, Channel, Exchange, Lane, Operation, OperationError, PortOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::Instant;

use crate::common::{ms, synced, synced_with, write};

#[tokio::test(start_paused = true)]
async fn f56_a_storm_of_reports_does_not_starve_commands() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let begun = Instant::now();
    let running = tokio::spawn({
        let port = s.port.clone();
        async move {
            for number in 0..50 {
                let step = Exchange::new(write("+STEP", number)).answer(Answer::Named("+STEP"));
                assert_eq!(port.run(step).await.unwrap().lines, [format!("+STEP: {number}")]);
            }
        }
    });
    for number in 0..50 {
        s.module.expect(format!("AT+STEP={number}\r")).await;
        for report in 0..20 {
            s.module.send(format!("\r\n+URC: {number},{report}\r\n")).await;
            tokio::time::sleep(ms(1)).await;
        }
        s.module.send(format!("\r\n+STEP: {number}\r\n\r\nOK\r\n")).await;
    }
    running.await.unwrap();
    assert!(begun.elapsed() < ms(1100), "{:?}", begun.elapsed());
    // Nobody read meanwhile: what is lost is said.
    assert!(matches!(reports.try_recv(), Err(TryRecvError::Lagged(lost)) if lost == 1000 - 256));
}

#[tokio::test(start_paused = true)]
async fn f63_slow_subscriber_does_not_stall_answers() {
    let mut options = PortOptions::default();
    options.channel_capacity = 4;
    let mut s = synced_with(options, 4096).await;
    let mut slow = s.port.receiver(Channel::Modem);
    let mut quick = s.port.receiver(Channel::Modem);
    for number in 0..100 {
        s.module.send(format!("\r\n+URC: {number}\r\n")).await;
        assert_eq!(quick.recv().await.unwrap(), format!("+URC: {number}"));
    }
    s.check_in_step().await;
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(96)));
    for number in 96..100 {
        assert_eq!(slow.try_recv().unwrap(), format!("+URC: {number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn lanes_take_turns_and_control_goes_first() {
    let mut s = synced().await;
    let flying = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect("AT+CSQ\r").await;
    let lanes =
        [Lane::client(0), Lane::client(0), Lane::client(0), Lane::client(1), Lane::COMMON, Lane::CONTROL];
    for (number, lane) in (1..).zip(lanes) {
        s.port.post(Operation::from(Exchange::new(write("+STEP", number))).lane(lane)).unwrap();
    }
    tokio::task::yield_now().await;
    s.module.send("\r\nOK\r\n").await;
    flying.await.unwrap().unwrap();
    // Control, then each lane once, then what is left, each in its order.
    for number in [6, 1, 4, 5, 2, 3] {
        s.module.answer(&format!("AT+STEP={number}\r"), "\r\nOK\r\n").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_reports_ask_for_keeps_their_order_and_takes_turns_with_callers() {
    let mut s = synced().await;
    let flying = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect("AT+CSQ\r").await;
    for number in [8, 9] {
        s.port.post(Exchange::new(write("+STEP", number))).unwrap();
    }
    s.module.send("\r\n+NEW: 1\r\n\r\n+NEW: 2\r\n\r\n+NEW: 3\r\n\r\nOK\r\n").await;
    flying.await.unwrap().unwrap();
    for command in ["AT+READ=1\r", "AT+STEP=8\r", "AT+READ=2\r", "AT+STEP=9\r", "AT+READ=3\r"] {
        s.module.answer(command, "\r\nOK\r\n").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_reports_ask_for_is_bounded() {
    let mut options = PortOptions::default();
    options.session.follow_ups = 3;
    let mut s = synced_with(options, 4096).await;
    let flying = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect("AT+CSQ\r").await;
    for number in 1..=9 {
        s.module.send(format!("\r\n+NEW: {number}\r\n")).await;
    }
    s.module.send("\r\nOK\r\n").await;
    flying.await.unwrap().unwrap();
    for number in 1..=3 {
        s.module.answer(&format!("AT+READ={number}\r"), "\r\nOK\r\n").await;
    }
    s.module.expect_nothing_for(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_makes_its_callers_wait_and_nobody_else() {
    let mut options = PortOptions::default();
    options.lane_capacity = 2;
    let mut s = synced_with(options, 4096).await;
    let lane = |number, lane| Operation::from(Exchange::new(write("+STEP", number))).lane(lane);
    let running: Vec<_> = (1..=4).map(|number| s.run(lane(number, Lane::client(0)))).collect();
    s.module.expect("AT+STEP=1\r").await;
    let other = s.run(lane(9, Lane::client(1)));
    tokio::task::yield_now().await;
    s.module.send("\r\nOK\r\n").await;
    s.module.answer("AT+STEP=9\r", "\r\nOK\r\n").await;
    for number in 2..=4 {
        s.module.answer(&format!("AT+STEP={number}\r"), "\r\nOK\r\n").await;
    }
    other.await.unwrap().unwrap();
    for running in running {
        running.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_costs_a_handful_of_polls_and_an_idle_port_none() {
    let mut s = synced().await;
    s.check_in_step().await;
    let before = s.poll_count();
    for _ in 0..100 {
        s.check_in_step().await;
    }
    let each = (s.poll_count() - before) as f64 / 100.0;
    assert!(each <= 4.0, "{each} polls for each exchange");
    // The timers of the exchanges that are over fire at most once, and nothing else happens.
    let before = s.poll_count();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(s.poll_count() - before <= 3, "{} polls of an idle port", s.poll_count() - before);
}

#[tokio::test(start_paused = true)]
async fn a_port_in_doubt_does_not_spin() {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::execute("+CSQ")).timeout(ms(100)));
    s.module.expect("AT+CSQ\r").await;
    assert!(matches!(running.await.unwrap(), Err(OperationError::Timeout { .. })));
    let before = s.poll_count();
    // Four probes in vain, and the end.
    s.driver.await.unwrap();
    assert!(s.polls.load(std::sync::atomic::Ordering::Relaxed) - before < 30);
}

/// An answer of which no end is in sight must not fill the memory.
#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_the_end_of_the_port() {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::execute("+LIST")).answer(Answer::Named("+LIST")));
    s.module.expect("AT+LIST\r").await;
    let line = format!("+LIST: {}\r\n", "x".repeat(1000));
    let mut sent = 0;
    while s.module.io.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
        assert!(sent < 2 * 1024 * 1024, "{sent} bytes of an answer were taken");
    }
    assert!(matches!(running.await.unwrap(), Err(OperationError::Port { .. })));
    assert!(matches!(s.driver.await.unwrap(), at_port::PortError::Garbage { bytes } if bytes > 1024 * 1024));
}
