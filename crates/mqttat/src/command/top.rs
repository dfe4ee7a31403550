//! `mqttat top`

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mqtt_at::{Client, Fault, Modem, TopicFilter};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::sync::mpsc;

use super::Context;
use crate::args::connection::random_identifier;
use crate::args::top::Top;
use crate::device::{Wishes, default_host};
use crate::failure::Failure;
use crate::interrupt::{Interrupt, farewell};
use crate::paint;

mod draw;
mod feed;
mod keys;
mod state;

use draw::Look;
use feed::Feed;
use keys::Wish;
use state::{ClientRow, Rate, State};

/// Ages and rates change even if nothing happens.
const TICK: Duration = Duration::from_millis(500);
/// How long the thread that reads keys waits for one before it looks whether it is still wanted.
const KEY: Duration = Duration::from_millis(100);

pub(super) async fn run(args: &Top, context: &Context) -> Result<(), Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(
            Failure::usage("top needs a terminal").remedy("`info`, `sub` and `doctor` print what it shows")
        );
    }
    for filter in &args.filters {
        TopicFilter::new(filter)?;
    }
    let (host, mut connection) = (default_host(&context.global), args.connection.clone());
    let identifier = connection.id.get_or_insert_with(random_identifier).clone();
    let options = match connection.host.is_some() || host.is_some() {
        true => Some(connection.options(host)?),
        false => None,
    };
    if options.is_none() && !args.filters.is_empty() {
        return Err(Failure::usage("-t needs a broker: name it with -h HOST"));
    }
    let opened =
        context.open(Wishes { supervised: !args.connection.no_reconnect, ..Wishes::default() }).await?;
    let client = match options {
        Some(options) => Some(opened.modem.connect(options).await?),
        None => None,
    };
    context.progress.done();
    let outcome = watch(args, &opened.modem, client.as_ref(), identifier).await;
    if let Some(client) = &client {
        farewell(client).await;
    }
    outcome.and(opened.close())
}

/// Shows the dashboard until the person has seen enough.
async fn watch(
    args: &Top,
    modem: &Modem,
    client: Option<&Client>,
    identifier: String,
) -> Result<(), Failure> {
    let (news, mut inbox) = mpsc::channel(256);
    let mut feed = Feed::new(news, args.qos);
    feed.watch_modem(modem, args.every);
    if let Some(client) = client {
        feed.watch_client(client);
        args.filters.iter().for_each(|filter| feed.fulfil(Wish::Subscribe(filter.clone()), client));
    }
    let row = client.map(|client| row(client, identifier));
    let mut state = State::new(modem.identity().to_string(), row);
    let mut screen = Screen::open()?;
    let mut interrupt = Interrupt::listen();
    let mut ticks = tokio::time::interval(TICK);
    loop {
        screen.draw(&state)?;
        tokio::select! {
            () = interrupt.wait() => return Ok(()),
            _ = ticks.tick() => {}
            Some(item) = inbox.recv() => {
                state.apply(item, Instant::now());
                // What has come meanwhile is shown at once.
                while let Ok(item) = inbox.try_recv() {
                    state.apply(item, Instant::now());
                }
            }
            event = screen.keys.recv() => match event {
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => match keys::press(&mut state, key) {
                    Some(Wish::Quit) => return Ok(()),
                    Some(wish) => client.into_iter().for_each(|client| feed.fulfil(wish.clone(), client)),
                    None => {}
                },
                // Another size is drawn with the next picture.
                Some(_) => {}
                // The terminal is gone.
                None => return Ok(()),
            },
        }
    }
}

fn row(client: &Client, identifier: String) -> ClientRow {
    ClientRow {
        index: client.index(),
        identifier,
        status: "connected".to_owned(),
        window: client.modem().limits().window,
        in_flight: 0,
        pending: 0,
        sent: Rate::default(),
        received: Rate::default(),
        filters: Vec::new(),
    }
}

/// The terminal while it shows the dashboard; it is given back on drop.
struct Screen {
    terminal: DefaultTerminal,
    keys: mpsc::Receiver<Event>,
    over: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
    colours: bool,
}

impl Screen {
    fn open() -> Result<Self, Failure> {
        let terminal = ratatui::try_init().map_err(|error| unusable(&error))?;
        let (pressed, keys) = mpsc::channel(64);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let reader = std::thread::spawn(move || read(&is_over, &pressed));
        Ok(Self { terminal, keys, over, reader: Some(reader), colours: paint::wanted(true) })
    }

    fn draw(&mut self, state: &State) -> Result<(), Failure> {
        let look = Look { now: Instant::now(), colours: self.colours };
        self.terminal.draw(|frame| draw::draw(frame, state, look)).map(drop).map_err(|error| unusable(&error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The thread must not read what is typed for the shell; it panics in no case that could be told here.
        let _ = self.reader.take().map(std::thread::JoinHandle::join);
        // A terminal that is gone needs no settings.
        let _ = ratatui::try_restore();
    }
}

/// Reads what is pressed until it is no longer wanted.
fn read(is_over: &AtomicBool, pressed: &mpsc::Sender<Event>) {
    while !is_over.load(Ordering::Relaxed) {
        let event = match event::poll(KEY) {
            Ok(true) => event::read(),
            Ok(false) => continue,
            Err(error) => Err(error),
        };
        // A person types slower than keys are taken; what does not fit is a paste, and lost.
        match event.map(|event| pressed.try_send(event)) {
            Ok(Ok(()) | Err(mpsc::error::TrySendError::Full(_))) => {}
            _ => return,
        }
    }
}

fn unusable(error: &io::Error) -> Failure {
    Failure::failed(format!("the terminal cannot be used: {error}"), Fault::Caller)
        .remedy("set TERM to what it is")
}
