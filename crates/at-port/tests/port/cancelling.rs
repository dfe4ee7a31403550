//! A caller that leaves changes nothing on the wire.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use at_codec::CommandLine;
use at_port::{Answer, Deferred, Exchange, Operation, PortOptions, PromptForm};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::common::{TestRules, ms, write};

const WHOLE: &str = "AT+PRE=1\rAT+PUB=5\rhello";

/// Two commands, a prompt, data and a deferred result.
fn publish() -> Operation {
    Operation::sequence([
        Exchange::new(write("+PRE", 1)),
        Exchange::new(write("+PUB", 5)).data(PromptForm::Mark, "hello".into(), ms(5000)),
    ])
    .deferred(Deferred::new(&["+PUBLISHED"], [1], ms(5000)))
}

/// A module that takes its time before each thing it says, and writes down all that it is told.
async fn module(mut io: DuplexStream, heard: Arc<Mutex<String>>) {
    let mut line = String::new();
    while let Ok(byte) = io.read_u8().await {
        heard.lock().unwrap().push(char::from(byte));
        line.push(char::from(byte));
        let is_data = line.ends_with("hello");
        if byte != b'\r' && !is_data {
            continue;
        }
        let said: &[&str] = match &*std::mem::take(&mut line) {
            "AT+CMEE?\r" => &["\r\n+CMEE: 0\r\n\r\nOK\r\n"],
            "AT+PUB=5\r" => &["\r\n+URC: 1\r\n", "\r\n", "> "],
            "hello" => &["\r\nO", "K\r\n", "\r\n+PUBLISHED: 1,0\r\n"],
            "AT+CSQ\r" => &["\r\n+CSQ: 5,99\r\n", "\r\nOK\r\n"],
            _ => &["\r\n", "OK\r\n"],
        };
        for part in said {
            tokio::time::sleep(ms(2)).await;
            io.write_all(part.as_bytes()).await.unwrap();
        }
    }
}

/// Drops the call after so many polls, and returns what the module heard, and whether the call had ended.
async fn cancel_after(polls: usize, pipe: usize, busy: bool) -> (String, bool) {
    let (host, end) = tokio::io::duplex(pipe);
    let heard = Arc::new(Mutex::new(String::new()));
    tokio::spawn(module(end, Arc::clone(&heard)));
    let (port, driver) = at_port::Port::new(host, Box::new(TestRules), PortOptions::default());
    let driver = tokio::spawn(driver);
    port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
    heard.lock().unwrap().clear();
    if busy {
        port.post(Exchange::new(write("+PRE", 0))).unwrap();
    }
    let mut ended = false;
    {
        let mut call = pin!(port.run(publish()));
        for poll in 0..polls {
            // Other tasks run between two polls, and before every fourth time passes.
            match poll {
                0 => {}
                _ if poll % 4 == 0 => tokio::time::sleep(ms(1)).await,
                _ => tokio::task::yield_now().await,
            }
            if let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                assert_eq!(outcome.unwrap().deferred.unwrap(), "+PUBLISHED: 1,0");
                ended = true;
                break;
            }
        }
    }
    // The next command gets its own answer, and the link was never in doubt.
    let next = Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"));
    assert_eq!(port.run(next).await.unwrap().lines, ["+CSQ: 5,99"]);
    assert_eq!(*port.link().borrow(), at_port::LinkState::Synced);
    assert!(!driver.is_finished());
    let heard = heard.lock().unwrap().clone();
    (heard, ended)
}

#[tokio::test(start_paused = true)]
async fn f29_f61_cancel_everywhere() {
    for (pipe, busy) in [(4096, false), (4096, true), (3, false), (3, true)] {
        let before = if busy { "AT+PRE=0\r" } else { "" };
        let (mut withdrawn, mut finished) = (0, 0);
        for polls in 0.. {
            let (heard, ended) = cancel_after(polls, pipe, busy).await;
            if heard == format!("{before}AT+CSQ\r") {
                withdrawn += 1;
                assert_eq!(finished, 0, "what was written once is written always");
            } else {
                assert_eq!(heard, format!("{before}{WHOLE}AT+CSQ\r"), "dropped after {polls} polls");
                finished += 1;
            }
            if ended {
                break;
            }
            assert!(polls < 1000, "the call never ends");
        }
        assert!(withdrawn >= 2 && finished >= 40, "{withdrawn} withdrawn, {finished} finished");
    }
}

#[tokio::test(start_paused = true)]
async fn the_conclusion_is_told_although_the_caller_has_left() {
    let mut s = crate::common::synced().await;
    let concluded = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&concluded);
    let running =
        s.run(publish().on_conclusion(move |outcome| *seen.lock().unwrap() = Some(outcome.is_ok())));
    s.module.expect("AT+PRE=1\r").await;
    running.abort();
    s.module.send("\r\nOK\r\n").await;
    s.module.expect("AT+PUB=5\r").await;
    s.module.send("\r\n> ").await;
    s.module.expect("hello").await;
    s.module.send("\r\nOK\r\n\r\n+PUBLISHED: 1,0\r\n").await;
    s.check_in_step().await;
    assert_eq!(*concluded.lock().unwrap(), Some(true));
}
