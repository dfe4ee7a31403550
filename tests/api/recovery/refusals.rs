//! A broker that does not want a client is not hammered, and the refusal is told at once.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_at_once_and_asked_about_seldom() {
    // An identifier that the broker rejects, a wrong password, and no permission [MQTT 3.1.1 §3.2.2.3].
    let cases =
        KINDS.iter().filter(|kind| kind.tells_refusal).flat_map(|kind| [2, 4, 5].map(|code| (kind, code)));
    for (kind, code) in cases {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.refuse_connections(Some(code));
        bench.broker.kick("one");
        let mut status = client.status();
        let refused =
            status.wait_for(|it| matches!(it, ClientStatus::Refused(it) if it.code == u16::from(code)));
        timeout(Duration::from_secs(30), refused).await.expect("the refusal is told").unwrap();
        let start = Instant::now();
        let error = client.publish("from/it", QoS::AtLeastOnce, false, "x").await.unwrap_err();
        assert!(matches!(error, Error::Broker(_)), "{kind:?}: {error:?}");
        assert!(start.elapsed() < Duration::from_secs(1), "{kind:?}: nobody waits for what will not come");
        let before = connects(&bench);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let asked = connects(&bench) - before;
        assert!((12..=26).contains(&asked), "{kind:?}: {asked} times in an hour");
        bench.broker.refuse_connections(None);
        let back = status.wait_for(|it| *it == ClientStatus::Connected);
        timeout(PATIENCE, back).await.expect("the client comes back").unwrap();
        works(&bench, &client, &mut messages, "after").await;
    }
}

/// Two clients with one identifier would throw each other out for ever, as fast as the broker can.
#[tokio::test(start_paused = true)]
async fn a_connection_that_never_lasts_is_made_ever_more_seldom() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, _messages) = client(&bench).await;
        let before = connects(&bench);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(3600) {
            bench.broker.kick("one");
            client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
            client.status().wait_for(|it| *it == ClientStatus::Connected).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let made = connects(&bench) - before;
        assert!((10..40).contains(&made), "{kind:?}: {made} connections in an hour");
    }
}

/// A module that does not tell a refusal from a broker that is away: it is asked ever more seldom.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_the_module_does_not_tell_is_not_hammered_either() {
    for kind in KINDS.iter().filter(|kind| !kind.tells_refusal) {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.refuse_connections(Some(5));
        bench.broker.kick("one");
        let before = connects(&bench);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let asked = connects(&bench) - before;
        assert!((10..=30).contains(&asked), "{kind:?}: {asked} times in an hour");
        bench.broker.refuse_connections(None);
        let mut status = client.status();
        let back = status.wait_for(|it| *it == ClientStatus::Connected);
        timeout(PATIENCE, back).await.expect("the client comes back").unwrap();
        works(&bench, &client, &mut messages, "after").await;
    }
}

/// Found with a module of another make than ours: subscribing went on for ever where each refusal cost the connection.
#[tokio::test(start_paused = true)]
async fn a_refused_subscription_is_told_also_where_it_costs_the_connection() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.limit_subscription("secret/#", 128);
        let before = connects(&bench);
        let subscribing = timeout(Duration::from_secs(60), client.subscribe("secret/#", QoS::AtLeastOnce));
        let error =
            subscribing.await.unwrap_or_else(|_| panic!("{kind:?}: the refusal is told")).unwrap_err();
        assert!(matches!(error, Error::Module(_) | Error::Broker(_)), "{kind:?}: {error:?}");
        assert!(connects(&bench) - before <= 2, "{kind:?}");
        works(&bench, &client, &mut messages, "after").await;
    }
}
