//! What happens when something is wrong with the firmware itself: it says so in its log and starts anew.

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    crate::restart()
}
