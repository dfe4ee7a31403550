//! What happens, brought to the dashboard.

use std::time::{Duration, Instant};

use mqtt_at::at::PortEvent;
use mqtt_at::{Client, Event, Modem, QoS, Subscription};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;

use super::keys::Wish;
use super::state::{Kind, News, Report};
use crate::failure::Failure;

/// How often the window is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The tasks that watch a modem and its client; they end with it.
#[derive(Debug)]
pub(super) struct Feed {
    tasks: JoinSet<()>,
    news: mpsc::Sender<News>,
    qos: QoS,
}

impl Feed {
    pub(super) fn new(news: mpsc::Sender<News>, qos: QoS) -> Self {
        Self { tasks: JoinSet::new(), news, qos }
    }

    pub(super) fn watch_modem(&mut self, modem: &Modem, every: Duration) {
        self.tasks.spawn(ask_for_network(modem.clone(), every, self.news.clone()));
        self.tasks.spawn(follow_state(modem.clone(), self.news.clone()));
        let (mut urcs, news) = (modem.urcs(), self.news.clone());
        self.tasks.spawn(async move {
            while let Some(item) = urcs.next().await {
                let text = item.map_or_else(|lagged| lagged.to_string(), |urc| urc.to_string());
                tell(&news, report(Kind::Module, text)).await;
            }
        });
        self.tasks.spawn(follow(modem.port_events(), self.news.clone(), |event| of_port(&event)));
    }

    pub(super) fn watch_client(&mut self, client: &Client) {
        self.tasks.spawn(follow_status(client.clone(), self.news.clone()));
        self.tasks.spawn(look_at_load(client.clone(), self.news.clone()));
        self.tasks.spawn(follow(client.events(), self.news.clone(), |event| Some(of_event(&event))));
    }

    /// Does what a person wants; the outcome comes as news.
    pub(super) fn fulfil(&mut self, wish: Wish, client: &Client) {
        let (client, news, qos) = (client.clone(), self.news.clone(), self.qos);
        self.tasks.spawn(async move {
            match wish {
                Wish::Quit => {}
                Wish::Publish { topic, payload } => {
                    let start = Instant::now();
                    let outcome = client.publish(topic, qos, false, payload).await;
                    let outcome =
                        outcome.map(|_| start.elapsed()).map_err(|error| Failure::from(error).to_string());
                    tell(&news, News::Published(outcome)).await;
                }
                Wish::Subscribe(filter) => match client.subscribe(&filter, qos).await {
                    Ok(subscription) => {
                        tell(&news, News::Subscribed(filter)).await;
                        forward(subscription, news).await;
                    }
                    Err(error) => tell(&news, failure(error)).await,
                },
                Wish::Unsubscribe(filter) => match client.unsubscribe(&filter).await {
                    Ok(()) => tell(&news, News::Unsubscribed(filter)).await,
                    Err(error) => tell(&news, failure(error)).await,
                },
            }
        });
    }
}

/// A dashboard that is gone wants no news.
async fn tell(to: &mpsc::Sender<News>, news: News) {
    let _ = to.send(news).await;
}

fn report(kind: Kind, text: String) -> News {
    News::Report(Report { kind, text })
}

fn failure(error: mqtt_at::Error) -> News {
    report(Kind::Failure, Failure::from(error).to_string())
}

async fn ask_for_network(modem: Modem, every: Duration, news: mpsc::Sender<News>) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // While the port is away there is nothing to show; the modem's state says so.
        if let Ok(network) = modem.network().await {
            tell(&news, News::Network(network)).await;
        }
    }
}

async fn follow_state(modem: Modem, news: mpsc::Sender<News>) {
    let mut state = modem.state();
    loop {
        let now = state.borrow_and_update().to_string();
        tell(&news, News::Modem(now)).await;
        if state.changed().await.is_err() {
            return;
        }
    }
}

async fn follow_status(client: Client, news: mpsc::Sender<News>) {
    let mut status = client.status();
    loop {
        let now = status.borrow_and_update().to_string();
        tell(&news, News::Client(now)).await;
        if status.changed().await.is_err() {
            return;
        }
    }
}

async fn look_at_load(client: Client, news: mpsc::Sender<News>) {
    let mut ticks = tokio::time::interval(LOOK);
    let mut last = None;
    loop {
        ticks.tick().await;
        let now = (client.pending(), client.in_flight());
        if last.replace(now) != Some(now) {
            tell(&news, News::Load { pending: now.0, in_flight: now.1 }).await;
        }
    }
}

fn of_event(event: &Event) -> News {
    let kind = match event {
        Event::Lost(_)
        | Event::ReconnectFailed { .. }
        | Event::Refused(_)
        | Event::SubscriptionChanged { granted: None, .. }
        | Event::Corrupt { .. } => Kind::Failure,
        _ => Kind::Library,
    };
    report(kind, event.to_string())
}

/// What the port says about itself; the modem's own state tells how the link is, in better words.
fn of_port(event: &PortEvent) -> Option<News> {
    let kind = match event {
        PortEvent::Link(_) => return None,
        PortEvent::Fenced { .. } => Kind::Library,
        _ => Kind::Failure,
    };
    Some(report(kind, format!("port: {event}")))
}

async fn forward(mut subscription: Subscription, news: mpsc::Sender<News>) {
    while let Some(item) = subscription.next().await {
        let item = match item {
            Ok(message) => {
                News::Message { topic: message.topic().to_owned(), payload: message.payload().clone() }
            }
            Err(lagged) => report(Kind::Failure, lagged.to_string()),
        };
        tell(&news, item).await;
    }
}

async fn follow<T: Clone>(
    mut events: broadcast::Receiver<T>,
    news: mpsc::Sender<News>,
    words: impl Fn(T) -> Option<News>,
) {
    loop {
        match events.recv().await {
            Ok(event) => {
                if let Some(item) = words(event) {
                    tell(&news, item).await;
                }
            }
            Err(RecvError::Lagged(count)) => {
                tell(&news, report(Kind::Failure, format!("{count} reports were lost"))).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}
