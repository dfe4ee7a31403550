//! Outages of the broker and of the network.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_publish_that_waits_in_vain_was_not_sent() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.set_reachability(Reachability::Refused);
        bench.broker.kick("one");
        client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
        let start = Instant::now();
        let error = client.publish("from/it", QoS::AtLeastOnce, false, "in vain").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{kind:?}: {error:?}");
        assert_eq!(start.elapsed().as_secs(), 60, "{kind:?}: the publish timeout");
        bench.broker.set_reachability(Reachability::Reachable);
        let back = client.publish("from/it", QoS::AtLeastOnce, false, "soon").await;
        if back.is_err() {
            comes_back(&client).await;
        }
        works(&bench, &client, &mut messages, "after").await;
        assert!(!bench.accepted("from/it").contains(&b"in vain".to_vec()), "{kind:?}");
    }
}

/// Those that wait behind others wait no longer than those.
#[tokio::test(start_paused = true)]
async fn publishes_that_wait_in_a_row_wait_at_the_same_time() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, _messages) = client(&bench).await;
        bench.broker.set_reachability(Reachability::Refused);
        bench.broker.kick("one");
        client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
        let start = Instant::now();
        let publishes = (0..20_u8).map(|n| client.publish("from/it", QoS::AtLeastOnce, false, vec![n]));
        for outcome in futures::future::join_all(publishes).await {
            assert_eq!(outcome.unwrap_err().outcome(), Outcome::NotSent, "{kind:?}");
        }
        assert_eq!(start.elapsed().as_secs(), 60, "{kind:?}: the publish timeout of each");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_publishes_have_a_bound() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let client = bench.modem.connect(options("one").queue_capacity(3)).await.unwrap();
        bench.broker.kick("one");
        client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
        let publishes = (0..5_u8).map(|n| client.publish("from/it", QoS::AtLeastOnce, false, vec![n]));
        let outcomes = futures::future::join_all(publishes).await;
        let refused: Vec<_> = outcomes.iter().map(Result::is_err).collect();
        assert_eq!(refused, [false, false, false, true, true], "{kind:?}: those that wait keep their places");
        let error = outcomes.into_iter().find_map(Result::err).unwrap();
        assert!(matches!(error, Error::QueueFull { max: 3 }), "{kind:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_unknown_fate_is_sent_again_as_the_options_say() {
    const CASES: [(Redelivery, QoS, bool); 5] = [
        (Redelivery::AtLeastOnce, QoS::AtLeastOnce, true),
        (Redelivery::AtLeastOnce, QoS::ExactlyOnce, false),
        (Redelivery::Never, QoS::AtLeastOnce, false),
        (Redelivery::Always, QoS::ExactlyOnce, true),
        (Redelivery::Always, QoS::AtLeastOnce, true),
    ];
    for (kind, (redelivery, qos, is_sent_again)) in KINDS.iter().flat_map(|kind| CASES.map(|it| (kind, it))) {
        let bench = bench(kind).await;
        let client = bench.modem.connect(options("one").redelivery(redelivery)).await.unwrap();
        bench.broker.withhold_acknowledgements(true);
        let publish = client.publish("from/it", qos, false, "once or twice");
        let kick = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            bench.broker.withhold_acknowledgements(false);
            bench.broker.kick("one");
        };
        let (published, ()) = futures::future::join(publish, kick).await;
        let case = format!("{kind:?}, {redelivery:?}, {qos:?}: {published:?}");
        match published {
            Ok(published) => assert!(is_sent_again && published.maybe_duplicate, "{case}"),
            Err(error) => assert!(!is_sent_again && error.outcome() == Outcome::Unknown, "{case}"),
        }
        let times = bench.accepted("from/it").len();
        assert!(if is_sent_again { times >= 1 } else { times <= 1 }, "{case}: {times} times");
        let mut status = client.status();
        let back = status.wait_for(|it| *it == ClientStatus::Connected);
        timeout(PATIENCE, back).await.expect("the connection comes back").unwrap();
    }
}

/// What has to be sent again goes before what was called for later.
#[tokio::test(start_paused = true)]
async fn an_outage_does_not_change_the_order() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, _messages) = client(&bench).await;
        bench.broker.withhold_acknowledgements(true);
        let publishes = (0..12_u8).map(|n| client.publish("from/it", QoS::AtLeastOnce, false, vec![n]));
        let kick = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(!bench.accepted("from/it").is_empty(), "{kind:?}: something is under way");
            bench.broker.withhold_acknowledgements(false);
            bench.broker.kick("one");
        };
        let (published, ()) = futures::future::join(futures::future::join_all(publishes), kick).await;
        let again = published.iter().filter(|it| it.as_ref().is_ok_and(|it| it.maybe_duplicate)).count();
        assert!(published.iter().all(Result::is_ok), "{kind:?}: {published:?}");
        assert_eq!(again, bench.modem.limits().window, "{kind:?}: all that was under way");
        let accepted = bench.accepted("from/it");
        let expected: Vec<_> = (0..12_u8).map(|n| vec![n]).collect();
        assert_eq!(accepted[again..], expected, "{kind:?}: {accepted:?}");
    }
}

