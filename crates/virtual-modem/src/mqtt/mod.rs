//! MQTT as the module sees it: packets and a client's session, without any input or output.

pub(crate) mod packet;
pub(crate) mod session;
pub(crate) mod topic;
