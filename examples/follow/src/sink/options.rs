//! The options of the sinks.

use super::mqtt::MqttOptions;
use super::server::TellOptions;
use clap::Args;

/// Where the presence goes, beside the terminal.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where it is shown, beside this terminal")]
pub struct SinkOptions {
    /// Show it on the first lamp that is plugged in: a Pico or a micro:bit with this project's firmware
    #[arg(long, conflicts_with = "port")]
    pub lamp: bool,
    /// Show it on the lamp at this serial port, such as /dev/ttyACM0 or COM3
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,
    #[command(flatten)]
    pub tell: TellOptions,
    #[command(flatten)]
    pub mqtt: MqttOptions,
}