/// A module that takes one publish at a time keeps the order, whatever happens to one of them.
#[tokio::test(start_paused = true)]
async fn a_publish_that_is_refused_once_is_not_overtaken() {
    for kind in KINDS {
        let bench = bench(kind).await;
        if bench.modem.limits().window > 1 {
            continue;
        }
        let (client, _messages) = client(&bench).await;
        bench
            .module
            .inject_fault(Fault::new(Hook::AfterLine, Action::Error).command(kind.payload).occasion(2));
        let publishes = (0..5_u8).map(|n| client.publish("from/it", QoS::AtLeastOnce, false, vec![n]));
        let published: Vec<_> = futures::future::try_join_all(publishes).await.unwrap();
        assert_eq!(published.iter().filter(|it| it.attempts > 1).count(), 1, "{kind:?}");
        let expected: Vec<_> = (0..5_u8).map(|n| vec![n]).collect();
        assert_eq!(bench.accepted("from/it"), expected, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_forgets_everything_is_subscribed_to_again() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.restart();
        comes_back(&client).await;
        works(&bench, &client, &mut messages, "after").await;
        let subscriptions = bench.broker.ledger().subscriptions.len();
        assert_eq!(subscriptions, 2, "{kind:?}: each connection subscribes once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_data_connection_is_made_again() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.module.drop_pdp();
        comes_back(&client).await;
        works(&bench, &client, &mut messages, "after").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_no_longer_granted_is_told() {
    for kind in KINDS.iter().filter(|kind| kind.tells_granted) {
        let bench = bench(kind).await;
        let (client, _messages) = client(&bench).await;
        let mut events = client.events();
        bench.broker.limit_subscription("to/it", 0);
        bench.broker.kick("one");
        comes_back(&client).await;
        let changed =
            Event::SubscriptionChanged { filter: "to/it".to_owned(), granted: Some(QoS::AtMostOnce) };
        assert!(drain(&mut events).contains(&changed), "{kind:?}");
    }
}

/// A report of a loss is a hint: the module is asked, and a connection that is there stays.
#[tokio::test(start_paused = true)]
async fn a_false_report_of_a_loss_is_refuted() {
    for kind in KINDS {
        let report = match kind.vendor {
            Vendor::Quectel => "+QMTSTAT: 0,1",
            Vendor::SimCom => "+CMQTTCONNLOST: 0,1",
            Vendor::Fibocom => "+MQTTBREAK: 1,1",
            _ => "+MQTTDISCONNED: Link Closed",
        };
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        let mut events = client.events();
        bench.module.inject_urc(report);
        tokio::time::sleep(Duration::from_secs(30)).await;
        works(&bench, &client, &mut messages, "after").await;
        assert_eq!(connects(&bench), 1, "{kind:?}: nothing was connected again");
        let events = drain(&mut events);
        assert!(matches!(events[..], [] | [Event::Lost(_), Event::LossRefuted]), "{kind:?}: {events:?}");
    }
}

/// The report of a loss may itself be lost; the module is asked from time to time.
#[tokio::test(start_paused = true)]
async fn a_loss_without_a_report_is_found() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.module.reboot(Reboot::Silent);
        let start = Instant::now();
        comes_back(&client).await;
        assert!(start.elapsed() < Duration::from_secs(120), "{kind:?}: {:?}", start.elapsed());
        works(&bench, &client, &mut messages, "after").await;
    }
}

/// The module reports first that a packet could not be sent, and then the loss.
#[tokio::test(start_paused = true)]
async fn a_subscription_waits_for_the_connection_that_breaks_under_it() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let client = bench.client("one").await;
        bench.broker.withhold_acknowledgements(true);
        let subscribe = client.subscribe("to/it", QoS::AtLeastOnce);
        let kick = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            bench.broker.withhold_acknowledgements(false);
            bench.broker.kick("one");
        };
        let (messages, ()) = futures::future::join(subscribe, kick).await;
        let mut messages = messages.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        works(&bench, &client, &mut messages, "after").await;
    }
}

/// Found by simulation: the module owed the result of a publish, and the client could publish nothing ever after.
#[tokio::test(start_paused = true)]
async fn a_result_that_never_comes_costs_the_connection_and_not_the_client() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        let lost = Fault::new(Hook::BetweenFinalAndResult, Action::Silence).command(kind.publish);
        bench.module.inject_fault(lost);
        let told = client.publish("from/it", QoS::AtLeastOnce, false, "late").await;
        assert!(told.is_ok(), "{kind:?}: {told:?}");
        assert!(bench.accepted("from/it").contains(&b"late".to_vec()));
        works(&bench, &client, &mut messages, "after").await;
    }
}

/// Found on N27: closing a connection that the module is setting up anew only begins again (quirk 4.9).
#[tokio::test(start_paused = true)]
async fn a_module_that_connects_again_by_itself_is_left_to_it() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::Neoway).unwrap();
    let change = |builder: Builder| builder.quirk(Quirk::ReconnectsByItself);
    let bench = Bench::supervised_with(kind, change, supervision()).await;
    let (client, mut messages) = client(&bench).await;
    let mut events = client.events();
    bench.broker.kick("one");
    // It waits like any other, and its subscription is made anew: the broker has forgotten it.
    client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
    works(&bench, &client, &mut messages, "after").await;
    let told = drain(&mut events);
    assert!(
        matches!(told[..], [Event::Lost(_), Event::ModuleReconnecting, Event::Connected]),
        "nothing was forced: {told:?}"
    );

    // It is not left to it for ever.
    bench.broker.set_reachability(Reachability::Refused);
    bench.broker.kick("one");
    tokio::time::sleep(Duration::from_secs(50)).await;
    let told = drain(&mut events);
    assert!(matches!(told[..], [Event::Lost(_), Event::ModuleReconnecting]), "{told:?}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(matches!(drain(&mut events)[..], [Event::Reconnecting { attempt: 1, .. }, ..]));
    bench.broker.set_reachability(Reachability::Reachable);
    let back = async { client.status().wait_for(|it| *it == ClientStatus::Connected).await.map(drop) };
    timeout(PATIENCE, back).await.expect("it comes back").unwrap();
    works(&bench, &client, &mut messages, "at last").await;
}
