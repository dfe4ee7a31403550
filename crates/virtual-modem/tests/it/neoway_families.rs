//! Neoway's other families of commands: the cloud's, and certificates [Neoway MQTT 1.2 §4, §B].

use tokio::time::Instant;
use virtual_modem::Quirk;

use crate::host::Bench;
use crate::neoway::{connected, online};

async fn in_the_cloud(quirks: &[Quirk]) -> Bench {
    let mut bench =
        online(|builder| quirks.iter().fold(builder, |builder, quirk| builder.quirk(*quirk))).await;
    bench.ok_then("AT+CLOUDHDAUTH=pk,dn,secret", "+CLOUDHDAUTH: OK").await;
    bench.ok("AT+CLOUDCONN=60,0,4").await;
    bench
}

#[tokio::test(start_paused = true)]
async fn the_manuals_cloud_process() {
    let mut bench = online(|builder| builder).await;
    bench
        .ok_then(
            "AT+CLOUDHDAUTH=a1J5shuYgXN,J1L5D2itSsqNLMZ9wTyx,vdkeNCKWirhZsU9pKeyAUvvCnL0gpNzI",
            "+CLOUDHDAUTH: OK",
        )
        .await;
    bench.ok("AT+CLOUDCONN=60,0,4").await;
    bench.ok_then("AT+CLOUDSUB=/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get,1", "+CLOUDSUBACK: <OK>").await;
    let topic = "/sys/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/thing/event/property/post";
    bench.ok_then(&format!("AT+CLOUDPUB={topic},1,1234567890"), "+CLOUDPUBACK: <OK>").await;
    bench.info("AT+CLOUDSTATE?", "+CLOUDSTATE: 1").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
    let start = Instant::now();
    bench.host.ask(&format!("AT+CLOUDPUBMSG={topic},1,10"), "\r\n>").await;
    bench.host.hear("\r\n+CLOUDPUBMSG: Timeout!\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 30);
    bench.host.ask(&format!("AT+CLOUDPUBMSG={topic},1,10"), "\r\n>").await;
    bench.host.say("\r\n34567890").await;
    bench.host.hear("\r\nOK\r\n\r\n+CLOUDPUBACK: <OK>\r\n").await;
    bench.broker.publish_from_outside("/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get", 1, false, "88990011");
    bench.line("+CLOUDPUBLISH:1,/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get,8,88990011").await;
    bench
        .ok_then("AT+CLOUDUNSUB=\"/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get\"", "+CLOUDUNSUBACK: <OK>")
        .await;
    bench.ok("AT+CLOUDDISCONN").await;
    bench.info("AT+CLOUDSTATE?", "+CLOUDSTATE: 0").await;
    bench.host.silence().await;

    let ledger = bench.broker.ledger();
    let login = &ledger.connects[0];
    assert_eq!(login.user.as_deref(), Some("J1L5D2itSsqNLMZ9wTyx&a1J5shuYgXN"));
    assert_eq!(login.password.as_deref(), Some("vdkeNCKWirhZsU9pKeyAUvvCnL0gpNzI"));
    assert_eq!(login.dialled.0, "a1J5shuYgXN.iot-as-mqtt.cn-shanghai.aliyuncs.com");
    let payloads: Vec<_> = ledger.accepted.iter().map(|message| &message.payload[..]).collect();
    assert_eq!(payloads, [&b"1234567890"[..], b"\r\n34567890", b"88990011"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_refuses() {
    let mut bench = online(|builder| builder).await;
    bench.error("AT+CLOUDCONN=60,0,4").await;
    for wrong in ["HDAUTH=pk,dn", "HDAUTH=pk,,secret", "SUB=t,1", "PUB=t,1,x", "PUBMSG=t,1,1", "UNSUB=t"] {
        bench.error(&format!("AT+CLOUD{wrong}")).await;
    }
    bench.ok_then("AT+CLOUDHDAUTH=\"pk\",\"dn\",\"secret\"", "+CLOUDHDAUTH: OK").await;
    for wrong in ["60,0", "19,0,4", "60,2,4", "60,0,5"] {
        bench.error(&format!("AT+CLOUDCONN={wrong}")).await;
    }
    bench.ok("AT+CLOUDCONN=60,1,3").await;
    // One connection, and only its own family's commands.
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    bench.error("AT+MQTTCONN=\"h:1\",1,60").await;
    bench.error("AT+MQTTSUB=\"t\",1").await;
    bench.error("AT+MQTTPUB=0,1,\"t\",x").await;
    for wrong in ["SUB=t,3", "SUB=t", "PUB=t,1", "PUB=t,1,x,y", "PUBMSG=t,1,10241", "STATE", "UNSUB="] {
        bench.error(&format!("AT+CLOUD{wrong}")).await;
    }
    bench.broker.limit_subscription("no", 128);
    bench.ok_then("AT+CLOUDSUB=no,1", "+CMD ERROR: -3").await;
    bench.line("+MQTTDISCONNED: Link Closed").await;
    bench.info("AT+CLOUDSTATE?", "+CLOUDSTATE: 0").await;
    bench.ok("AT+CLOUDCONN=60,1,3").await;
    bench.broker.withhold_acknowledgements(true);
    bench.ok_then("AT+CLOUDPUB=t,1,x", "+CMD ERROR: -1").await;
    bench.line("+MQTTDISCONNED: Link Closed").await;
    let mut bench = connected(|builder| builder).await;
    bench.error("AT+CLOUDSUB=t,1").await;
    bench.info("AT+CLOUDSTATE?", "+CLOUDSTATE: 0").await;
}

#[tokio::test(start_paused = true)]
async fn the_clouds_reports_in_other_forms() {
    let mut bench =
        in_the_cloud(&[Quirk::CloudSpaces, Quirk::CloudUnsubackMisspelt, Quirk::MessageCount]).await;
    bench.ok_then("AT+CLOUDSUB=t,0", "+CLOUDSUBACK: <OK>").await;
    bench.broker.publish_from_outside("t", 0, false, "hi");
    bench.line("+CLOUDPUBLISH: 1, t, 2, hi").await;
    bench.ok_then("AT+CLOUDUNSUB=t", "+CLOUDNSUBACK: <OK>").await;
    let mut bench = in_the_cloud(&[Quirk::ErrorCodeInBrackets]).await;
    bench.broker.limit_subscription("no", 128);
    bench.ok_then("AT+CLOUDSUB=no,1", "+CMD ERROR: <-3>").await;
}

#[tokio::test(start_paused = true)]
async fn certificates_are_loaded_raw() {
    let mut bench = online(|builder| builder).await;
    for wrong in ["rootca.pem", "rootca.pem,0", "rootca.pem,16385", ",5", "rootca.pem,5,1"] {
        bench.error(&format!("AT+CERTADD={wrong}")).await;
    }
    bench.host.ask("AT+CERTADD=rootca.pem,8", "\r\nCONNECT\r\n").await;
    bench.host.say("a\r\nOK\r\n\0").await;
    bench.line("+CERTADD: 8,OK").await;
    assert_eq!(bench.modem.file("rootca.pem").unwrap(), "a\r\nOK\r\n\0");
    bench.host.ask("AT+CERTADD=short.pem,8", "\r\nCONNECT\r\n").await;
    bench.host.say("abc").await;
    bench.host.hear("\r\nERROR\r\n").await;
    assert_eq!(bench.modem.file("short.pem"), None);
    bench.ok("AT+AWSTLSCFG=rootca,rootca.pem").await;
    for wrong in ["AWSTLSCFG=rootca,short.pem", "AWSTLSCFG=authmode,2", "AWSTLSCFG=other,rootca.pem"] {
        bench.error(&format!("AT+{wrong}")).await;
    }
    for wrong in ["AWSAUTHPARAM=", "AWSAUTHPARAM=a,b,c,d", "AWSCONNPARAM=h:1", "AWSCONNPARAM=h,1"] {
        bench.error(&format!("AT+{wrong}")).await;
    }
    bench.error("AT+AWSCONN=60,1,4").await;
    bench.ok("AT+AWSAUTHPARAM=nwy_test").await;
    bench.error("AT+AWSCONN=60,1,4").await;
    bench.ok("AT+AWSCONNPARAM=broker.example:443,1").await;
    bench.error("AT+AWSCONN=60,1,5").await;
    bench.ok("AT+AWSCONN=60,1,4").await;
    // From here on the standard commands serve it.
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 1").await;
    bench.ok("AT+MQTTSUB=\"t\",1").await;
    let login = bench.broker.ledger().connects.remove(0);
    assert_eq!((login.client_identifier.as_str(), login.tls), ("nwy_test", true));
    assert_eq!(login.dialled, ("broker.example".to_owned(), 443));
}
