//! An identity at a cloud platform, as it is given on the command line.

use std::convert::Infallible;
use std::str::FromStr;

use mqtt_at::SignIn;

use crate::failure::Failure;

/// What stands behind `--sign-in`. Reading it never fails there, because clap's errors repeat what was given, and this
/// holds a secret.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Option<SignIn>);

impl Identity {
    /// The library's form of it.
    pub(super) fn sign_in(&self) -> Result<SignIn, Failure> {
        self.0.clone().ok_or_else(|| {
            Failure::usage("--sign-in names no platform with all its values").remedy(
                "give alibaba,PRODUCT,DEVICE,SECRET or onenet,PRODUCT,KEY or huawei,DEVICE,SECRET or \
                 huawei-product,PRODUCT,NODE,SECRET",
            )
        })
    }
}

impl FromStr for Identity {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (platform, values) = text.split_once(',').unwrap_or((text, ""));
        Ok(Self(match platform {
            "alibaba" => {
                split(values).map(|[product, device, secret]| SignIn::alibaba(product, device, secret))
            }
            "onenet" => split(values).map(|[product, key]| SignIn::one_net(product, key)),
            "huawei" => split(values).map(|[device, secret]| SignIn::huawei(device, secret)),
            "huawei-product" => {
                split(values).map(|[product, node, secret]| SignIn::huawei_product(product, secret, node))
            }
            _ => None,
        }))
    }
}

/// Exactly so many values; the last one, the secret, takes the rest with its commas.
fn split<const N: usize>(text: &str) -> Option<[&str; N]> {
    let values: Vec<&str> = text.splitn(N, ',').filter(|value| !value.is_empty()).collect();
    values.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SignIn, Failure> {
        let Ok(identity) = text.parse::<Identity>();
        identity.sign_in()
    }

    #[test]
    fn platforms_and_their_values() {
        for (text, expected) in [
            ("alibaba,p,d,s", SignIn::alibaba("p", "d", "s")),
            ("onenet,p,k,with,commas", SignIn::one_net("p", "k,with,commas")),
            ("huawei,d,s", SignIn::huawei("d", "s")),
            ("huawei-product,p,n,s", SignIn::huawei_product("p", "s", "n")),
        ] {
            assert_eq!(format!("{:?}", read(text).unwrap()), format!("{expected:?}"), "{text}");
        }
        for text in ["", "alibaba", "alibaba,hush,hush", "onenet,,hush", "google,hush,hush"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("huawei-product,PRODUCT") && !error.contains("hush"), "{error}");
        }
    }
}
