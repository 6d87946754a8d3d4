//! A presence light on an nRF52840, with Embassy: an LED from P0.03 to ground; a UART on P0.06 and P0.08 and a button on P0.11,
//! as on Nordic's development kit.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_futures::select::{Either3, select3};
use embassy_nrf::buffered_uarte::{BufferedUarte, InterruptHandler};
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::{bind_interrupts, peripherals, uarte, wdt};
use embassy_time::{Instant, Timer};
use embedded_io_async::Write;
use firmware::storage::SnapshotStore;
use firmware::{
    Clock, Device, Identity, MAX_OUTPUT, PinLight, PresenceLight, Pressed, QUEUE_LEN, ReceivedByte, WATCHDOG,
};
use panic_reset as _;
use static_cell::{ConstStaticCell, StaticCell};

bind_interrupts!(struct Interrupts {
    UARTE0 => InterruptHandler<peripherals::UARTE0>;
});

/// What `GET /device` tells.
const IDENTITY: Identity = Identity { board: "nrf52840", serial_number: None };
static LIGHT: StaticCell<PresenceLight<PinLight<Output<'static>>>> = StaticCell::new();
/// Nothing survives a reset: a board that keeps its state implements `Storage`, or wraps its flash in `Flash`.
static SNAPSHOTS: StaticCell<SnapshotStore<()>> = StaticCell::new();
static OUTBOX: ConstStaticCell<heapless::Vec<u8, MAX_OUTPUT>> = ConstStaticCell::new(heapless::Vec::new());
static BUFFERS: ConstStaticCell<[[u8; QUEUE_LEN]; 2]> = ConstStaticCell::new([[0; QUEUE_LEN]; 2]);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_nrf::init(Default::default());
    let mut button = Input::new(p.P0_11, Pull::Up);
    let light = LIGHT.init(PresenceLight::new(PinLight(Output::new(p.P0_03, Level::Low, OutputDrive::Standard))));
    let mut device = Device::start(IDENTITY, light, SNAPSHOTS.init(SnapshotStore::new(())));
    let mut config = uarte::Config::default();
    config.baudrate = uarte::Baudrate::Baud115200;
    let [rx, tx] = BUFFERS.take();
    let (timer, first, second, group) = (p.TIMER0, p.PPI_CH0, p.PPI_CH1, p.PPI_GROUP0);
    let uart = BufferedUarte::new(p.UARTE0, timer, first, second, group, p.P0_08, p.P0_06, Interrupts, config, rx, tx);
    let (mut receiver, mut sender) = uart.split();
    let mut config = wdt::Config::default();
    config.timeout_ticks = WATCHDOG.as_secs() as u32 * 32_768;
    let Ok((_watchdog, [mut watchdog])) = wdt::Watchdog::try_new(p.WDT, config) else { panic!() };
    let (outbox, mut bytes, mut received) = (OUTBOX.take(), [0; 64], 0..0);
    loop {
        let now = Clock::at_uptime(Instant::now().as_millis());
        let mut line = received.by_ref().filter_map(|at| bytes.get(at)).map(|byte| ReceivedByte::new(*byte));
        let pressed = Pressed { a: button.is_low(), b: false };
        device.turn(&mut line, pressed, now, outbox);
        let _ = sender.write_all(outbox).await;
        outbox.clear();
        watchdog.pet();
        if received.is_empty() {
            let sleep = Timer::at(Instant::from_millis(Clock::uptime_at(device.wake_at(now))));
            let moved = async { if pressed.a { button.wait_for_high().await } else { button.wait_for_low().await } };
            if let Either3::First(Ok(count)) = select3(receiver.read(&mut bytes), sleep, moved).await {
                received = 0..count;
            }
        }
    }
}
