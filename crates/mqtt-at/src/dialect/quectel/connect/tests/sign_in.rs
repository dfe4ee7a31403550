//! Identities at cloud platforms.

use super::*;

/// The settings with one more, in front of the will.
fn settings_with(setting: &str) -> String {
    let will = SETTINGS.find(">> AT+QMTCFG=\"will\"").unwrap();
    format!("{}>> AT+QMTCFG={setting}\n<< OK\n{}", &SETTINGS[..will], &SETTINGS[will..])
}

/// [EC200x MQTT 1.0 §5.1]: the identity, then a CONNECT without user name and password.
#[tokio::test(start_paused = true)]
async fn the_identity_is_set_and_no_user_name_is_given() {
    for (identity, setting) in [
        (SignIn::alibaba("product", "device", "hush"), r#""aliauth",0,"product","device","hush""#),
        (SignIn::one_net("product", "hush"), r#""onenet",0,"product","hush""#),
        (SignIn::huawei("device", "hush"), r#""hwauth",0,"device","hush""#),
        (SignIn::huawei_product("product", "hush", "node"), r#""hwprodid",0,"product","hush","node""#),
    ] {
        let script = format!(
            "{}{OPEN}<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0",
            settings_with(setting)
        );
        connect_with(&Host::default(), options().sign_in(identity), &script).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn firmware_that_does_not_know_the_platform_is_told_so() {
    let refused = settings_with("\"onenet\",0,\"product\",\"hush\"");
    let end = refused.find("onenet").unwrap();
    let refused = format!("{}onenet\",0,\"product\",\"hush\"\n<< ERROR\n", &refused[..end]);
    let script = format!("{refused}{SHUT}{refused}");
    let options = options().sign_in(SignIn::one_net("product", "hush"));
    let error = connect_with(&Host::default(), options, &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+QMTCFG: the module refused the setting onenet");
    assert!(error.remedy().is_some() && !format!("{error:?}").contains("hush"));
}

#[test]
fn an_identity_that_cannot_be_written_is_refused_before_anything_is_sent() {
    for identity in [
        SignIn::alibaba("p\"", "d", "s"),
        SignIn::alibaba("p", "d", "s\r"),
        SignIn::one_net("p", "k".repeat(257)),
        SignIn::huawei_product("p", "s", "n\n"),
    ] {
        let error = check(&options().sign_in(identity.clone())).unwrap_err();
        assert_eq!(error.fault(), Fault::Caller, "{identity:?}");
    }
}
