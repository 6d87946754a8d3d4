//! A presence light on an ESP32-C3, without an executor: an LED on GPIO 8, a button on GPIO 9, a UART on GPIO 20 and 21.

#![no_std]
#![no_main]

use esp_hal::gpio::{Input, InputConfig, Level, Output, OutputConfig, Pull};
use esp_hal::time::{Duration, Instant};
use esp_hal::timer::timg::{MwdtStage, TimerGroup};
use esp_hal::uart::{Config, Uart};
use firmware::storage::SnapshotStore;
use firmware::{Clock, Device, Identity, PinLight, PresenceLight, Pressed, ReceivedByte, WATCHDOG};
use static_cell::StaticCell;

esp_bootloader_esp_idf::esp_app_desc!();

/// What `GET /device` tells.
const IDENTITY: Identity = Identity { board: "esp32c3", serial_number: None };
static LIGHT: StaticCell<PresenceLight<PinLight<Output<'static>>>> = StaticCell::new();
/// Nothing survives a reset: a board that keeps its state implements `Storage`, or wraps its flash in `Flash`.
static SNAPSHOTS: StaticCell<SnapshotStore<()>> = StaticCell::new();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    esp_hal::system::software_reset()
}

#[esp_hal::main]
fn main() -> ! {
    let p = esp_hal::init(esp_hal::Config::default());
    let button = Input::new(p.GPIO9, InputConfig::default().with_pull(Pull::Up));
    let light = PinLight(Output::new(p.GPIO8, Level::Low, OutputConfig::default()));
    let mut device =
        Device::start(IDENTITY, LIGHT.init(PresenceLight::new(light)), SNAPSHOTS.init(SnapshotStore::new(())));
    // 115,200 baud, unless it says otherwise.
    let Ok(uart) = Uart::new(p.UART0, Config::default()) else { panic!() };
    let (mut receiver, mut sender) = uart.with_rx(p.GPIO20).with_tx(p.GPIO21).split();
    let mut watchdog = TimerGroup::new(p.TIMG0).wdt;
    watchdog.set_timeout(MwdtStage::Stage0, Duration::from_millis(WATCHDOG.as_millis()));
    watchdog.enable();
    let (mut wake_at, mut has_lost) = (Clock::START, false);
    loop {
        let now = Clock::at_uptime(Instant::now().duration_since_epoch().as_millis());
        // A board on batteries would sleep, until an interrupt of the UART, the button or a timer.
        if !receiver.read_ready() && now < wake_at && button.is_high() {
            continue;
        }
        let mut bytes = core::iter::from_fn(|| {
            let mut byte = [0];
            // An error says that bytes before this one were lost.
            while receiver.read_ready() {
                match receiver.read(&mut byte) {
                    Ok(1) => return Some(ReceivedByte { byte: byte[0], after_loss: core::mem::take(&mut has_lost) }),
                    _ => has_lost = true,
                }
            }
            None
        });
        device.turn(&mut bytes, Pressed { a: button.is_low(), b: false }, now, &mut sender);
        watchdog.feed();
        wake_at = device.wake_at(now);
    }
}
