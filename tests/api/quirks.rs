//! Quectel modules without the manual's `AT+QMTPUBEX` publish in the form that they have.

use mqtt_at::quectel::PublishForm;
use mqtt_at::{ClientStatus, Fault, Modem, ModemOptions, Outcome, QoS, Quirk, QuirkRule, Vendor};
use virtual_modem::{PublishGrammar, Quirk as ModuleQuirk};

use crate::hostile::HOSTILE;
use crate::support::{Bench, KINDS, Kind, pattern};

/// A grammar, a model that has it, and its form by the name of the library.
const GRAMMARS: &[(PublishGrammar, &str, PublishForm)] = &[
    (PublishGrammar::Length, "BG96", PublishForm::Length),
    (PublishGrammar::LengthAndCtrlZ, "BC660K-GL", PublishForm::LengthAndCtrlZ),
    (PublishGrammar::CtrlZ, "M95", PublishForm::CtrlZ),
    (PublishGrammar::Inline, "BC26", PublishForm::Inline),
    (PublishGrammar::InlineEx, "BG95-M3", PublishForm::InlineEx),
];

const LEVELS: [QoS; 2] = [QoS::AtMostOnce, QoS::AtLeastOnce];

fn quectel() -> &'static Kind {
    KINDS.iter().find(|kind| kind.vendor == virtual_modem::Vendor::Quectel).unwrap()
}

async fn bench(grammar: PublishGrammar, model: &str) -> Bench {
    with_options(grammar, model, ModemOptions::new()).await
}

async fn with_options(grammar: PublishGrammar, model: &str, options: ModemOptions) -> Bench {
    let change = |builder: virtual_modem::Builder| builder.quirk(ModuleQuirk::Publish(grammar)).model(model);
    Bench::with(quectel(), change, options).await
}

/// How often a command was understood by the module.
fn count(bench: &Bench, name: &str) -> usize {
    bench.module.understood().iter().filter(|it| it.command.name == name).count()
}

/// Whether the library says that a form can carry a payload.
fn fits(form: PublishForm, payload: &[u8]) -> bool {
    match form {
        PublishForm::CtrlZ => !payload.iter().any(|byte| matches!(byte, 0x1A | 0x1B)),
        PublishForm::Inline | PublishForm::InlineEx => {
            !payload.iter().any(|byte| byte.is_ascii_control() || *byte == b'"')
        }
        _ => true,
    }
}

#[tokio::test(start_paused = true)]
async fn every_grammar_publishes_what_it_can_carry_and_refuses_the_rest() {
    for (grammar, model, form) in GRAMMARS.iter().copied() {
        let bench = bench(grammar, model).await;
        let client = bench.client("sender").await;
        let everything = HOSTILE.concat();
        let text = vec![b'x'; 1500];
        let plain = [&b"x"[..], b"{'a': 1}", "grüße, 你好".as_bytes(), b"a,b;c\\d > e", &text];
        let binary = pattern(1500);
        let payloads = HOSTILE.iter().copied().chain(plain).chain([&everything[..], &binary]);
        let (mut sent, mut refused) = (0, 0);
        for (payload, qos) in payloads.flat_map(|payload| LEVELS.map(|qos| (payload, qos))) {
            let before = bench.module.understood().len();
            let outcome = client.publish("a/b", qos, false, payload.to_vec()).await;
            if fits(form, payload) {
                outcome.unwrap_or_else(|error| panic!("{grammar:?} {payload:?}: {error}"));
                sent += 1;
                let ledger = bench.broker.ledger();
                let last = ledger.accepted.last().expect("something was accepted");
                assert_eq!((&last.payload[..], last.qos), (payload, qos.level()), "{grammar:?}");
            } else {
                let error = outcome.unwrap_err();
                assert_eq!((error.fault(), error.outcome()), (Fault::Caller, Outcome::NotSent), "{error}");
                assert!(error.to_string().starts_with("the payload holds byte"), "{error}");
                assert_eq!(bench.module.understood().len(), before, "{grammar:?}: nothing was sent");
                refused += 1;
            }
        }
        assert_eq!(bench.accepted("a/b").len(), sent, "{grammar:?}: each exactly once");
        let takes_everything = matches!(form, PublishForm::Length | PublishForm::LengthAndCtrlZ);
        assert_eq!(refused == 0, takes_everything, "{grammar:?}");
        assert_eq!(*client.status().borrow(), ClientStatus::Connected);
    }
}

#[tokio::test(start_paused = true)]
async fn publishes_awaited_together_keep_their_order() {
    for (grammar, model, _) in GRAMMARS.iter().copied() {
        let bench = bench(grammar, model).await;
        let client = bench.client("sender").await;
        let publishes = (b'a'..=b'z').map(|byte| client.publish("a/b", QoS::AtLeastOnce, false, vec![byte]));
        for outcome in futures::future::join_all(publishes).await {
            outcome.unwrap();
        }
        let expected: Vec<_> = (b'a'..=b'z').map(|byte| vec![byte]).collect();
        assert_eq!(bench.accepted("a/b"), expected, "{grammar:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_arguments_tell_needs_no_table() {
    for (grammar, _, form) in GRAMMARS.iter().copied() {
        if form == PublishForm::LengthAndCtrlZ {
            continue;
        }
        let bench = bench(grammar, "EC9X").await;
        bench.client("one").await.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap();
        assert_eq!(bench.accepted("a"), [b"x".to_vec()], "{grammar:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_with_the_manuals_command_is_asked_once() {
    let bench = Bench::new(quectel()).await;
    assert_eq!((count(&bench, "+QMTPUBEX"), count(&bench, "+QMTPUB")), (1, 0));
}

/// Without `AT+QURCCFG` no result of MQTT would come out of this port.
#[tokio::test(start_paused = true)]
async fn reports_that_go_to_another_port_are_called_here() {
    let change = |builder: virtual_modem::Builder| builder.quirk(ModuleQuirk::UrcPortElsewhere);
    let bench = Bench::with(quectel(), change, ModemOptions::new()).await;
    publish_any(&bench.modem).await;
    assert_eq!(bench.accepted("a"), [pattern(256)]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_user_says_what_the_table_does_not() {
    let rule = QuirkRule {
        vendor: Vendor::Quectel,
        model: "EC9#".into(),
        firmware: "*".into(),
        quirk: Quirk::QuectelPublish(PublishForm::LengthAndCtrlZ),
    };
    let options = ModemOptions::new().quirk(rule);
    let bench = with_options(PublishGrammar::LengthAndCtrlZ, "EC99", options).await;
    assert_eq!(count(&bench, "+QMTPUBEX") + count(&bench, "+QMTPUB"), 0, "the module is not asked");
    publish_any(&bench.modem).await;
    assert_eq!(bench.accepted("a"), [pattern(256)]);
}

async fn publish_any(modem: &Modem) {
    let client = modem.connect(crate::support::options("one")).await.unwrap();
    client.publish("a", QoS::AtLeastOnce, false, pattern(256)).await.unwrap();
}
