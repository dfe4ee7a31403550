//! What every example does first: opens the device that `--device` names.

use mqtt_at::{Modem, ModemOptions};
use virtual_modem::{Broker, Builder, MemoryBroker, VirtualModem};

/// A real port (`--device /dev/ttyUSB2`), or a virtual module with a broker of its own (`--device sim:quectel`, the
/// default). Connections of the virtual one go to its broker, whatever host they name.
#[allow(dead_code, reason = "each example uses what it needs")]
pub(crate) async fn open_device() -> mqtt_at::Result<Modem> {
    open_with(ModemOptions::new(), |module| module.broker(Broker::Memory(MemoryBroker::new()))).await
}

/// The same with options, and with a virtual module that was made to measure.
pub(crate) async fn open_with(
    options: ModemOptions,
    tailor: impl FnOnce(Builder) -> Builder,
) -> mqtt_at::Result<Modem> {
    let device = std::env::args().skip_while(|word| word != "--device").nth(1);
    let device = device.unwrap_or_else(|| "sim:quectel".to_owned());
    let Some(vendor) = device.strip_prefix("sim:") else {
        return Modem::open_with(&device, options).await;
    };
    let vendor = vendor.parse().unwrap_or_else(|error| panic!("--device {device}: {error}"));
    let module = tailor(VirtualModem::builder(vendor)).build();
    let module = module.unwrap_or_else(|error| panic!("--device {device}: {error}"));
    let (opening, driver) = Modem::over(module.duplex(), options);
    tokio::spawn(driver);
    opening.await
}
