"""The doors: REST API, web UI and telemetry."""
