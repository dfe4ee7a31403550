//! What every example does first: opens the device that `--device` names.

use mqtt_at::{Modem, ModemOptions};
use virtual_modem::{Broker, MemoryBroker, VirtualModem};

/// A real port (`--device /dev/ttyUSB2`), or a virtual module with a broker of its own (`--device sim:quectel`, the
/// default). Connections of the virtual one go to its broker, whatever host they name.
pub(crate) async fn open_device() -> mqtt_at::Result<Modem> {
    let device = std::env::args().skip_while(|word| word != "--device").nth(1);
    let device = device.unwrap_or_else(|| "sim:quectel".to_owned());
    let Some(vendor) = device.strip_prefix("sim:") else {
        return Modem::open(&device).await;
    };
    let vendor = vendor.parse().unwrap_or_else(|error| panic!("--device {device}: {error}"));
    let builder = VirtualModem::builder(vendor).broker(Broker::Memory(MemoryBroker::new()));
    let module = builder.build().unwrap_or_else(|error| panic!("--device {device}: {error}"));
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new());
    tokio::spawn(driver);
    opening.await
}
