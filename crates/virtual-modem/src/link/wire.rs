//! MQTT 3.1.1 on a byte stream.

use bytes::Bytes;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{PacketBuildResult, PacketBuilder, PacketData, RawPacket};
use mqtt_protocol_core::mqtt::packet::{Qos, SubEntry, SubOpts, v3_1_1};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::mqtt::packet::{Connect, Packet, Publish};

/// The largest packet a module takes from a broker, in bytes.
const LARGEST_PACKET: u32 = 1024 * 1024;

/// Cuts a byte stream into packets.
pub(super) struct Decoder {
    builder: PacketBuilder,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { builder: PacketBuilder::with_maximum_packet_size(LARGEST_PACKET) }
    }

    /// The packets that are complete with these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Packet>, MqttError> {
        let mut cursor = Cursor::new(bytes);
        let mut packets = Vec::new();
        loop {
            match self.builder.feed(&mut cursor) {
                PacketBuildResult::Complete(raw) => packets.push(read(&raw)?),
                PacketBuildResult::Incomplete => return Ok(packets),
                PacketBuildResult::Error(error) => return Err(error),
            }
        }
    }
}

/// A packet from a broker; anything only clients send is an error.
fn read(raw: &RawPacket) -> Result<Packet, MqttError> {
    Ok(match raw.packet_type() {
        2 => {
            let packet = raw.parse_exact(v3_1_1::Connack::parse)?;
            Packet::ConnAck { session_present: packet.session_present(), code: packet.return_code() as u8 }
        }
        3 => {
            let PacketData::Publish(body) = &raw.data else { return Err(MqttError::MalformedPacket) };
            let (packet, _) = v3_1_1::Publish::parse(raw.flags(), body.clone())?;
            Packet::Publish(Publish {
                dup: packet.dup(),
                qos: packet.qos() as u8,
                retain: packet.retain(),
                id: packet.packet_id().unwrap_or(0),
                topic: Bytes::copy_from_slice(packet.topic_name().as_bytes()),
                payload: Bytes::copy_from_slice(packet.payload().as_slice()),
            })
        }
        4 => Packet::PubAck(raw.parse_exact(v3_1_1::Puback::parse)?.packet_id()),
        5 => Packet::PubRec(raw.parse_exact(v3_1_1::Pubrec::parse)?.packet_id()),
        6 => Packet::PubRel(raw.parse_exact(v3_1_1::Pubrel::parse)?.packet_id()),
        7 => Packet::PubComp(raw.parse_exact(v3_1_1::Pubcomp::parse)?.packet_id()),
        9 => {
            let packet = raw.parse_exact(v3_1_1::Suback::parse)?;
            Packet::SubAck {
                id: packet.packet_id(),
                codes: packet.return_codes().into_iter().map(|code| code as u8).collect(),
            }
        }
        11 => Packet::UnsubAck(raw.parse_exact(v3_1_1::Unsuback::parse)?.packet_id()),
        13 => Packet::PingResp,
        _ => return Err(MqttError::MalformedPacket),
    })
}

/// A packet for a broker. What 3.1.1 cannot carry is an error, a topic that is not UTF-8 for instance.
pub(super) fn encode(packet: &Packet) -> Result<Vec<u8>, MqttError> {
    Ok(match packet {
        Packet::Connect(connect) => encode_connect(connect)?,
        Packet::Publish(publish) => {
            let mut builder = v3_1_1::Publish::builder()
                .topic_name(text(&publish.topic)?)?
                .qos(qos(publish.qos)?)
                .retain(publish.retain)
                .dup(publish.dup)
                .payload(publish.payload.to_vec());
            if publish.qos > 0 {
                builder = builder.packet_id(publish.id);
            }
            builder.build()?.to_continuous_buffer()
        }
        Packet::PubAck(id) => v3_1_1::Puback::builder().packet_id(*id).build()?.to_continuous_buffer(),
        Packet::PubRec(id) => v3_1_1::Pubrec::builder().packet_id(*id).build()?.to_continuous_buffer(),
        Packet::PubRel(id) => v3_1_1::Pubrel::builder().packet_id(*id).build()?.to_continuous_buffer(),
        Packet::PubComp(id) => v3_1_1::Pubcomp::builder().packet_id(*id).build()?.to_continuous_buffer(),
        Packet::Subscribe { id, filters } => {
            let entries: Result<Vec<SubEntry>, MqttError> = filters
                .iter()
                .map(|(filter, asked)| SubEntry::new(text(filter)?, SubOpts::new().set_qos(qos(*asked)?)))
                .collect();
            v3_1_1::Subscribe::builder().packet_id(*id).entries(entries?).build()?.to_continuous_buffer()
        }
        Packet::Unsubscribe { id, filters } => {
            let entries: Result<Vec<&str>, MqttError> = filters.iter().map(text).collect();
            v3_1_1::Unsubscribe::builder().packet_id(*id).entries(entries?)?.build()?.to_continuous_buffer()
        }
        Packet::PingReq => v3_1_1::Pingreq::new().to_continuous_buffer(),
        Packet::Disconnect => v3_1_1::Disconnect::new().to_continuous_buffer(),
        Packet::ConnAck { .. } | Packet::SubAck { .. } | Packet::UnsubAck(_) | Packet::PingResp => {
            return Err(MqttError::ProtocolError);
        }
    })
}

