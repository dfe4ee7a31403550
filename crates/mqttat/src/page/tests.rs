use mqtt_at::Vendor;
use mqtt_at::offline::Analyser;

use super::*;

fn page(bytes: &[u8]) -> String {
    let mut analyser = Analyser::new(Vendor::Quectel);
    let ms = |ms| Some(Duration::from_millis(ms));
    analyser.host(ms(0), b"AT+QMTPUBEX=0,1,1,0,\"t\",7\r");
    analyser.module(ms(4), b"\r\n> ");
    analyser.host(ms(5), bytes);
    analyser.module(ms(4005), b"\r\nOK\r\n\r\n+QMTSTAT: 0,1\r\n");
    render("a<b>.at", &[("device".to_owned(), "\"x\"&y".to_owned())], &analyser.finish())
}

#[test]
fn nothing_in_the_conversation_becomes_markup() {
    let page = page(b"</a><b>");
    assert!(page.contains("&lt;/a&gt;&lt;b&gt;") && page.contains("&quot;x&quot;&amp;y"), "{page}");
    assert!(!page.contains("</a><b>") && !page.contains("a<b>.at"), "{page}");
}

#[test]
fn the_page_loads_nothing() {
    let page = page(b"payload");
    assert!(page.contains("default-src 'none'"));
    for outside in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_fault_is_at_the_top_and_at_its_place() {
    let page = page(b"payload");
    let verdict = "<p class=\"verdict error\">1 error</p>";
    assert!(page.contains(verdict), "{page}");
    let words = "the connection of client 0 was lost: closed or reset by the broker";
    // In the list, on the strip twice, and below its line.
    assert_eq!(page.matches(words).count(), 4, "{page}");
    assert!(page.contains("4.000 s of silence"));
    assert!(
        page.contains(
            "<li id=\"e4\" class=\"module lost found error\" data-client=\"0\" data-group=\"trouble\""
        ),
        "{page}"
    );
}

#[test]
fn a_quiet_conversation_says_so() {
    let mut analyser = Analyser::new(Vendor::Quectel);
    analyser.host(None, b"AT\r");
    analyser.module(None, b"\r\nOK\r\n");
    let page = render("", &[], &analyser.finish());
    assert!(page.contains("Nothing looks wrong") && !page.contains("<svg"), "{page}");
}

#[test]
fn pauses_take_room_by_their_magnitude() {
    let rooms = [0, 1, 1000, 3_600_000].map(|ms| gap(Duration::from_millis(ms)));
    assert_eq!(rooms, [0, 2, 20, 44]);
    assert!(gap(Duration::MAX) <= 64);
}
