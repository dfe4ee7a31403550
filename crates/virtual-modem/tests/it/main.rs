//! The module through its public interface only.

#[cfg(test)]
mod fronts;
#[cfg(test)]
mod host;
#[cfg(test)]
mod quectel_manual;
#[cfg(test)]
#[cfg(feature = "embedded-broker")]
mod real_mqtt;
#[cfg(test)]
mod tls;
