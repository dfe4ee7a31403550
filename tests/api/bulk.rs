//! Many publishes of one client through its publisher.

use futures::{FutureExt, SinkExt, StreamExt, stream};
use mqtt_at::{InputError, Outcome, Outgoing, QoS};

use crate::support::{Bench, KINDS};

fn message(number: usize) -> Outgoing {
    Outgoing::new("bulk", QoS::AtLeastOnce, number.to_string())
}

fn payloads(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| number.to_string().into_bytes()).collect()
}

#[tokio::test(start_paused = true)]
async fn all_are_delivered_in_order_and_each_has_its_outcome() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("bulk").await;
        let (messages, outcomes) = client.publisher(8).split();
        let handing_over = stream::iter((0..50).map(|number| Ok(message(number)))).forward(messages);
        let (handed_over, outcomes) = futures::join!(handing_over, outcomes.collect::<Vec<_>>());
        handed_over.unwrap();
        let mut numbers = Vec::new();
        for concluded in outcomes {
            concluded.result.unwrap();
            assert_eq!(concluded.message.payload, concluded.number.to_string());
            numbers.push(concluded.number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..50).collect::<Vec<_>>(), "{kind:?}");
        assert_eq!(bench.accepted("bulk"), payloads(50), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_comes_as_soon_as_it_is_known() {
    let bench = Bench::new(&KINDS[0]).await;
    let client = bench.client("bulk").await;
    let mut publisher = client.publisher(4);
    publisher.feed(message(0)).await.unwrap();
    publisher.feed(Outgoing::new("bulk", QoS::AtLeastOnce, vec![0; 1501])).await.unwrap();
    let first = publisher.next().await.unwrap();
    assert_eq!((first.number, first.result.unwrap_err().outcome()), (1, Outcome::NotSent));
    assert_eq!(first.message.payload.len(), 1501);
    let second = publisher.next().await.unwrap();
    assert!(second.number == 0 && second.result.is_ok());
    publisher.close().await.unwrap();
    assert!(publisher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_holds_its_place_until_its_outcome_is_taken() {
    let bench = Bench::new(&KINDS[0]).await;
    let client = bench.client("bulk").await;
    let mut publisher = client.publisher(3);
    for number in 0..3 {
        publisher.feed(message(number)).await.unwrap();
    }
    publisher.flush().await.unwrap();
    assert_eq!((publisher.in_flight(), bench.accepted("bulk")), (0, payloads(3)));
    assert!(publisher.feed(message(3)).now_or_never().is_none(), "three outcomes wait to be taken");
    publisher.next().await.unwrap().result.unwrap();
    publisher.feed(message(3)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn handing_over_can_stop_at_the_first_failure() {
    let bench = Bench::new(&KINDS[0]).await;
    let client = bench.client("bulk").await;
    let good = (0..20).map(message);
    let bad = [Outgoing::new("bulk/#", QoS::AtLeastOnce, "20")];
    let all = stream::iter(good.chain(bad).chain((21..40).map(message)).map(Ok));
    let error = all.forward(client.publisher(2).stop_at_failure()).await.unwrap_err();
    assert!(matches!(error, mqtt_at::Error::Input(InputError::Topic { .. })), "{error}");
    let all = stream::iter((0..20).map(|number| Ok(message(number))));
    all.forward(client.publisher(2).stop_at_failure()).await.unwrap();
    assert!(bench.accepted("bulk").ends_with(&payloads(20)));
}

#[tokio::test(start_paused = true)]
async fn one_end_goes_on_when_the_other_is_gone() {
    let bench = Bench::new(&KINDS[0]).await;
    let client = bench.client("bulk").await;
    let (mut messages, mut outcomes) = client.publisher(6).split();
    for number in 0..5 {
        messages.feed(message(number)).await.unwrap();
    }
    // A half of a split sink keeps the last message until it is asked for a place again.
    std::future::poll_fn(|cx| messages.poll_ready_unpin(cx)).await.unwrap();
    drop(messages);
    for _ in 0..5 {
        outcomes.next().await.unwrap().result.unwrap();
    }
    assert_eq!(bench.accepted("bulk"), payloads(5));
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_is_dropped_withdraws_what_has_not_been_begun() {
    let bench = Bench::new(&KINDS[0]).await;
    let client = bench.client("bulk").await;
    let mut publisher = client.publisher(20);
    for number in 0..20 {
        publisher.feed(message(number)).await.unwrap();
    }
    publisher.next().await.unwrap().result.unwrap();
    drop(publisher);
    client.publish("bulk", QoS::AtLeastOnce, false, "last").await.unwrap();
    let accepted = bench.accepted("bulk");
    assert!(accepted.len() < 20, "{} messages", accepted.len());
    assert_eq!(accepted.last().unwrap(), b"last");
}
