//! Others use the modem beside MQTT: their commands come to their turn, and they see what the module reports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use mqtt_at::at::{Answer, CommandLine, Exchange, Tap, TapEntry};
use mqtt_at::common::{Domain, Registration};
use mqtt_at::{ModemOptions, QoS, Urc};
use tokio::time::Instant;
use virtual_modem::{Action, Fault, Hook};

use crate::support::{Bench, KINDS, next};

/// The names of the commands that were written, in order.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<String>>>);

impl Tap for Written {
    fn note(&mut self, entry: TapEntry<'_>) {
        if let TapEntry::Command(line) = entry {
            self.0.lock().unwrap().push(line.name().to_owned());
        }
    }
}

fn signal() -> Exchange {
    Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"))
}

#[tokio::test(start_paused = true)]
async fn own_commands_take_turns_with_a_flood_of_publishes() {
    for kind in KINDS {
        let written = Written::default();
        let bench = Bench::with(kind, |builder| builder, ModemOptions::new().tap(written.clone())).await;
        let mut clients = Vec::new();
        for number in 0..kind.clients {
            clients.push(bench.client(&format!("client-{number}")).await);
        }
        let flood = clients.iter().flat_map(|client| {
            (0..50).map(|number| client.publish("t", QoS::AtLeastOnce, false, format!("{number}")))
        });
        written.0.lock().unwrap().clear();
        let own = async {
            for _ in 0..10 {
                bench.modem.run(signal()).await.unwrap();
            }
        };
        let (published, ()) = tokio::join!(futures::future::join_all(flood), own);
        assert!(published.iter().all(Result::is_ok), "{kind:?}: {published:?}");
        let written = written.0.lock().unwrap().clone();
        let turns: Vec<_> = written.split(|name| name == "+CSQ").map(<[_]>::len).collect();
        // Between two own commands each client comes to its turn once, and an operation has up to three commands;
        // Fibocom's module is asked for the messages that wait besides.
        let bound = 3 * (kind.clients + 1);
        assert!(turns.len() > 10 && turns[..10].iter().all(|&turn| turn <= bound), "{kind:?}: {turns:?}");
        assert!(turns[10] > 3 * bound, "{kind:?}: the flood goes on behind them: {turns:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reports_that_are_no_clients_are_handed_out_and_messages_are_not() {
    for kind in KINDS {
        let options = ModemOptions::new().urc("+QGPSURC").urc("BEEP");
        let bench = Bench::with(kind, |builder| builder, options).await;
        let client = bench.client("one").await;
        let mut messages = client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        let mut urcs = bench.modem.urcs();
        for line in ["+CMTI: \"SM\",3", "BEEP", "+NOBODYS: 1", "RING", "+QGPSURC: \"xtradataexpire\",1"] {
            bench.module.inject_urc(line);
        }
        client.publish("t", QoS::AtLeastOnce, false, "\r\n+CMTI: \"SM\",666\r\n").await.unwrap();
        next(&mut messages).await;
        bench.module.inject_urc("+CUSD: 0,\"balance\",15");
        let mut seen: Vec<Urc> = Vec::new();
        while seen.last().is_none_or(|urc| urc.name() != b"+CUSD") {
            let urc = tokio::time::timeout(Duration::from_secs(60), urcs.next()).await;
            seen.push(urc.expect("a report comes").expect("the modem is there").unwrap());
        }
        let seen: Vec<_> = seen.iter().map(ToString::to_string).collect();
        let expected =
            ["+CMTI: \"SM\",3", "BEEP", "RING", "+QGPSURC: \"xtradataexpire\",1", "+CUSD: 0,\"balance\",15"];
        assert_eq!(seen, expected, "{kind:?}");
        assert!(bench.modem.urcs().next().now_or_never().is_none(), "only from now on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_with_the_name_of_a_pending_answer_is_told_by_its_shape() {
    for kind in KINDS {
        let strike = |report: &'static str, command: &str| {
            Fault::new(Hook::BeforeFinal, Action::Urc(report.into())).command(command)
        };
        let change = |builder: virtual_modem::Builder| {
            builder.fault(strike("\r\n+CEREG: 5\r\n", "+CEREG?")).fault(strike("\r\n+CSQN: 7\r\n", "+CSQ"))
        };
        let options = ModemOptions::new().attach(false).urc("+CSQN").urc("+CSQ");
        let bench = Bench::with(kind, change, options).await;
        let mut urcs = bench.modem.urcs();
        let told = bench.modem.send(Registration(Domain::Eps)).await.unwrap();
        assert!(told.state.is_registered(), "{kind:?}: {told:?}");
        let urc = urcs.next().await.unwrap().unwrap();
        assert_eq!(urc.line(), b"+CEREG: 5", "{kind:?}");
        assert_eq!(urc.fields("+CEREG").unwrap().integer(), Some(5));
        // A name that the user has registered, and the answer of a command that has it.
        let reply = bench.modem.run(signal()).await.unwrap();
        assert_eq!(reply.lines.len(), 1, "{kind:?}: {reply:?}");
        assert!(reply.lines[0].starts_with(b"+CSQ:"));
        assert_eq!(urcs.next().await.unwrap().unwrap().line(), b"+CSQN: 7");
        bench.module.inject_urc("+CSQ: 9,99");
        assert_eq!(urcs.next().await.unwrap().unwrap().line(), b"+CSQ: 9,99");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_is_told_how_much_it_missed() {
    let options = ModemOptions::new().receive_capacity(4);
    let bench = Bench::with(&KINDS[0], |builder| builder, options).await;
    let mut urcs = bench.modem.urcs();
    for number in 0..7 {
        bench.module.inject_urc(format!("+CMTI: \"SM\",{number}"));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(urcs.next().await.unwrap().unwrap_err().0, 3);
    assert_eq!(urcs.next().await.unwrap().unwrap().to_string(), "+CMTI: \"SM\",3");
    bench.modem.close();
    for number in 4..7 {
        assert_eq!(urcs.next().await.unwrap().unwrap().to_string(), format!("+CMTI: \"SM\",{number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_network_is_asked_at_an_interval_and_when_the_module_reports() {
    const EVERY: Duration = Duration::from_secs(3600);
    for kind in KINDS {
        let written = Written::default();
        let bench = Bench::with(kind, |builder| builder, ModemOptions::new().tap(written.clone())).await;
        let mut network = bench.modem.watch_network(EVERY);
        let first = network.changed().await.unwrap();
        assert!(first.registration.unwrap().is_registered() && first.signal.is_some(), "{kind:?}: {first:?}");

        // Not reported, so found by asking.
        let asked = Instant::now();
        bench.module.set_signal(3);
        let weak = network.changed().await.unwrap();
        assert!(weak.signal != first.signal && asked.elapsed() >= EVERY, "{kind:?}: {weak:?}");
        assert!(asked.elapsed() < EVERY + Duration::from_secs(1));

        // Reported, so found at once; a watch that gave up in between misses nothing.
        for status in [3, 5] {
            bench.module.set_registration(status);
            let reported = Instant::now();
            for polls in 0..4 {
                let mut changed = Box::pin(network.changed());
                for _ in 0..polls {
                    assert!((&mut changed).now_or_never().is_none());
                }
            }
            let registration = network.changed().await.unwrap().registration.unwrap();
            assert_eq!(registration.is_registered(), status == 5, "{kind:?}");
            assert!(reported.elapsed() < Duration::from_secs(1), "{kind:?}: {:?}", reported.elapsed());
        }

        // Nothing changes, and nothing is said. In between it asks no more often than it was told.
        written.0.lock().unwrap().clear();
        let nothing = tokio::time::timeout(3 * EVERY + Duration::from_secs(60), network.changed()).await;
        assert!(nothing.is_err(), "{kind:?}: {nothing:?}");
        let written = written.0.lock().unwrap().clone();
        assert_eq!(written.iter().filter(|name| *name == "+CSQ").count(), 3, "{kind:?}: {written:?}");
        bench.modem.close();
        network.changed().await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_the_network_does_not_hold_up_publishing() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let mut network = bench.modem.watch_network(Duration::from_millis(1));
        let publishing = async {
            for number in 0..50 {
                client.publish("t", QoS::AtLeastOnce, false, format!("{number}")).await.unwrap();
            }
        };
        let watching = async {
            loop {
                network.changed().await.unwrap();
            }
        };
        tokio::select! {
            () = publishing => {}
            () = watching => unreachable!("it watches for ever"),
        }
        assert_eq!(bench.accepted("t").len(), 50, "{kind:?}");
    }
}
