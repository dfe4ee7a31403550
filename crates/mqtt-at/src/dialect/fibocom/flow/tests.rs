//! Cleaning up, the data connection and taking leave, as conversations in wire order.

use super::*;
use crate::dialect::fibocom::script::Host;
use crate::error::Fault;

async fn prepare_by(script: &str) -> Host {
    let host = Host::default();
    let prepare = async |port| {
        count_messages(&port, Lane::COMMON, &host.sessions).await?;
        close_former(&port).await
    };
    host.converse(script, prepare).await.unwrap();
    host
}

async fn activate_by(options: ModemOptions, script: &str) -> Result<()> {
    let host = Host::default();
    host.converse(script, async |port| activate(&port, &options, &host.sessions).await).await
}

async fn disconnect_by(script: &str) -> Result<()> {
    Host::default().converse(script, async |port| disconnect(&port, 1).await).await
}

#[tokio::test(start_paused = true)]
async fn nothing_was_left_open() {
    let host = prepare_by(">> AT+MQTTCONF=1\n<< OK\n>> AT+MQTTOPEN?\n<< +MQTTOPEN: 1,2\n<< OK").await;
    assert!(host.sessions.counted());
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_open_is_closed() {
    let script = r#"
        << +MQTTMSG: 1,0,"t","x"
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTOPEN?
        << +MQTTOPEN: 0
        << OK
        >> AT+MQTTCLOSE=1
        << OK
        << +MQTTCLOSE: 1,1
        >> AT+MQTTCLOSE=2
        << ERROR
    "#;
    prepare_by(script).await;
    let script = "
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTOPEN?
        << +MQTTOPEN: 1
        << OK
        >> AT+MQTTCLOSE=2
        << OK
        << +MQTTCLOSE: 2,0";
    prepare_by(script).await;
}

#[tokio::test(start_paused = true)]
async fn a_module_that_refuses_everything_can_be_used_as_far_as_it_goes() {
    let script = "
        >> AT+MQTTCONF=1
        << ERROR
        >> AT+MQTTOPEN?
        << ERROR
        >> AT+MQTTCLOSE=1
        << ERROR
        >> AT+MQTTCLOSE=2
        << +CME ERROR: 4";
    assert!(!prepare_by(script).await.sessions.counted());
}

#[tokio::test(start_paused = true)]
async fn a_data_connection_is_taken_over() {
    for answer in [
        "<< +MIPCALL: 1,10.2.83.148\n<< OK",
        "<< +MIPCALL: 10.2.83.148\n<< OK",
        "<< +MIPCALL:1\n<< OK\n>> AT+CGPADDR=1\n<< +CGPADDR: 1,\"10.101.218.186\"\n<< OK",
    ] {
        activate_by(ModemOptions::new().apn("wsim"), &format!(">> AT+MIPCALL?\n{answer}")).await.unwrap();
    }
}

const NO_CALL: &str = ">> AT+MIPCALL?\n<< +MIPCALL: 0\n<< OK\n";

/// The manual's example: the address comes in a report behind the `OK` [Fibocom MQTT 1.2.6 §3.1].
#[tokio::test(start_paused = true)]
async fn f_net_dials() {
    let script = format!("{NO_CALL}>> AT+MIPCALL=1\n<< OK\n<< +MIPCALL: 10.2.83.148\n{NO_CALL}");
    activate_by(ModemOptions::new(), &script).await.unwrap();
    let script = format!(
        "{NO_CALL}
        >> AT+CGDCONT=1,\"IP\",\"UNINET\"
        << OK
        >> AT+MIPCALL=1,\"UNINET\",\"u\",\"hush\"
        << OK
        {NO_CALL}
        >> AT+MIPCALL?
        << +MIPCALL: 1,10.2.83.148
        << OK"
    );
    activate_by(ModemOptions::new().apn("UNINET").pdp_credentials("u", "hush"), &script).await.unwrap();
}

/// L610 modules say `OK` and nothing more.
#[tokio::test(start_paused = true)]
async fn firmware_without_a_query_shows_the_address_in_the_context() {
    let unknown = ">> AT+MIPCALL?\n<< ERROR\n";
    let address = ">> AT+CGPADDR=1\n<< +CGPADDR: 1,\"10.85.71.198\"\n<< OK\n";
    for answer in ["OK", "ERROR"] {
        let script = format!("{unknown}>> AT+MIPCALL=1\n<< {answer}\n{unknown}{address}");
        activate_by(ModemOptions::new(), &script).await.unwrap();
    }
}

/// Firmware that knows neither question may have a data connection or not; connecting will show it.
#[tokio::test(start_paused = true)]
async fn firmware_that_tells_nothing_is_taken_at_its_word() {
    let unknown = ">> AT+MIPCALL?\n<< ERROR\n";
    let poll = format!("{unknown}>> AT+CGPADDR=1\n<< ERROR\n");
    let script = format!("{unknown}>> AT+MIPCALL=1\n<< ERROR\n{}", poll.repeat(4));
    activate_by(ModemOptions::new(), &script).await.unwrap();
    // One that says that it is dialled, and no address.
    activate_by(ModemOptions::new(), ">> AT+MIPCALL?\n<< +MIPCALL: 1\n<< OK\n>> AT+CGPADDR=1\n<< ERROR")
        .await
        .unwrap();
}

/// A module that is dialled already refuses to dial, whatever it says when it is asked.
#[tokio::test(start_paused = true)]
async fn a_refusal_to_dial_may_mean_that_it_is_done() {
    let address = ">> AT+CGPADDR=1\n<< +CGPADDR: 1,\"10.85.71.198\"\n<< OK";
    let script = format!("{NO_CALL}>> AT+MIPCALL=1\n<< ERROR\n{NO_CALL}{address}");
    activate_by(ModemOptions::new(), &script).await.unwrap();
}

/// While the module dials, the context may have its address from the registration already.
#[tokio::test(start_paused = true)]
async fn a_context_is_believed_after_a_while() {
    let polls = NO_CALL.repeat(6);
    let script = format!(
        "{NO_CALL}>> AT+MIPCALL=1\n<< OK\n{polls}>> AT+CGPADDR=1\n<< +CGPADDR: 1,\"10.0.0.1\"\n<< OK"
    );
    activate_by(ModemOptions::new(), &script).await.unwrap();
}

const ATTACHED: &str = ">> AT+CGATT?\n<< +CGATT: 1\n<< OK\n";

#[tokio::test(start_paused = true)]
async fn a_module_that_is_not_attached_is_attached_and_dials_again() {
    let poll = format!("{NO_CALL}>> AT+CGPADDR=1\n<< +CGPADDR: 1,0.0.0.0\n<< OK\n");
    let refused = format!("{NO_CALL}>> AT+MIPCALL=1\n<< ERROR\n{}", poll.repeat(4));
    let attached = ">> AT+CGATT?\n<< +CGATT: 0\n<< OK\n>> AT+CGATT=1\n<< OK\n";
    let dialled = ">> AT+MIPCALL=1\n<< OK\n>> AT+MIPCALL?\n<< +MIPCALL: 1,10.2.83.148\n<< OK\n";
    activate_by(ModemOptions::new(), &format!("{refused}{attached}{dialled}")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn why_there_is_no_data_connection() {
    let poll = format!("{NO_CALL}>> AT+CGPADDR=1\n<< +CGPADDR: 1,0.0.0.0\n<< OK\n");
    for (answer, words) in [
        ("ERROR", "the module refused the command without a reason"),
        ("+CME ERROR: 30", "no network service"),
    ] {
        let script = format!("{NO_CALL}>> AT+MIPCALL=1\n<< {answer}\n{}{ATTACHED}", poll.repeat(4));
        let error = activate_by(ModemOptions::new(), &script).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the data connection was refused: {words}"));
        assert_eq!(error.fault(), Fault::Network);
    }
    let waited = [NO_CALL.repeat(5), poll.repeat(26)].concat();
    let script = format!("{NO_CALL}>> AT+MIPCALL=1\n<< OK\n{waited}{ATTACHED}");
    let error = activate_by(ModemOptions::new(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "the data connection was refused: the module got no address");
}

#[tokio::test(start_paused = true)]
async fn leaving() {
    let asked = ">> AT+MQTTCLOSE=1\n<< OK\n";
    disconnect_by(&format!("{asked}<< +MQTTCLOSE: 1,1")).await.unwrap();
    let free = ">> AT+MQTTOPEN?\n<< +MQTTOPEN: 1,2\n<< OK";
    disconnect_by(&format!(">> AT+MQTTCLOSE=1\n<< ERROR\n{free}")).await.unwrap();
    disconnect_by(&format!("{asked}<< +MQTTCLOSE: 1,0\n{free}")).await.unwrap();
    let used = ">> AT+MQTTOPEN?\n<< +MQTTOPEN: 2\n<< OK";
    let error = disconnect_by(&format!("{asked}<< +MQTTCLOSE: 1,0\n{used}")).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCLOSE: the connection could not be closed (code 0)");
    let error = disconnect_by(&format!(">> AT+MQTTCLOSE=1\n<< ERROR\n{used}")).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCLOSE: the module refused the command without a reason");
}

#[tokio::test(start_paused = true)]
async fn closing_asks_only_for_what_is_open() {
    let close_by =
        async |script: &str| Host::default().converse(script, async |port| close(&port, 2).await).await;
    close_by(">> AT+MQTTOPEN?\n<< +MQTTOPEN: 1,2\n<< OK").await;
    close_by(">> AT+MQTTOPEN?\n<< +MQTTOPEN: 1\n<< OK\n>> AT+MQTTCLOSE=2\n<< OK\n<< +MQTTCLOSE: 2,1").await;
    close_by(">> AT+MQTTOPEN?\n<< ERROR\n>> AT+MQTTCLOSE=2\n<< ERROR").await;
}

#[tokio::test(start_paused = true)]
async fn a_farewell_waits_for_nothing() {
    let farewell = farewell(2);
    let run = async |port: ModemPort| port.run(farewell).await;
    Host::default().converse(">> AT+MQTTCLOSE=2\n<< OK", run).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_is_free_if_the_module_offers_it() {
    for (answers, free) in [
        ("<< +MQTTOPEN: 1,2\n<< OK", Some(true)),
        ("<< +MQTTOPEN: 1\n<< OK", Some(false)),
        ("<< ERROR", None),
    ] {
        let script = format!(">> AT+MQTTOPEN?\n{answers}");
        let asked = Host::default().converse(&script, async |port| is_free(&port, 2).await).await;
        assert_eq!(asked.unwrap(), free, "{answers}");
    }
}
