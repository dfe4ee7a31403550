//! Strings of callers: what the module parsed is what was meant, or nothing was written.

use mqtt_at::{ConnectOptions, Error, Modem, ModemOptions, QoS, Supervision};
use virtual_modem::{Broker, Entry, MemoryBroker, Vendor, VirtualModem};

use super::in_virtual_time;
use super::source::Source;

/// Client identifier, user, password, topic and payload, at a module of each vendor.
pub fn args_encode(data: &[u8]) {
    let mut source = Source(data);
    let vendors = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];
    let vendor = vendors[source.below(vendors.len())];
    let (identifier, user, password) = (source.text(), source.text(), source.text());
    let (topic, payload) = (source.text(), source.slice());
    in_virtual_time(check(vendor, &identifier, &user, &password, &topic, payload));
}

async fn check(vendor: Vendor, identifier: &str, user: &str, password: &str, topic: &str, payload: &[u8]) {
    let broker = MemoryBroker::new();
    let module = VirtualModem::builder(vendor).broker(Broker::Memory(broker.clone())).build();
    let module = module.expect("it can be built");
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new().supervision(Supervision::off()));
    tokio::spawn(driver);
    let modem = opening.await.expect("the module comes up");
    let before = module.understood().len();
    broker.require_credentials(user, password);
    let options = ConnectOptions::new(identifier, "broker", 1883).credentials(user, password);
    match modem.connect(options).await {
        // The broker took exactly these; it gives a name to a client without one.
        Ok(client) => {
            assert!(identifier.is_empty() || broker.connected() == [identifier]);
            drop(client);
        }
        Err(Error::Input(_) | Error::Unsupported { .. }) => {
            assert_eq!(module.understood().len(), before, "nothing was written");
        }
        // Not every module takes an empty string, or can tell it from none at all.
        Err(error) => {
            assert!([identifier, user, password].contains(&""), "{vendor:?}: {error:?}");
        }
    }
    broker.require_credentials("u", "p");
    let options = ConnectOptions::new("plain", "broker", 1883).credentials("u", "p");
    let client = modem.connect(options).await.expect("plain text is always taken");
    let before = (module.understood().len(), broker.ledger().accepted.len());
    let outcome = client.publish(topic, QoS::AtLeastOnce, false, payload.to_vec()).await;
    let accepted = broker.ledger().accepted.split_off(before.1);
    match outcome {
        Ok(_) => {
            let [message] = accepted.as_slice() else { panic!("one message was sent, not {accepted:?}") };
            assert_eq!((message.topic.as_str(), &message.payload[..]), (topic, payload));
        }
        Err(Error::Input(_) | Error::Unsupported { .. }) => {
            assert_eq!(module.understood().len(), before.0, "nothing was written");
        }
        Err(error) => panic!("{vendor:?}: {topic:?}: {error:?}"),
    }
    let odd = module.log().into_iter().find(|it| matches!(it.entry, Entry::NotACommand(_)));
    assert!(odd.is_none(), "the module could not read {odd:?}");
}
