//! What every module has, whoever made it: identity, SIM, registration, contexts, files, the common commands.

pub(crate) mod clock;
pub(crate) mod commands;
pub(crate) mod contexts;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod network;
pub(crate) mod profile;
pub(crate) mod sim;
