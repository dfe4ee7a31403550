//! The dashboard, as a person uses it.

use crate::support::{Sim, fail, mqttat};
use crate::terminal::Terminal;

#[test]
fn a_person_subscribes_and_publishes() {
    for vendor in ["quectel", "simcom", "fibocom", "neoway"] {
        let mut command = mqttat();
        command.args(["--device", &format!("sim:{vendor}"), "top", "-i", "gateway-7", "-t", "site/#"]);
        let mut terminal = Terminal::start(command);
        terminal.wait_for_screen("subscribed to site/#");
        terminal.press("psite/7/cmd\r");
        terminal.wait_for_screen("payload for site/7/cmd");
        terminal.press("open the valve\r");
        terminal.wait_for_screen("published, acknowledged after");
        terminal.press("sother/#\r");
        terminal.wait_for_screen("subscribed to other/#");
        let shown = terminal.screen();
        for part in
            ["gateway-7", "connected", "registered, home network", "signal: -65 dBm", "open the valve"]
        {
            assert!(shown.contains(part), "{vendor}: {part}:\n{shown}");
        }
        terminal.press("q");
        assert!(terminal.end().success(), "{vendor}");
    }
}

#[test]
fn a_mistake_is_reported_and_is_not_the_end() {
    let mut command = mqttat();
    command.args(["--device", "sim:quectel", "top"]);
    let mut terminal = Terminal::start(command);
    terminal.wait_for_screen("q quit");
    terminal.press("sa/#/b\r");
    terminal.wait_for_screen("# before its last level");
    terminal.press("\x03");
    assert!(terminal.end().success());
}

#[test]
fn the_connection_comes_back_in_sight() {
    let sim = Sim::start(&["--fault", "result:+QMTPUBEX:1:reboot"]);
    let mut command = sim.mqttat();
    command.args(["top", "-h", "b", "-t", "t"]);
    let mut terminal = Terminal::start(command);
    terminal.wait_for_screen("subscribed to t");
    terminal.press("pt\rhello\r");
    terminal.wait_for_screen("the connection was lost");
    terminal.wait_for_screen("connected to the broker");
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn without_a_broker_the_module_is_watched() {
    let sim = Sim::start(&[]);
    let mut command = sim.mqttat();
    command.arg("top").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command);
    terminal.wait_for_screen("no broker was named");
    terminal.wait_for_screen("registered, home network");
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(!terminal.shown().contains("\x1b[38;5;"), "no colours: {:?}", terminal.shown());
}

#[test]
fn without_a_terminal_it_says_what_else_there_is() {
    assert!(
        fail(2, mqttat().args(["--device", "sim:quectel", "top"])).contains("top needs a terminal; `info`")
    );
}
