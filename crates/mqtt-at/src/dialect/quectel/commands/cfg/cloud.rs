//! Identities at the cloud platforms that the manual names. Queries give their secrets back in clear, so no flow
//! sends them and no transcript shows their answers.

use at_codec::{Fields, WriteLine};

use crate::dialect::quectel::commands::setting::{Family, Setting, flag, text};
use crate::dialect::quectel::facts::{CLOUD_TEXT, TEXT};
use crate::error::InputError;
use crate::secret::Secret;

/// A device of Alibaba Cloud.
#[derive(Debug, Clone)]
pub struct AliCredentials {
    /// The key of the product.
    pub product_key: String,
    /// The name of the device.
    pub device_name: String,
    /// The secret of the device.
    pub device_secret: Secret,
}

/// `aliauth` [EC200x MQTT 1.0 §3.2.1]. With it, connecting needs no user name and password (note 5).
#[derive(Debug)]
pub struct AliAuth;

impl Setting for AliAuth {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "aliauth";
    const SECRET: bool = true;
    type Value = AliCredentials;
    type State = AliCredentials;

    fn write(value: &AliCredentials, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line
            .quoted("the product key", &value.product_key, TEXT, CLOUD_TEXT)?
            .quoted("the device name", &value.device_name, TEXT, CLOUD_TEXT)?
            .secret("the device secret", value.device_secret.expose(), TEXT, CLOUD_TEXT)?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<AliCredentials> {
        let (product_key, device_name) = (text(fields)?, text(fields)?);
        Some(AliCredentials { product_key, device_name, device_secret: text(fields)?.into() })
    }
}

/// A device of China Mobile's OneNET.
#[derive(Debug, Clone)]
pub struct OneNetCredentials {
    /// The identifier of the product.
    pub product_id: String,
    /// The access key of the device.
    pub access_key: Secret,
}

/// `onenet` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct OneNet;

impl Setting for OneNet {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "onenet";
    const SECRET: bool = true;
    type Value = OneNetCredentials;
    type State = OneNetCredentials;

    fn write(value: &OneNetCredentials, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.quoted("the product identifier", &value.product_id, TEXT, CLOUD_TEXT)?.secret(
            "the access key",
            value.access_key.expose(),
            TEXT,
            CLOUD_TEXT,
        )?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<OneNetCredentials> {
        Some(OneNetCredentials { product_id: text(fields)?, access_key: text(fields)?.into() })
    }
}

/// A device of Huawei's platform; the manual's test command calls the two values device id and device secret.
#[derive(Debug, Clone)]
pub struct HuaweiCredentials {
    /// The identifier of the product, or of the device.
    pub product_id: String,
    /// The access key, or secret, of the device.
    pub access_key: Secret,
}

/// What a query tells about a device of Huawei's platform.
#[derive(Debug, Clone)]
pub struct Huawei<C> {
    /// The identity.
    pub credentials: C,
    /// Whether the platform checks the time stamp of a connection, if the module tells.
    pub checks_time: Option<bool>,
}

/// `hwauth` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct HwAuth;

impl Setting for HwAuth {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "hwauth";
    const SECRET: bool = true;
    type Value = HuaweiCredentials;
    type State = Huawei<HuaweiCredentials>;

    fn write(value: &HuaweiCredentials, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.quoted("the product identifier", &value.product_id, TEXT, CLOUD_TEXT)?.secret(
            "the access key",
            value.access_key.expose(),
            TEXT,
            CLOUD_TEXT,
        )?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<Huawei<HuaweiCredentials>> {
        let credentials = HuaweiCredentials { product_id: text(fields)?, access_key: text(fields)?.into() };
        Some(Huawei { credentials, checks_time: flag(fields) })
    }
}

/// The product of a device that registers itself at Huawei's platform.
#[derive(Debug, Clone)]
pub struct HuaweiProduct {
    /// The identifier of the product.
    pub product_id: String,
    /// The secret of the product.
    pub product_secret: Secret,
    /// The node of the product.
    pub node: String,
}

/// `hwprodid` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct HwProdId;

impl Setting for HwProdId {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "hwprodid";
    const SECRET: bool = true;
    type Value = HuaweiProduct;
    type State = Huawei<HuaweiProduct>;

    fn write(value: &HuaweiProduct, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line
            .quoted("the product identifier", &value.product_id, TEXT, CLOUD_TEXT)?
            .secret("the product secret", value.product_secret.expose(), TEXT, CLOUD_TEXT)?
            .quoted("the node", &value.node, TEXT, CLOUD_TEXT)?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<Huawei<HuaweiProduct>> {
        let (product_id, product_secret) = (text(fields)?, text(fields)?.into());
        let credentials = HuaweiProduct { product_id, product_secret, node: text(fields)? };
        Some(Huawei { credentials, checks_time: flag(fields) })
    }
}
