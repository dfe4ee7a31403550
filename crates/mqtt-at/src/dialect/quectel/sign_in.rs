//! Identities at cloud platforms, of which the module makes user name and password [EC200x MQTT 1.0 §3.2.1].

use super::commands::{AliCredentials, HuaweiCredentials, HuaweiProduct, OneNetCredentials, QmtCfg};
use super::connect::Set;
use crate::error::InputError;
use crate::sign_in::SignIn;

/// The setting that gives a client an identity; `None` for a platform that the module does not know.
pub(super) fn setting(index: u8, identity: &SignIn) -> Option<Result<Set, InputError>> {
    Some(match identity.clone() {
        SignIn::Alibaba { product_key, device_name, device_secret } => {
            let identity = AliCredentials { product_key, device_name, device_secret };
            Set::required(QmtCfg::ali_auth(index).set(identity))
        }
        SignIn::OneNet { product_id, access_key } => {
            Set::required(QmtCfg::one_net(index).set(OneNetCredentials { product_id, access_key }))
        }
        SignIn::Huawei { device_id, device_secret } => {
            let identity = HuaweiCredentials { product_id: device_id, access_key: device_secret };
            Set::required(QmtCfg::hw_auth(index).set(identity))
        }
        SignIn::HuaweiProduct { product_id, product_secret, node } => {
            let identity = HuaweiProduct { product_id, product_secret, node };
            Set::required(QmtCfg::hw_prod_id(index).set(identity))
        }
    })
}
