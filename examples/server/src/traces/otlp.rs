//! Spans by the OpenTelemetry SDK. A thread of the SDK sends them in batches; a full queue of it drops spans, and nothing waits.

use http::Request;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Response};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use std::net::IpAddr;
use std::time::Duration;

/// The longest time of a request to the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that the last spans have when the server ends.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// The most bytes of a text of the client's in a span.
const MAX_TEXT: usize = 256;

/// The spans of the server; none, unless there is a collector.
#[derive(Debug, Default)]
pub struct Traces(Option<(SdkTracerProvider, SdkTracer)>);

impl Traces {
    /// Starts sending spans to the collector at this URL, as `http://127.0.0.1:4318/v1/traces`.
    ///
    /// # Errors
    ///
    /// [`ExporterBuildError`] if it is no URL.
    pub fn start(endpoint: &str) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Blocking::default())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let resource = Resource::builder();
        let is_named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = if is_named { resource } else { resource.with_service_name(NAME) };
        let provider =
            SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
        let tracer = provider.tracer(NAME);
        Ok(Self(Some((provider, tracer))))
    }

    /// Begins the span of a request from this address, in the trace that it names.
    pub fn begin<B>(&self, request: &Request<B>, from: Option<IpAddr>) -> RequestSpan {
        let Some((_, tracer)) = &self.0 else { return RequestSpan(None) };
        let parent =
            TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(request.headers()));
        let mut attributes = vec![
            KeyValue::new("http.request.method", cut(request.method().as_str()).to_owned()),
            KeyValue::new("url.path", cut(request.uri().path()).to_owned()),
        ];
        attributes.extend(from.map(|address| KeyValue::new("client.address", address.to_canonical().to_string())));
        let span = tracer
            .span_builder("request")
            .with_kind(SpanKind::Server)
            .with_attributes(attributes)
            .start_with_context(tracer, &parent);
        RequestSpan(Some(parent.with_span(span).with_value(InTrace(tracer.clone()))))
    }

    /// Sends the last spans, as far as the collector takes them in [`LAST_SPANS`].
    pub fn close(&self) {
        if let Some((provider, _)) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST_SPANS)
        {
            tracing::warn!("the last spans are not sent: {error}");
        }
    }
}

/// The name of the instrumented library.
const NAME: &str = env!("CARGO_PKG_NAME");

/// The span of a request.
pub struct RequestSpan(Option<Context>);

impl RequestSpan {
    /// Runs a future within the span.
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.0 {
            Some(context) => future.with_context(context.clone()).await,
            None => future.await,
        }
    }

    /// Ends the span, now that the operation and the status are known.
    pub fn finish(self, operation: &'static str, status: u16) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        span.update_name(operation);
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Returns the beginning of a text, at most [`MAX_TEXT`] bytes, which ends with a whole character.
fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).filter(|_| text.len() > MAX_TEXT).unwrap_or(text)
}

/// The tracer, for spans within that of a request.
struct InTrace(SdkTracer);

/// A span within that of the request, ended when it is dropped.
pub struct Child {
    _span: Option<Span>,
}

/// Begins a span within that of the request that is being served.
pub fn child(name: &'static str) -> Child {
    let parent = Context::current();
    Child { _span: parent.get::<InTrace>().map(|InTrace(tracer)| tracer.start_with_context(name, &parent)) }
}

/// A client of HTTP for the thread of the SDK, which may wait.
#[derive(Debug)]
struct Blocking(ureq::Agent);

impl Default for Blocking {
    fn default() -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(EXPORT_TIMEOUT)).http_status_as_error(false);
        Self(config.build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Blocking {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(parts, body.to_vec()))?;
        let (parts, mut body) = response.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character_wherever_that_ends() {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &"🦀".repeat(5000);
            let cut = cut(&text);
            assert!(text.starts_with(cut) && (MAX_TEXT - 3..=MAX_TEXT).contains(&cut.len()), "{shift}: {}", cut.len());
        }
        for len in [0, 1, MAX_TEXT - 1, MAX_TEXT] {
            assert_eq!(cut(&"x".repeat(len)).len(), len);
        }
        assert_eq!(cut(&"x".repeat(MAX_TEXT + 1)).len(), MAX_TEXT);
    }
}
