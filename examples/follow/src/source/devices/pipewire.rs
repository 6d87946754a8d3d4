//! What PipeWire says: the JSON of `pw-dump`.
//!
//! What counts is an application that records, now, from a microphone or a camera. What only measures levels
//! (`stream.monitor`, as pavucontrol does), what records what is played (`stream.capture.sink`), and filters and loopbacks
//! (`node.link-group`) do not.

use super::Uses;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Object {
    id: u32,
    #[serde(rename = "type", default)]
    kind: String,
    info: Option<Info>,
}

/// The parts of a node's, or a link's, description that matter here.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Info {
    state: Option<String>,
    output_node_id: Option<u32>,
    input_node_id: Option<u32>,
    #[serde(default)]
    props: Option<Map<String, Value>>,
}

impl Info {
    fn prop(&self, name: &str) -> Option<&str> {
        self.props.as_ref()?.get(name)?.as_str()
    }

    fn has(&self, name: &str) -> bool {
        match self.props.as_ref().and_then(|props| props.get(name)) {
            Some(Value::Bool(set)) => *set,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => false,
        }
    }

    fn class(&self) -> &str {
        self.prop("media.class").unwrap_or_default()
    }

    /// Reports whether a node is an application that records.
    fn records(&self) -> bool {
        let running = self.state.as_deref() == Some("running");
        let helps =
            self.has("stream.monitor") || self.has("stream.capture.sink") || self.prop("node.link-group").is_some();
        running && !helps && self.class().starts_with("Stream/Input/")
    }

    fn is_microphone(&self) -> bool {
        self.class().starts_with("Audio/Source") || self.class() == "Audio/Duplex"
    }

    /// Reports whether a node is a camera: a shared screen is a source of video as well.
    fn is_camera(&self) -> bool {
        let device = matches!(self.prop("device.api"), Some("v4l2" | "libcamera"));
        self.class().starts_with("Video/Source") && (device || self.prop("media.role") == Some("Camera"))
    }

    fn application(&self) -> &str {
        let names = ["application.process.binary", "application.name", "node.name"];
        names.into_iter().find_map(|name| self.prop(name)).unwrap_or("an application")
    }
}

/// Returns who uses what.
///
/// What changes while it is written follows in an array of its own, in which what is gone has no description.
///
/// # Errors
///
/// [`serde_json::Error`] if it is not what `pw-dump` writes.
pub fn parse(dump: &[u8]) -> Result<Uses, serde_json::Error> {
    let mut objects = BTreeMap::new();
    let mut arrays = 0;
    for array in serde_json::Deserializer::from_slice(dump).into_iter::<Vec<Object>>() {
        objects.extend(array?.into_iter().map(|object| (object.id, object)));
        arrays += 1;
    }
    if arrays == 0 {
        return Err(serde::de::Error::custom("it is empty"));
    }
    Ok(uses(&objects))
}

fn uses(objects: &BTreeMap<u32, Object>) -> Uses {
    let of = |kind: &str| {
        let objects = objects.values().filter(move |object| object.kind.ends_with(kind));
        objects.filter_map(|object| Some((object.id, object.info.as_ref()?))).collect::<BTreeMap<_, _>>()
    };
    let (nodes, links) = (of(":Node"), of(":Link"));
    let mut uses = Uses::default();
    for link in links.values().filter(|link| link.state.as_deref() == Some("active")) {
        let node = |id: Option<u32>| nodes.get(&id?).copied();
        let (Some(source), Some(stream)) = (node(link.output_node_id), node(link.input_node_id)) else { continue };
        if stream.records() && source.is_microphone() {
            uses.microphone.insert(stream.application().to_owned());
        }
        if stream.records() && source.is_camera() {
            uses.camera.insert(stream.application().to_owned());
        }
    }
    uses
}
