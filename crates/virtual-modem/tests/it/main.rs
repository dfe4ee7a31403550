//! The module through its public interface only.

#[cfg(test)]
mod byte_link;
#[cfg(test)]
mod command_line;
mod common_commands;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fibocom;
#[cfg(test)]
mod fibocom_messages;
#[cfg(test)]
mod fronts;
#[cfg(test)]
mod host;
#[cfg(test)]
mod neoway;
#[cfg(test)]
mod neoway_families;
#[cfg(test)]
mod neoway_messages;
#[cfg(test)]
mod quectel_cfg;
#[cfg(test)]
mod quectel_connection;
#[cfg(test)]
mod quectel_files;
#[cfg(test)]
mod quectel_manual;
#[cfg(test)]
mod quectel_messages;
#[cfg(test)]
#[cfg(feature = "embedded-broker")]
mod real_mqtt;
#[cfg(test)]
mod simcom;
#[cfg(test)]
mod simcom_connection;
#[cfg(test)]
mod simcom_manual;
#[cfg(test)]
mod simcom_messages;
#[cfg(test)]
mod simcom_quirks;
#[cfg(test)]
mod tls;
