//! Files and TLS contexts [EC200x MQTT 1.0 §5.2].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::Quirk;

use crate::host::Bench;

#[tokio::test(start_paused = true)]
async fn a_file_comes_back_as_it_went() {
    // Echo is on, and still nothing of a file is echoed.
    let mut bench = Bench::fresh(|builder| builder);
    let content: Vec<u8> = (0..=254).collect();
    bench.host.say("AT+QFUPL=\"UFS:ca.pem\",255,100\r").await;
    bench.host.hear("AT+QFUPL=\"UFS:ca.pem\",255,100\r\r\nCONNECT\r\n").await;
    bench.host.say(&content).await;
    // The words 0001, 0203 … FCFD leave nothing but FE00 and what FEFF would have cancelled.
    let sum = content
        .chunks(2)
        .fold(0, |sum, word| sum ^ (u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low))));
    bench.host.hear(format!("\r\n+QFUPL: 255,{sum:x}\r\n\r\nOK\r\n")).await;
    assert_eq!(bench.modem.file("ca.pem").unwrap(), content);
    bench.host.say("ATE0\r").await;
    bench.host.hear("ATE0\r\r\nOK\r\n").await;
    let mut expected = b"\r\nCONNECT\r\n".to_vec();
    expected.extend_from_slice(&content);
    expected.extend_from_slice(format!("\r\n+QFDWL: 255,{sum:x}\r\n\r\nOK\r\n").as_bytes());
    bench.host.ask("AT+QFDWL=\"ca.pem\"", expected).await;
}

#[tokio::test(start_paused = true)]
async fn listing_and_deleting() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+CMEE=1").await;
    bench.ok("AT+QFLST").await;
    bench.host.ask("AT+QFLST=\"a\"", "\r\n+CME ERROR: 405\r\n").await;
    bench.host.ask("AT+QFDEL=\"a\"", "\r\n+CME ERROR: 405\r\n").await;
    for name in ["UFS:b", "a", "RAM:a"] {
        bench.host.ask(&format!("AT+QFUPL=\"{name}\",1"), "\r\nCONNECT\r\n").await;
        bench.host.say("x").await;
        bench.host.hear("\r\n+QFUPL: 1,7800\r\n\r\nOK\r\n").await;
    }
    bench.host.ask("AT+QFUPL=\"UFS:a\",1", "\r\n+CME ERROR: 407\r\n").await;
    bench.host.ask("AT+QFUPL=\"big\",99999999", "\r\n+CME ERROR: 403\r\n").await;
    bench.host.ask("AT+QFUPL=\"a*b\",1", "\r\n+CME ERROR: 406\r\n").await;
    bench.host.ask("AT+QFLST=\"*\"", "\r\n+QFLST: \"UFS:a\",1\r\n+QFLST: \"UFS:b\",1\r\n\r\nOK\r\n").await;
    bench.info("AT+QFLST=\"RAM:a\"", "+QFLST: \"RAM:a\",1").await;
    bench.ok("AT+QFDEL=\"UFS:a\"").await;
    bench.info("AT+QFLST", "+QFLST: \"UFS:b\",1").await;
    bench.ok("AT+QFDEL=\"*\"").await;
    bench.ok("AT+QFLST").await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_keeps_what_it_got() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+CMEE=1").await;
    bench.host.ask("AT+QFUPL=\"a\",100,7", "\r\nCONNECT\r\n").await;
    bench.host.say("ab").await;
    let start = Instant::now();
    bench.host.hear("\r\n+QFUPL: 2,6162\r\n\r\nOK\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 7);
    bench.host.ask("AT+QFUPL=\"b\",100", "\r\nCONNECT\r\n").await;
    bench.host.hear("\r\n+CME ERROR: 421\r\n").await;
    assert_eq!(bench.modem.file("b"), None);
}

#[tokio::test(start_paused = true)]
async fn an_upload_whose_completion_is_missed() {
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::UploadCompletionMissed)).await;
    bench.host.ask("AT+QFUPL=\"a\",2", "\r\nCONNECT\r\n").await;
    bench.host.say("ab").await;
    bench.host.silence().await;
    assert_eq!(bench.modem.file("a").unwrap(), "ab");
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.info("AT+QFLST", "+QFLST: \"UFS:a\",2").await;
}

#[tokio::test(start_paused = true)]
async fn tls_contexts_are_set_and_read_back() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for (key, default, set, shown, refused) in [
        ("cacert", "\"\"", "\"UFS:cacert.pem\"", "\"UFS:cacert.pem\"", "1"),
        ("clientcert", "\"\"", "\"client.pem\"", "\"client.pem\"", "1"),
        ("clientkey", "\"\"", "\"user_key.pem\"", "\"user_key.pem\"", "1"),
        ("seclevel", "0", "2", "2", "3"),
        ("sslversion", "4", "3", "3", "5"),
        ("ciphersuite", "0XFFFF", "\"0xC02f\"", "0XC02F", "0x123"),
        ("ignorelocaltime", "1", "0", "0", "2"),
        ("negotiatetime", "300", "10", "10", "9"),
        ("sni", "0", "1", "1", "2"),
    ] {
        let query = format!("AT+QSSLCFG=\"{key}\",2");
        bench.info(&query, &format!("+QSSLCFG: \"{key}\",2,{default}")).await;
        bench.error(&format!("{query},{refused}")).await;
        bench.ok(&format!("{query},{set}")).await;
        bench.info(&query, &format!("+QSSLCFG: \"{key}\",2,{shown}")).await;
        bench.error(&format!("AT+QSSLCFG=\"{key}\",6")).await;
    }
    // The manual's example spells it so.
    bench.ok("AT+QSSLCFG=\"secllevel\",2,1").await;
    bench.ok("AT+QSSLCFG=\"ciphersuite\",2,0XFFFF").await;
    bench.info("AT+QSSLCFG=\"seclevel\",2", "+QSSLCFG: \"seclevel\",2,1").await;
}
