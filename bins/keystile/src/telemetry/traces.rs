//! Traces: sent to a collector over OTLP, if the standard variables of OpenTelemetry name one. What
//! else they say (sampling, headers, batches) is for its library to read.

use std::time::Duration;

use anyhow::Context;
use keystile_service::SPANS;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue, global};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Spans on their way to a collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send spans to the collector that the environment of the process names.
    ///
    /// # Errors
    /// The environment says what cannot be done.
    pub fn begin() -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.context("the OTEL_ variables cannot be followed")?;
        global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Self(provider))
    }

    /// What gives it the spans that are meant for traces, and those alone.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let ours = filter_fn(|told| told.is_span() && told.target() == SPANS);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("keystile"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
    }

    /// Sends what is left, and ends.
    pub async fn end(self) {
        // It blocks until the collector has answered.
        let ending = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_SPANS));
        match ending.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(cause = %error, "the last spans could not be sent"),
            Err(error) => tracing::warn!(cause = %error, "sending the last spans broke off"),
        }
    }
}

/// What sends the spans: `keystile`, unless the environment has another name for it.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let name = told.get(&Key::new("service.name")).map(|name| name.to_string());
    let named = name.is_some_and(|name| !name.starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = Resource::builder().with_attribute(version);
    if named { builder.build() } else { builder.with_service_name("keystile").build() }
}

const LAST_SPANS: Duration = Duration::from_secs(5);
