//! Raspberry Pi Pico: an RP2040, on Embassy.
//!
//! | what | where |
//! | --- | --- |
//! | serial line | USB: it appears as a serial port |
//! | light | up to 64 WS2812 RGB LEDs in a row at GPIO 16, driven by a state machine of PIO0; one unless a setting says more |
//! | storage | the last 16 KiB of its flash |
//! | clock | the chip's timer, 64 bits of microseconds, which never wraps |
//! | buttons | between GPIO 14 and ground: “do not disturb”; between GPIO 15 and ground: clear |
//! | watchdog | the chip's own |
//!
//! One task runs the USB stack, one the presence light: it sleeps until its next deadline, a byte or a press.

#![no_std]
#![no_main]

#[path = "shared/panic.rs"]
mod panic;

use core::convert::Infallible;
use cortex_m::peripheral::SCB;
use defmt_rtt as _;
use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_executor::Spawner;
use embassy_futures::select::{Either, Either4, select, select4};
use embassy_rp::flash::Blocking;
use embassy_rp::gpio::{Input, Pull};
use embassy_rp::peripherals::{DMA_CH0, FLASH, PIO0, USB};
use embassy_rp::pio::Pio;
use embassy_rp::pio_programs::ws2812::{PioWs2812, PioWs2812Program};
use embassy_rp::usb::Driver;
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{bind_interrupts, dma, pio, usb};
use embassy_time::{Duration, Timer, with_timeout};
use embassy_usb::UsbDevice;
use embassy_usb::class::cdc_acm::{CdcAcmClass, ControlChanged, Receiver, Sender, State};
use firmware::storage::{Flash, SnapshotStore};
use firmware::{
    Clock, Device, Identity, LightSettings, MAX_OUTPUT, Port, PresenceLight, Pressed, ReceivedByte, SmartLight,
    WATCHDOG,
};
use presence_core::Instant;
use smart_leds_trait::{RGB8, SmartLedsWrite};
use static_cell::StaticCell;

bind_interrupts!(struct Interrupts {
    USBCTRL_IRQ => usb::InterruptHandler<USB>;
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

/// The longest packet of USB.
const PACKET: usize = 64;
/// The times after which a packet, and the output of a turn, is dropped, so that a host that does not read cannot stop the light,
/// nor one that reads slowly starve the watchdog.
const PACKET_TIMEOUT: Duration = Duration::from_millis(100);
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);
const WATCHDOG_PERIOD: Duration = Duration::from_millis(WATCHDOG.as_millis());

/// The length of the chip's flash. The linker script keeps the program out of its last 16 KiB.
const FLASH_LEN: usize = 2048 * 1024;
const STORAGE_START: u32 = FLASH_LEN as u32 - 16 * 1024;

/// A blocking driver: no instruction can be read while the flash is written.
type Storage = Flash<BlockingAsync<embassy_rp::flash::Flash<'static, FLASH, Blocking, FLASH_LEN>>>;
type Outbox = heapless::Vec<u8, MAX_OUTPUT>;

/// The most LEDs. Colours for LEDs that are not there go nowhere.
const LEDS: usize = 64;

static PRESENCE_LIGHT: StaticCell<PresenceLight<SmartLight<PendingColours, LEDS>>> = StaticCell::new();
static SNAPSHOTS: StaticCell<SnapshotStore<Storage>> = StaticCell::new();
static OUTBOX: StaticCell<Outbox> = StaticCell::new();

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let peripherals = embassy_rp::init(Default::default());
    let (device, port) = serial_port(Driver::new(peripherals.USB, Interrupts));
    match run_usb(device) {
        Ok(task) => spawner.spawn(task),
        Err(_) => restart(),
    }
    let Pio { mut common, sm0, .. } = Pio::new(peripherals.PIO0, Interrupts);
    let program = PioWs2812Program::new(&mut common);
    let mut leds = PioWs2812::new(&mut common, sm0, peripherals.DMA_CH0, Interrupts, peripherals.PIN_16, &program);

    let (sender, receiver, control) = port.split_with_control();
    let mut line = SerialLine { receiver, is_connected: false };
    let mut output = Output { sender, control, port: Port::new() };
    let mut button_pins =
        ButtonPins { a: Input::new(peripherals.PIN_14, Pull::Up), b: Input::new(peripherals.PIN_15, Pull::Up) };
    let presence_light = PRESENCE_LIGHT.init(PresenceLight::new(SmartLight(PendingColours(None))));
    presence_light.animated_light().set_settings(LightSettings { brightness: 52, ..LightSettings::DEFAULT });
    let outbox = OUTBOX.init(Outbox::new());
    let mut flash = embassy_rp::flash::Flash::new_blocking(peripherals.FLASH);
    let identity = Identity { board: "pico", serial_number: serial_number(&mut flash) };
    let flash = BlockingAsync::new(flash);
    // The range consists of whole sectors.
    let Ok(flash) = Flash::new(flash, STORAGE_START..FLASH_LEN as u32) else { restart() };
    let snapshots = SNAPSHOTS.init(SnapshotStore::new(flash));
    let mut device = Device::start(identity, presence_light, snapshots);
    let mut watchdog = Watchdog::new(peripherals.WATCHDOG);
    watchdog.start(WATCHDOG_PERIOD);
    let mut packet = [0; PACKET];
    // What was not handled yet of the packet.
    let mut unread = 0..0;
    loop {
        let now = now();
        // Output that does not fit into the outbox is lost; the light is not affected.
        let mut bytes = unread.by_ref().filter_map(|index| packet.get(index)).map(|byte| ReceivedByte::new(*byte));
        let pressed = button_pins.pressed();
        device.turn(&mut bytes, pressed, now, outbox);
        if let Some(colours) = device.light().0.0.take() {
            leds.write(&colours).await;
        }
        let mut has_changed = output.send(outbox).await;
        outbox.clear();
        watchdog.feed(WATCHDOG_PERIOD);
        if unread.is_empty() && !has_changed {
            let sleep = sleep_until(device.wake_at(now));
            let moved = button_pins.changed(pressed);
            match select4(output.control.control_changed(), line.receive(&mut packet), sleep, moved).await {
                Either4::First(()) => has_changed = true,
                Either4::Second(received) => {
                    output.port.on_received();
                    unread = 0..received;
                }
                Either4::Third(()) | Either4::Fourth(()) => {}
            }
        }
        if has_changed && output.port.on_control(output.control.dtr()) {
            // What the host before it has begun is not continued.
            unread = 0..0;
            device.reopen();
        }
    }
}

