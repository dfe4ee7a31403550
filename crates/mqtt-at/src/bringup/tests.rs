//! Bring-up against modules of all kinds, in virtual time.
