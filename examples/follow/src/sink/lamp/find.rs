//! Which serial port a lamp is at.

use serialport::{SerialPortInfo, SerialPortType, UsbPortInfo};

/// A board that is recognised by what its USB says.
struct Board {
    vendor: u16,
    product: u16,
    /// The product string, where the ids alone could be another device's.
    name: Option<&'static str>,
}

const BOARDS: [Board; 2] = [
    // The Pico's firmware: ids that pid.codes lends to anybody's experiments, so the string has to match, too.
    Board { vendor: 0x1209, product: 0x0001, name: Some("Presence light") },
    // The interface chip of every micro:bit.
    Board { vendor: 0x0d28, product: 0x0204, name: None },
];

/// Returns the names of the ports at which a lamp is, in order: boards of this project, and no other device.
pub(super) fn lamps(ports: &[SerialPortInfo]) -> Vec<String> {
    let mut names: Vec<_> = ports.iter().filter(|port| is_lamp(port)).map(|port| port.port_name.clone()).collect();
    names.sort();
    names
}

fn is_lamp(port: &SerialPortInfo) -> bool {
    // macOS has two names for each port: one at `tty.` waits for a modem that nobody has.
    if port.port_name.starts_with("/dev/tty.") {
        return false;
    }
    match &port.port_type {
        SerialPortType::UsbPort(usb) => BOARDS.iter().any(|board| board.is(usb)),
        _ => false,
    }
}

impl Board {
    fn is(&self, usb: &UsbPortInfo) -> bool {
        (usb.vid, usb.pid) == (self.vendor, self.product) && self.name.is_none_or(|name| has_name(usb, name))
    }
}

/// Reports whether a device says this name of itself, as far as the system tells.
fn has_name(usb: &UsbPortInfo, name: &str) -> bool {
    // Windows tells the name of its own driver instead.
    cfg!(windows) || usb.product.as_deref().is_some_and(|product| product.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, port_type: SerialPortType) -> SerialPortInfo {
        SerialPortInfo { port_name: name.to_owned(), port_type }
    }

    fn usb(name: &str, vid: u16, pid: u16, product: Option<&str>) -> SerialPortInfo {
        let product = product.map(str::to_owned);
        port(name, SerialPortType::UsbPort(UsbPortInfo { vid, pid, serial_number: None, manufacturer: None, product }))
    }

    #[test]
    fn only_boards_of_this_project_are_lamps() {
        let ports = [
            usb("/dev/ttyACM3", 0x0d28, 0x0204, Some("DAPLink CMSIS-DAP")),
            port("/dev/ttyS0", SerialPortType::PciPort),
            port("/dev/rfcomm0", SerialPortType::BluetoothPort),
            port("/dev/ttyS1", SerialPortType::Unknown),
            // A printer, and a modem.
            usb("/dev/ttyUSB0", 0x1a86, 0x7523, Some("Presence light")),
            usb("/dev/ttyACM2", 0x12d1, 0x0001, None),
            usb("/dev/ttyACM1", 0x1209, 0x0001, Some("Presence light")),
            usb("/dev/cu.usbmodem1", 0x0d28, 0x0204, None),
            usb("/dev/tty.usbmodem1", 0x0d28, 0x0204, None),
        ];
        assert_eq!(lamps(&ports), ["/dev/cu.usbmodem1", "/dev/ttyACM1", "/dev/ttyACM3"]);
    }

    #[test]
    #[cfg(not(windows))]
    fn ids_that_anybody_may_use_are_not_enough() {
        let ports =
            [usb("/dev/ttyACM0", 0x1209, 0x0001, Some("Laser cutter")), usb("/dev/ttyACM1", 0x1209, 0x0001, None)];
        assert!(lamps(&ports).is_empty());
    }
}
