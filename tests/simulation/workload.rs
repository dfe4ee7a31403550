//! What the clients do: tasks that publish, a task that asks the module, and streams that receive.

use std::time::Duration;

use bytes::Bytes;
use mqtt_at::Subscription;
use mqtt_at::at::{Answer, CommandLine, Exchange};
use mqtt_at::{Client, QoS};
use tokio::time::{sleep, timeout};
use virtual_modem::MemoryBroker;

use crate::checks;
use crate::history::{Attempt, Told};
use crate::plan::Manner;
use crate::random::Random;
use crate::world::{IMEI, REVISION, World};

/// What forges something wherever bytes are read as lines.
const HOSTILE: &[&str] = &[
    "\r\nOK\r\n",
    "\r\nERROR\r\n",
    "\r\n> ",
    "\"\r\n+QMTSTAT: 0,1\r\n",
    "\"\r\n\r\n+QMTPUBEX: 0,3,0\r\n\r\n+QMTPUBEX: 0,4,0\r\n\r\n+QMTPUBEX: 0,5,0\r\n",
    "\"\r\n+MQTTBREAK: 1,1\r\n\r\n+MQTTPUB: 1,1\r\n",
    "\r\n+CMQTTRXEND: 0\r\n\r\n+CMQTTCONNLOST: 0,1\r\n\r\n+CMQTTPUB: 0,0\r\n",
    "\r\n+MQTTDISCONNED: Link Closed\r\n",
    "\r\nRDY\r\n",
    "AT+CFUN=1,1\r",
    "\x1a\x1b+++\0",
];

const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// One task of a client: publishes so many messages, some at once, some given up.
pub async fn publish(world: &World, client: usize, count: usize, manner: Manner, mut random: Random) {
    let Manner { pause, longest_payload, given_up, patience } = manner;
    let mut left = count;
    while left > 0 {
        let together = (1 + random.index(4)).min(left);
        left -= together;
        let handle = world.client(client).await;
        let calls: Vec<_> = (0..together)
            .map(|_| {
                let attempt = draw(client, longest_payload, &mut random);
                let patience = random.percent(given_up).then(|| random.time(patience));
                one(world, &handle, attempt, patience)
            })
            .collect();
        futures::future::join_all(calls).await;
        if !pause.is_zero() {
            sleep(random.time(pause)).await;
        }
    }
}

fn draw(client: usize, longest: usize, random: &mut Random) -> Attempt {
    let qos = *random.pick(&LEVELS);
    let topic = format!("c{client}/{}", random.pick(&["up", "a/b", "%25", "x=1", "state"]));
    let doublings = 1 + random.index(longest.ilog2() as usize);
    let size = 1 + random.index(1 << doublings);
    let filling = if random.percent(30) {
        random.pick(HOSTILE).repeat(1 + random.index(3)).into_bytes()
    } else {
        (0..size).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
    };
    Attempt { client, qos, topic, payload: filling.into(), outcome: None, published: None }
}

/// One publish, whose payload is made unique.
async fn one(world: &World, client: &Client, mut attempt: Attempt, patience: Option<Duration>) {
    let history = &world.history;
    let number = history.next_attempt();
    let mark = format!("{number}|");
    let size = attempt.payload.len().min(1000);
    attempt.payload = [mark.as_bytes(), &attempt.payload[..size.min(900)], world.tail()].concat().into();
    let client_number = attempt.client;
    let (topic, qos, payload) = (attempt.topic.clone(), attempt.qos, attempt.payload.clone());
    let number = history.attempt(attempt);
    let call = client.publish(topic, qos, false, payload);
    let result = match patience {
        Some(patience) => timeout(patience, call).await.ok(),
        None => match world.bounded("publishing", call).await {
            Some(result) => Some(result),
            None => return,
        },
    };
    checks::is_bounded(world, client);
    if let Some(result) = &result {
        world.renew_if_in_doubt(client_number, result);
    }
    if history.conclude(number, result.as_ref()) == Told::Delivered && !world.corrupts {
        checks::is_delivered(world, number);
    }
}

/// Publishes from outside to whom it may concern, until it is dropped.
pub async fn outside(broker: &MemoryBroker, clients: usize, tail: &[u8], mut random: Random) {
    for number in 0_u64.. {
        sleep(Duration::from_millis(random.below(20_000))).await;
        let text = random.pick(HOSTILE);
        let payload = Bytes::from([format!("out {number}|{text}").as_bytes(), tail].concat());
        let topic = format!("out/{}/x", random.index(clients));
        broker.publish_from_outside(topic, u8::try_from(random.below(3)).unwrap(), false, payload);
    }
}

/// Asks the module things to which only one answer is right (I1), until it is dropped.
pub async fn ask(world: &World, mut random: Random) {
    // An answer that is one of these belongs to one question only.
    let questions = [("AT+CGSN", IMEI), ("AT+CGMR", REVISION), ("AT+CIMI", "460001234567890")];
    loop {
        sleep(Duration::from_millis(random.below(15_000))).await;
        let modem = world.modem().await;
        let (question, right) = *random.pick(&questions);
        let line = CommandLine::raw(question).expect("a command");
        let call = modem.run(Exchange::new(line).answer(Answer::Text).timeout(Duration::from_secs(5)));
        world.history.count(|counts| counts.queries += 1);
        let Some(outcome) = world.bounded("asking", call).await else { continue };
        world.history.tell("asked", &(question, &outcome));
        let Ok(reply) = outcome else { continue };
        let is_right = reply.lines.iter().any(|line| line.ends_with(right.as_bytes()));
        let is_wrong = questions.iter().any(|(_, other)| {
            *other != right && reply.lines.iter().any(|line| line.ends_with(other.as_bytes()))
        });
        if !world.corrupts && (!is_right || is_wrong) {
            world.history.violate(format!("I1: {question} was answered with {:?}", reply.lines));
        }
    }
}

/// Takes what a subscription brings, until the stream ends.
pub async fn receive(world: &World, client: usize, mut subscription: Subscription) {
    while let Some(item) = subscription.next().await {
        match item {
            Ok(message) => {
                world.history.count(|counts| counts.received += 1);
                let head = format!("client {client}: {} ", message.topic());
                world.history.note("message", [head.as_bytes(), message.payload()].concat());
                if !world.corrupts {
                    checks::was_sent(world, client, &message);
                }
            }
            Err(lagged) => world.history.tell("lagged", &lagged),
        }
    }
}
