//! How the form is found, as conversations in wire order.

use super::*;
use crate::dialect::quectel::script::Host;

async fn found(quirks: Quirks, script: &str) -> Option<PublishForm> {
    Host::default().converse(script, async |port| find(&port, &quirks).await).await.unwrap()
}

fn known(form: PublishForm) -> Quirks {
    Quirks { known: vec![Quirk::QuectelPublish(form)], ..Quirks::default() }
}

/// What a module without `AT+QMTPUBEX` answers.
fn older(answer: &str) -> String {
    format!(">> AT+QMTPUBEX=?\n<< ERROR\n>> AT+QMTPUB=?\n{answer}")
}

#[tokio::test(start_paused = true)]
async fn a_module_with_the_command_of_the_manual_is_asked_once() {
    let full = "<< +QMTPUBEX: (0-5),<msgid>,(0-2),(0,1),\"topic\",\"length\"\n<< OK";
    for answer in [full, "<< OK", "<< +QMTPUBEX: (0-5), <msgid>,(0-2),(0,1)\n<< OK"] {
        let script = format!(">> AT+QMTPUBEX=?\n{answer}");
        assert_eq!(found(Quirks::default(), &script).await, None);
        assert_eq!(found(known(PublishForm::Inline), &script).await, None, "the module knows better");
    }
    let inline = ">> AT+QMTPUBEX=?\n<< +QMTPUBEX: (0-5),(0-65535),(0-2),(0,1),<topic>,<msg>\n<< OK";
    assert_eq!(found(Quirks::default(), inline).await, Some(PublishForm::InlineEx));
}

#[tokio::test(start_paused = true)]
async fn older_modules_show_their_arguments() {
    for (arguments, form) in [
        ("(0-5),(0-65535),(0-2),(0,1),<topic>,(1-4096)", PublishForm::Length),
        ("(0-5),<msgid>,(0-2),(0,1),\"topic\",\"length\"", PublishForm::Length),
        ("(0-5),<msgid>,(0-2),(0,1),\"topic\",<msglen>", PublishForm::Length),
        ("(0-5),<msgid>,(0-2),(0,1),\"topic\",[(1-1548)]", PublishForm::Length),
        ("(0-5), <msgid>,(0-2),(0,1),\"topic\"", PublishForm::CtrlZ),
        ("(0-5),<msgid>,(0-2),(0,1),\"topic\",\"payload\"", PublishForm::Inline),
        ("(0-5),(0-65535),(0-2),(0,1),<topic>,<Message>", PublishForm::Inline),
    ] {
        let script = older(&format!("<< +QMTPUB: {arguments}\n<< OK"));
        assert_eq!(found(Quirks::default(), &script).await, Some(form), "{arguments}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_module_cannot_tell_is_in_the_table() {
    let length = older("<< +QMTPUB: (0-5),(0-65535),(0-2),(0,1),<topic>,(1-1400)\n<< OK");
    for (script, known_form, form) in [
        (&length, PublishForm::LengthAndCtrlZ, PublishForm::LengthAndCtrlZ),
        (&length, PublishForm::CtrlZ, PublishForm::Length),
        (&older("<< OK"), PublishForm::CtrlZ, PublishForm::CtrlZ),
        (&older("<< OK"), PublishForm::LengthAndCtrlZ, PublishForm::LengthAndCtrlZ),
        (&older("<< +QMTPUB: (0-5)\n<< OK"), PublishForm::Inline, PublishForm::Inline),
        (&older("<< +QMTPUB: 1,2,3,4,5,<x>\n<< OK"), PublishForm::Inline, PublishForm::Inline),
        (&older("<< ERROR"), PublishForm::Inline, PublishForm::Inline),
    ] {
        assert_eq!(found(known(known_form), script).await, Some(form), "{script}");
    }
    assert_eq!(found(Quirks::default(), &older("<< OK")).await, Some(PublishForm::Length));
    assert_eq!(found(Quirks::default(), &older("<< ERROR")).await, None, "as the manual says, then");
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_user_needs_no_proof() {
    let chosen = vec![PublishForm::CtrlZ, PublishForm::Inline];
    let quirks = Quirks {
        chosen: chosen.into_iter().map(Quirk::QuectelPublish).collect(),
        ..known(PublishForm::LengthAndCtrlZ)
    };
    let host = async |port| {
        let found = find(&port, &quirks).await;
        ask(&port, Lane::COMMON, QmtPub::test()).await.unwrap();
        found.unwrap()
    };
    let form = Host::default().converse(">> AT+QMTPUB=?\n<< OK", host).await;
    assert_eq!(form, Some(PublishForm::CtrlZ), "the first, without a question");
}
