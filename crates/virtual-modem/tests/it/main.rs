//! The module through its public interface only.

#[cfg(test)]
mod host;
#[cfg(test)]
mod quectel_manual;
