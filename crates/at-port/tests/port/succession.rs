//! Listeners go on with the next port.

use at_port::{Channel, LinkState, Listeners, PlainRules, Port, PortOptions, Probe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn given_listeners_outlive_the_port_and_go_on_with_the_next() {
    let listeners = Listeners::<bytes::Bytes>::new(4);
    let mut link = listeners.link();
    let mut events = listeners.events();
    let mut reports = listeners.receiver(Channel::Modem);
    for _ in 0..2 {
        let (host, module) = tokio::io::duplex(64);
        let rules = PlainRules::boxed();
        let (port, driver) = Port::with_listeners(host, rules, PortOptions::default(), &listeners);
        let driver = tokio::spawn(driver);
        drop(module);
        driver.await.unwrap();
        assert!(port.ended().is_some());
        assert_eq!(*link.borrow_and_update(), LinkState::Dead);
        assert!(reports.try_recv().is_err_and(|it| it == tokio::sync::broadcast::error::TryRecvError::Empty));
    }
    assert!(events.try_recv().is_ok(), "the ends were told");
    listeners.close();
    let is_closed = |error| error == tokio::sync::broadcast::error::TryRecvError::Closed;
    assert!(reports.try_recv().is_err_and(is_closed));
    assert!(listeners.receiver(Channel::Modem).try_recv().is_err_and(is_closed));
}

#[tokio::test(start_paused = true)]
async fn the_late_end_of_a_former_port_does_not_touch_the_next() {
    let listeners = Listeners::<bytes::Bytes>::new(4);
    let (first_host, module) = tokio::io::duplex(64);
    let (_first, mut first_driver) =
        Port::with_listeners(first_host, PlainRules::boxed(), PortOptions::default(), &listeners);
    drop(module);
    (&mut first_driver).await;
    let (host, mut module) = tokio::io::duplex(64);
    let (_second, driver) =
        Port::with_listeners(host, PlainRules::boxed(), PortOptions::default(), &listeners);
    assert_eq!(*listeners.link().borrow(), LinkState::Suspect);
    drop(first_driver);
    assert_eq!(*listeners.link().borrow(), LinkState::Suspect, "the second port is not dead");
    module.write_all(b"\r\n").await.unwrap();
    drop(driver);
    assert_eq!(*listeners.link().borrow(), LinkState::Dead);
}

/// A module whose queue outlives the port answers the probes of the former port first. Found by simulation.
#[tokio::test(start_paused = true)]
async fn the_next_port_asks_what_the_former_has_not_asked() {
    let listeners = Listeners::<bytes::Bytes>::new(4);
    let mut asked: Vec<String> = Vec::new();
    for _ in 0..2 {
        let (host, mut module) = tokio::io::duplex(256);
        let rules = PlainRules::boxed();
        let mut options = PortOptions::default();
        options.session.first_fence = vec![std::time::Duration::from_secs(1); 4];
        let (_port, driver) = Port::with_listeners(host, rules, options, &listeners);
        driver.await;
        let mut written = Vec::new();
        module.read_to_end(&mut written).await.unwrap();
        let lines = String::from_utf8(written).unwrap();
        asked.extend(lines.split_terminator('\r').map(str::to_owned));
    }
    let names: std::collections::BTreeSet<_> = asked.iter().collect();
    assert_eq!((asked.len(), names.len()), (8, 8), "{asked:?}");
}

/// When every name has been asked for, the answer to whichever comes next might be one that a former port is owed.
/// Found by simulation.
#[tokio::test(start_paused = true)]
async fn what_former_ports_are_owed_does_not_pass_when_no_other_name_is_left() {
    let listeners = Listeners::<bytes::Bytes>::new(4);
    let port = |patience: usize| {
        let (host, module) = tokio::io::duplex(1024);
        let mut options = PortOptions::default();
        options.session.first_fence = vec![std::time::Duration::from_secs(1); patience];
        let (port, driver) = Port::with_listeners(host, PlainRules::boxed(), options, &listeners);
        (port, driver, module)
    };
    let mut asked = String::new();
    for _ in 0..3 {
        let (_port, driver, mut module) = port(7);
        driver.await;
        module.read_to_string(&mut asked).await.unwrap();
    }
    let names: Vec<&str> = asked.split_terminator('\r').collect();
    assert_eq!(names.len(), Probe::STANDARD.len(), "each is asked for once: {names:?}");

    let (_port, driver, mut module) = port(7);
    let driver = tokio::spawn(driver);
    for probe in Probe::STANDARD {
        let answer = format!("\r\n{}: 1\r\n\r\nOK\r\n", probe.name);
        module.write_all(answer.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        assert_eq!(*listeners.link().borrow(), LinkState::Suspect, "passed by the old {}", probe.name);
    }
    // They are all answered now, so that a new one tells.
    let mut probe = [0; 9];
    module.read_exact(&mut probe).await.unwrap();
    assert_eq!(&probe, b"AT+CMEE?\r");
    module.write_all(b"\r\n+CMEE: 1\r\n\r\nOK\r\n").await.unwrap();
    listeners.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
    driver.abort();
}

/// A module that has been reset answers nothing that was asked before, and answers that are long overdue will not come.
#[tokio::test(start_paused = true)]
async fn what_is_no_longer_owed_is_asked_again() {
    for is_reset in [true, false] {
        let listeners = Listeners::<bytes::Bytes>::new(4);
        for asked_again in [false, true] {
            let (host, mut module) = tokio::io::duplex(256);
            let mut options = PortOptions::default();
            options.session.first_fence = vec![std::time::Duration::from_secs(1)];
            let (_port, driver) = Port::with_listeners(host, PlainRules::boxed(), options, &listeners);
            driver.await;
            let mut asked = String::new();
            module.read_to_string(&mut asked).await.unwrap();
            assert_eq!(asked, "AT+CMEE?\r", "{is_reset}, {asked_again}");
            match is_reset {
                true => listeners.forget_probes(),
                false => tokio::time::sleep(std::time::Duration::from_secs(300)).await,
            }
        }
    }
}
