"""What the server counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from eyespot.styling.options import Way

PATHS = frozenset({"/predict", "/model", "/metrics", "/healthz", "/", "/paint", "/paint/finer"})
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
BATCHES = (1, 2, 4, 8, 16)


class Metrics:
    """Counters of one server."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("eyespot_requests", "Requests answered", ["path", "status"], registry=self._registry)
        self._seconds = Histogram(
            "eyespot_request_seconds", "Time to answer POST /predict", buckets=SECONDS, registry=self._registry
        )
        self._pictures = Counter("eyespot_pictures", "Pictures asked about", ["outcome"], registry=self._registry)
        self._batches = Histogram(
            "eyespot_batch_pictures", "Pictures answered together", buckets=BATCHES, registry=self._registry
        )
        self._painted = Counter("eyespot_painted_pictures", "Pictures painted", ["way"], registry=self._registry)
        self._swaps = Counter("eyespot_swaps", "New models found on disk", ["outcome"], registry=self._registry)
        self._queue = Gauge("eyespot_queue_pictures", "Pictures waiting or worked on", registry=self._registry)
        self._model = Gauge("eyespot_model", "The served model", ["model", "fingerprint"], registry=self._registry)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        known = path if path in PATHS else "/v2" if path.startswith("/v2") else "other"
        self._requests.labels(known, str(status)).inc()
        if known == "/predict":
            self._seconds.observe(seconds)

    def pictures(self, *, answered: int, refused: int) -> None:
        """Counts the pictures of a request."""
        if answered:
            self._pictures.labels("answered").inc(answered)
        if refused:
            self._pictures.labels("refused").inc(refused)

    def batch(self, size: int) -> None:
        """Counts a batch that went through an engine."""
        self._batches.observe(size)

    def painted(self, way: Way) -> None:
        """Counts a picture that was painted."""
        self._painted.labels(way).inc()

    def swap(self, *, kept: bool) -> None:
        """Counts a new bundle that is served from now on, or was refused."""
        self._swaps.labels("served" if kept else "refused").inc()

    def text(self, *, queue: int, model: str, fingerprint: str) -> bytes:
        """All of it as Prometheus reads it."""
        self._queue.set(queue)
        self._model.clear()
        self._model.labels(model, fingerprint).set(1)
        return generate_latest(self._registry)
