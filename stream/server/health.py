"""Routes for whoever watches over the server: /healthz, /readyz, /metrics."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from selftalk.stream.server.app import ServerContext


def routes(context: ServerContext) -> list[BaseRoute]:
    """Alive, ready for one more conversation, and the figures."""

    def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_request: Request) -> Response:
        if context.admission.ready:
            return PlainTextResponse("ready\n")
        reason = "draining" if context.admission.draining else "full"
        return PlainTextResponse(f"{reason}\n", status_code=503)

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(
            context.telemetry.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    context.telemetry.gauge("sessions", lambda: context.admission.active)
    context.telemetry.gauge("sessions_capacity", lambda: context.admission.capacity)
    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
