//! The options of an MQTT broker.

use super::{Broker, Settings};
use crate::sink::secret;
use clap::Args;
use std::path::PathBuf;

/// Which broker it is published to.
#[derive(Clone, Debug, Args)]
pub struct MqttOptions {
    /// Publish it to an MQTT broker, where Home Assistant finds it, and can choose a presence; mqtts:// for TLS
    #[arg(long, value_name = "mqtt://USER@HOST:PORT")]
    pub mqtt: Option<Broker>,
    /// File with the password for the broker; or set PRESENCE_MQTT_PASSWORD
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    pub mqtt_password_file: Option<PathBuf>,
    /// File with the certificate that has signed the broker's, if it is none that this computer trusts
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    pub mqtt_ca: Option<PathBuf>,
    /// Name of this program on the broker, and of its device in Home Assistant; the computer's, if it is left out
    #[arg(long, value_name = "NAME", requires = "mqtt")]
    pub mqtt_name: Option<String>,
    /// Where Home Assistant looks for devices
    #[arg(long, value_name = "TOPIC", requires = "mqtt", default_value = "homeassistant")]
    pub mqtt_discovery: String,
}

impl MqttOptions {
    /// Returns what is said of a broker, if anything is.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, String> {
        let Some(broker) = self.mqtt.clone() else { return Ok(None) };
        let password = secret::read(self.mqtt_password_file.as_deref(), "PRESENCE_MQTT_PASSWORD")?;
        if password.is_some() && broker.user.is_none() {
            return Err("The password for --mqtt needs a user: write mqtt://USER@HOST.".into());
        }
        let name = match &self.mqtt_name {
            Some(name) => name.clone(),
            None => gethostname::gethostname().to_string_lossy().into_owned(),
        };
        if name.is_empty() {
            return Err("--mqtt-name is empty.".into());
        }
        let prefix = self.mqtt_discovery.trim_end_matches('/').to_owned();
        if prefix.is_empty() || prefix.contains(['+', '#', '\0']) {
            return Err("--mqtt-discovery is no topic.".into());
        }
        Ok(Some(Settings { broker, password, authority: self.mqtt_ca.clone(), name, prefix }))
    }
}
