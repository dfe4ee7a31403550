//! How bytes become frames, by the public API only.

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod linear;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod splits;
#[cfg(test)]
mod toy;
