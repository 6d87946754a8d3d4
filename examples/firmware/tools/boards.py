"""The emulated boards: how each is built and emulated, and where its light can be read."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Board:
    """An emulated board."""

    name: str
    target: str
    qemu: str
    machine: tuple
    # The bytes that its UART holds until the processor reads them.
    fifo: int
    # The counts of its counter in a millisecond.
    rate: float
    # The function that reads its light from registers or memory.
    light: object
    # The function that lets the power of its LEDs blink; those of most boards are the board's own.
    darken: object = field(default=lambda machine: None, kw_only=True)
    # The function that reads its counter, 32 bits that count up, and how many counts a millisecond has as its registers are set.
    counter: object
    # The interrupt that lights a row of a matrix.
    row: str = ""
    # The buttons: a type of device, the index of the device, and its pin, which is low while the button is pressed.
    pins: dict = field(default_factory=dict)
    # The function that returns the level at which a button's pin wakes the processor, if the emulator does not wake it itself.
    wakes_at: object = None
    # The emulator has its watchdog.
    has_watchdog: bool = False


def matrix(machine):
    """Returns the micro:bit's 5 by 5 LEDs, from its three rows of nine."""
    layout = [
        "00 42 24", "20 02 44", "40 22 04", "43 10 01", "33 30 11", "23 34 21", "13 14 31", "03 -- 41", "12 -- 32",
    ]
    lit = set()
    for out in rows(machine):
        for column, names in enumerate(layout):
            for row, name in enumerate(names.split()):
                if name != "--" and out & 1 << 13 + row and not out & 1 << 4 + column:
                    lit.add(name)
    return "/".join("".join("#" if f"{x}{y}" in lit else "." for x in range(5)) for y in range(5))


def rows(machine):
    """Returns the states of the pins during a cycle of the rows, or the only state while all is dark."""
    pins, interrupts_on = 0x50000504, 0xE000E100
    if not machine.word(interrupts_on) & 1 << 9:
        return [machine.word(pins)]
    # Three rows, at most two events for each, after the rest of the cycle before. The device may wake in between.
    seen = []
    machine.limit_sleep(60)
    while len(seen) < 12:
        if machine.go(until_row=True):
            seen.append(machine.word(pins))
        elif not machine.word(interrupts_on) & 1 << 9:
            return [machine.word(pins)]
        else:
            machine.limit_sleep(60)
    machine.go()
    return seen[6:]


def timer0(machine):
    """Returns the latest reading of the micro:bit's TIMER0, 16 MHz by a power of two."""
    return machine.word(0x40008544), 16_000 / (1 << machine.word(0x40008510))


def systick(machine):
    """Returns the LM3S6965's SysTick, 24 bits that count down at 200 MHz by its divisor, and the times that it has wrapped."""
    wraps, down = machine.word(machine.address("WRAPS")), machine.word(0xE000E018)
    return (wraps << 24) + (1 << 24) - 1 - down & 0xFFFF_FFFF, 200_000 / ((machine.word(0x400FE060) >> 23 & 15) + 1)


def dual_timer(machine):
    """Returns the MPS2's dual timer, which counts down, at 25 MHz by 16 to the power of its prescaler."""
    return ~machine.word(0x40002004) & 0xFFFF_FFFF, 25_000 / 16 ** (machine.word(0x40002008) >> 2 & 3)


def mtime(machine):
    """Returns the low half of virt's time, at 10 MHz."""
    return machine.word(0x0200BFF8), 10_000


def sensed(machine, button):
    """Returns the level that a pin of the micro:bit is told to interrupt at."""
    _, _, pin = machine.board.pins[button]
    return {2: 1, 3: 0}.get(machine.word(0x50000700 + 4 * pin) >> 16 & 3)


def status_led(machine):
    """Returns the state of the LM3S6965's LED, port F pin 0."""
    return "lit" if machine.word(0x40025000 + (1 << 2)) & 1 else "dark"


def led_bar(machine):
    """Returns the MPS2's eight LEDs, from its system controller."""
    leds = machine.word(0x4002F004) & 0xFF
    return "".join("#" if leds & 1 << bit else "." for bit in range(8))


def strip(machine):
    """Returns the colour of the first RGB LED, whose bytes are green, red and blue."""
    green, red, blue = machine.read(machine.address("STRIP"), 3)
    return f"#{red:02x}{green:02x}{blue:02x}"


def darken_strip(machine):
    """Lets the power of the RGB LEDs blink."""
    machine.write(machine.address("STRIP"), 0)


ARM, RISCV = "qemu-system-arm", "qemu-system-riscv32"
MICROBIT_PINS = {"A": ("nrf51-soc", 0, 17), "B": ("nrf51-soc", 0, 26)}
# Ports are lettered: E is the fifth.
LM3S6965_PINS = {"A": ("pl061_luminary", 4, 2), "B": ("pl061_luminary", 4, 3)}

BOARDS = {
    board.name: board
    for board in (
        Board("microbit", "thumbv6m-none-eabi", ARM, ("microbit",), 6, 31.25, matrix, timer0, "TIMER1", MICROBIT_PINS, sensed),
        Board("lm3s6965evb", "thumbv7m-none-eabi", ARM, ("lm3s6965evb",), 16, 12_500, status_led, systick, "", LM3S6965_PINS, None, True),
        Board("mps2-an386", "thumbv7em-none-eabihf", ARM, ("mps2-an386",), 1, 97.65625, led_bar, dual_timer, has_watchdog=True),
        Board("virt", "riscv32imc-unknown-none-elf", RISCV, ("virt", "-bios", "none"), 1, 10_000, strip, mtime, darken=darken_strip),
    )
}