/// Returns the identifier of the flash chip, for the processor has none.
fn serial_number(flash: &mut embassy_rp::flash::Flash<'static, FLASH, Blocking, FLASH_LEN>) -> Option<u64> {
    let mut identifier = [0; 8];
    flash.blocking_unique_id(&mut identifier).ok()?;
    Some(u64::from_be_bytes(identifier))
}

/// Returns the current instant, from the chip's uptime.
fn now() -> Instant {
    let now = Clock::at_uptime(embassy_time::Instant::now().as_millis());
    firmware::log_tick(now.as_millis() as u32);
    now
}

fn sleep_until(moment: Instant) -> Timer {
    Timer::at(embassy_time::Instant::from_millis(Clock::uptime_at(moment)))
}

// --- the serial line

type Usb = Driver<'static, USB>;

/// Creates a serial port on USB.
fn serial_port(driver: Usb) -> (UsbDevice<'static, Usb>, CdcAcmClass<'static, Usb>) {
    static CONFIGURATION: StaticCell<[u8; 256]> = StaticCell::new();
    static BOS: StaticCell<[u8; 256]> = StaticCell::new();
    static CONTROL: StaticCell<[u8; 64]> = StaticCell::new();
    static STATE: StaticCell<State<'static>> = StaticCell::new();
    // A product id that pid.codes reserves for private tests.
    let mut config = embassy_usb::Config::new(0x1209, 0x0001);
    config.manufacturer = Some("presence-core");
    config.product = Some("Presence light");
    let mut builder = embassy_usb::Builder::new(
        driver,
        config,
        CONFIGURATION.init([0; 256]),
        BOS.init([0; 256]),
        &mut [],
        CONTROL.init([0; 64]),
    );
    let port = CdcAcmClass::new(&mut builder, STATE.init(State::new()), PACKET as u16);
    (builder.build(), port)
}

#[embassy_executor::task]
async fn run_usb(mut device: UsbDevice<'static, Usb>) -> ! {
    device.run().await
}

struct SerialLine {
    receiver: Receiver<'static, Usb>,
    is_connected: bool,
}

impl SerialLine {
    /// Waits for a packet, and returns its length. Nothing is lost if the future is dropped before.
    async fn receive(&mut self, packet: &mut [u8; PACKET]) -> usize {
        loop {
            if !self.is_connected {
                self.receiver.wait_connection().await;
                self.is_connected = true;
            }
            match self.receiver.read_packet(packet).await {
                Ok(count) => return count,
                Err(_) => self.is_connected = false,
            }
        }
    }
}

/// The serial line to the host.
struct Output {
    sender: Sender<'static, Usb>,
    control: ControlChanged<'static>,
    port: Port,
}

impl Output {
    /// Sends bytes to the host, and gives up if it does not read, or reads too slowly. Returns whether a host has opened or
    /// closed the port meanwhile, which ends the output.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        let Self { sender, control, port } = self;
        let write =
            async |packet: &[u8]| matches!(with_timeout(PACKET_TIMEOUT, sender.write_packet(packet)).await, Ok(Ok(())));
        let sending = with_timeout(OUTPUT_TIMEOUT, port.send(bytes, PACKET, write));
        matches!(select(control.control_changed(), sending).await, Either::First(()))
    }
}

// --- the light and the buttons

/// The next colours of the LEDs. The main loop sends them, because a light does not wait.
struct PendingColours(Option<[RGB8; LEDS]>);

impl SmartLedsWrite for PendingColours {
    type Error = Infallible;
    type Color = RGB8;

    fn write<T, I>(&mut self, colours: T) -> Result<(), Infallible>
    where
        T: IntoIterator<Item = I>,
        I: Into<RGB8>,
    {
        let pending = self.0.insert([RGB8 { r: 0, g: 0, b: 0 }; LEDS]);
        for (pending, colour) in pending.iter_mut().zip(colours) {
            *pending = colour.into();
        }
        Ok(())
    }
}

struct ButtonPins {
    a: Input<'static>,
    b: Input<'static>,
}

impl ButtonPins {
    fn pressed(&self) -> Pressed {
        Pressed { a: self.a.is_low(), b: self.b.is_low() }
    }

    /// Waits until the state of a button differs from `from`. It may differ already: a button may move during a send.
    async fn changed(&mut self, from: Pressed) {
        select(level_changed(&mut self.a, from.a), level_changed(&mut self.b, from.b)).await;
    }
}

async fn level_changed(pin: &mut Input<'static>, was_down: bool) {
    if was_down { pin.wait_for_high().await } else { pin.wait_for_low().await }
}

/// Resets the chip, as after power-on.
fn restart() -> ! {
    SCB::sys_reset()
}
