//! Cleaning up, the network, and taking leave, as conversations.

use super::*;
use crate::dialect::esp::script::Host;

async fn prepared(script: &str) -> Result<()> {
    let prepare = async |port| {
        explain_refusals(&port).await?;
        close_former(&port).await
    };
    Host::default().converse(script, prepare).await
}

const CLEAN: &str = "<< +MQTTCONN:0,0,0,\"\",\"\",\"\",0\n<< OK\n";
const CONNECTED: &str = "<< +MQTTCONN:0,6,1,\"h\",\"1883\",\"\",1\n<< OK\n";

#[tokio::test(start_paused = true)]
async fn a_module_that_is_clean_is_left_alone() {
    prepared(&format!(">> AT+SYSLOG=1\n<< OK\n>> AT+MQTTCONN?\n{CLEAN}")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_is_freed() {
    let message = "<< +MQTTSUBRECV:0,\"t\",6,\\r\\nOK\\r\\n\n";
    let script = format!(
        ">> AT+SYSLOG=1\n{message}<< ERROR\n>> AT+MQTTCONN?\n{message}{CONNECTED}\
         >> AT+MQTTCLEAN=0\n{message}<< +MQTTDISCONNECTED:0\n<< OK"
    );
    prepared(&script).await.unwrap();
    // Firmware without MQTT refuses everything; the first connection tells.
    prepared(">> AT+SYSLOG=1\n<< ERROR\n>> AT+MQTTCONN?\n<< ERROR\n>> AT+MQTTCLEAN=0\n<< ERROR")
        .await
        .unwrap();
}

async fn activated(options: &ModemOptions, script: &str) -> Result<()> {
    Host::default()
        .converse(script, async |port| {
            port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
            activate(&port, options).await
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn the_address_is_waited_for_and_no_network_is_joined() {
    let none = ">> AT+CIPSTA?\n<< +CIPSTA:ip:\"0.0.0.0\"\n<< OK\n";
    let some = ">> AT+CIPSTA?\n<< +CIPSTA:ip:\"192.168.1.226\"\n<< OK\n";
    activated(&ModemOptions::new(), some).await.unwrap();
    let joining = format!("{none}<< WIFI CONNECTED\n<< WIFI GOT IP\n{some}");
    activated(&ModemOptions::new(), &joining).await.unwrap();
    let error = activated(&ModemOptions::new(), &none.repeat(16)).await.unwrap_err();
    assert_eq!(error.to_string(), "the module has joined no network");
    assert!(error.remedy().unwrap().contains("join"));
}

#[tokio::test(start_paused = true)]
async fn what_only_cellular_modules_have_is_refused() {
    let options = ModemOptions::new;
    for options in [options().apn("internet"), options().sim_pin("1234")] {
        let error = activated(&options, "").await.unwrap_err();
        assert!(error.to_string().contains("no SIM"), "{error}");
    }
}

async fn left(script: &str) -> Result<()> {
    let (host, _) = Host::connected(&["#"]);
    let session = &host.session;
    host.converse(script, async |port| disconnect(&port, session).await).await
}

#[tokio::test(start_paused = true)]
async fn taking_leave() {
    left(">> AT+MQTTCLEAN=0\n<< +MQTTDISCONNECTED:0\n<< OK").await.unwrap();
    left(&format!(">> AT+MQTTCLEAN=0\n<< ERROR\n>> AT+MQTTCONN?\n{CLEAN}")).await.unwrap();
    assert!(left(&format!(">> AT+MQTTCLEAN=0\n<< ERROR\n>> AT+MQTTCONN?\n{CONNECTED}")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_farewell_is_reported_as_no_loss() {
    let (host, link) = Host::connected(&["#"]);
    let operation = farewell(&host.session);
    let script = ">> AT+MQTTCLEAN=0\n<< +MQTTDISCONNECTED:0\n<< OK";
    host.converse(script, async |port| port.run(operation).await).await.unwrap();
    assert!(link.is_alive(), "nobody called it lost");
}