fn encode_connect(connect: &Connect) -> Result<Vec<u8>, MqttError> {
    let mut builder = v3_1_1::Connect::builder()
        .client_id(text(&connect.client_identifier)?)?
        .clean_session(connect.clean_session)
        .keep_alive(connect.keep_alive);
    if let Some(will) = &connect.will {
        builder =
            builder.will_message(text(&will.topic)?, will.payload.to_vec(), qos(will.qos)?, will.retain)?;
    }
    if let Some(user) = &connect.user {
        builder = builder.user_name(text(user)?)?;
    }
    if let Some(password) = &connect.password {
        builder = builder.password(password.to_vec())?;
    }
    Ok(builder.build()?.to_continuous_buffer())
}

fn text(bytes: &Bytes) -> Result<&str, MqttError> {
    std::str::from_utf8(bytes).map_err(|_| MqttError::MalformedPacket)
}

fn qos(level: u8) -> Result<Qos, MqttError> {
    Qos::try_from(level).map_err(|_| MqttError::MalformedPacket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Will;

    #[test]
    fn bytes_of_the_standard() {
        let publish = Publish {
            dup: true,
            qos: 1,
            retain: true,
            id: 10,
            topic: Bytes::from_static(b"a/b"),
            payload: Bytes::from_static(b"hi"),
        };
        assert_eq!(encode(&Packet::Publish(publish.clone())).unwrap(), b"\x3b\x09\x00\x03a/b\x00\x0ahi");
        let subscribe = Packet::Subscribe { id: 10, filters: vec![(Bytes::from_static(b"c/d"), 2)] };
        assert_eq!(encode(&subscribe).unwrap(), b"\x82\x08\x00\x0a\x00\x03c/d\x02");
        let connect = Connect {
            client_identifier: Bytes::from_static(b"x"),
            clean_session: true,
            keep_alive: 120,
            will: Some(Will {
                topic: Bytes::from_static(b"w"),
                payload: Bytes::from_static(b"bye"),
                qos: 1,
                retain: false,
            }),
            user: Some(Bytes::from_static(b"u")),
            password: Some(Bytes::from_static(b"p")),
        };
        let expected = b"\x10\x1b\x00\x04MQTT\x04\xce\x00\x78\x00\x01x\x00\x01w\x00\x03bye\x00\x01u\x00\x01p";
        assert_eq!(encode(&Packet::Connect(connect)).unwrap(), expected);
        let not_utf8 = Publish { topic: Bytes::from_static(b"\xff"), ..publish };
        assert!(encode(&Packet::Publish(not_utf8)).is_err());
    }

    #[test]
    fn packets_however_they_are_cut() {
        let stream = b"\x20\x02\x01\x00\x90\x04\x00\x0a\x02\x80\x33\x09\x00\x03a/b\x00\x07hi\xd0\x00";
        let expected = [
            Packet::ConnAck { session_present: true, code: 0 },
            Packet::SubAck { id: 10, codes: vec![2, 128] },
            Packet::Publish(Publish {
                dup: false,
                qos: 1,
                retain: true,
                id: 7,
                topic: Bytes::from_static(b"a/b"),
                payload: Bytes::from_static(b"hi"),
            }),
            Packet::PingResp,
        ];
        for cut in 0..=stream.len() {
            let mut decoder = Decoder::new();
            let mut packets = decoder.feed(&stream[..cut]).unwrap();
            packets.extend(decoder.feed(&stream[cut..]).unwrap());
            assert_eq!(packets, expected, "cut at {cut}");
        }
        assert!(Decoder::new().feed(b"\x10\x00").is_err());
    }
}
