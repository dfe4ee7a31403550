//! Who a device is at a cloud platform whose logins the module makes by itself.

use crate::secret::Secret;

/// An identity at a cloud platform, for [`ConnectOptions::sign_in`](crate::ConnectOptions::sign_in): the module makes
/// user name and password of it, so that [`credentials`](crate::ConnectOptions::credentials) are not needed.
///
/// Which platforms a module knows is its vendor's matter; for another one connecting fails with
/// [`Error::Unsupported`](crate::Error::Unsupported) before anything is sent. The identity is given to the module before
/// each connect, also when the connection is made again.
///
/// # Examples
///
/// ```
/// use mqtt_at::{ConnectOptions, SignIn};
///
/// let host = "a1oGs4example.iot-as-mqtt.cn-shanghai.aliyuncs.com";
/// let options = ConnectOptions::new("device-7", host, 1883)
///     .sign_in(SignIn::alibaba("a1oGs4example", "device-7", "open sesame"));
/// assert!(!format!("{options:?}").contains("sesame"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignIn {
    /// A device of Alibaba Cloud. On Quectel.
    Alibaba {
        /// The key of the product.
        product_key: String,
        /// The name of the device.
        device_name: String,
        /// The secret of the device.
        device_secret: Secret,
    },
    /// A device of China Mobile's OneNET. On Quectel.
    OneNet {
        /// The identifier of the product.
        product_id: String,
        /// The access key of the device.
        access_key: Secret,
    },
    /// A device of Huawei's platform. On Quectel.
    Huawei {
        /// The identifier of the device.
        device_id: String,
        /// The secret of the device.
        device_secret: Secret,
    },
    /// A device that registers itself at Huawei's platform by its product. On Quectel.
    HuaweiProduct {
        /// The identifier of the product.
        product_id: String,
        /// The secret of the product.
        product_secret: Secret,
        /// The node that the device is of the product.
        node: String,
    },
}

impl SignIn {
    /// A device of Alibaba Cloud.
    pub fn alibaba(
        product_key: impl Into<String>,
        device_name: impl Into<String>,
        device_secret: impl Into<Secret>,
    ) -> Self {
        Self::Alibaba {
            product_key: product_key.into(),
            device_name: device_name.into(),
            device_secret: device_secret.into(),
        }
    }

    /// A device of China Mobile's OneNET.
    pub fn one_net(product_id: impl Into<String>, access_key: impl Into<Secret>) -> Self {
        Self::OneNet { product_id: product_id.into(), access_key: access_key.into() }
    }

    /// A device of Huawei's platform.
    pub fn huawei(device_id: impl Into<String>, device_secret: impl Into<Secret>) -> Self {
        Self::Huawei { device_id: device_id.into(), device_secret: device_secret.into() }
    }

    /// A device that registers itself at Huawei's platform by its product.
    pub fn huawei_product(
        product_id: impl Into<String>,
        product_secret: impl Into<Secret>,
        node: impl Into<String>,
    ) -> Self {
        Self::HuaweiProduct {
            product_id: product_id.into(),
            product_secret: product_secret.into(),
            node: node.into(),
        }
    }

    /// What signing in is called in an error.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Alibaba { .. } => "signing in to Alibaba Cloud",
            Self::OneNet { .. } => "signing in to OneNET",
            Self::Huawei { .. } | Self::HuaweiProduct { .. } => "signing in to Huawei's platform",
        }
    }
}
