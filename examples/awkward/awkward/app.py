"""The application: an ASGI app on an old Starlette and pydantic 1."""

import asyncio
import os

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


class StreamRequest(BaseModel):
    """Which stream is asked for: `lines`, with `pause` seconds after each."""

    lines: int = Field(5, ge=1, le=1000)
    pause: float = Field(0.1, ge=0, le=5)


async def ready(_):
    return JSONResponse({"ready": True})


async def about(_):
    return JSONResponse({name.lower(): os.environ.get(name) for name in ("PYM_ENV", "VERSION", "GREETING")})


async def stream(request):
    try:
        wanted = StreamRequest(**request.query_params)
    except ValidationError as error:
        return JSONResponse(error.errors(), status_code=400)
    return StreamingResponse(_lines(wanted), media_type="text/plain")


async def _lines(wanted):
    """One line at a time, the last one being `end`: who reads it has lost nothing."""
    for number in range(1, wanted.lines):
        yield f"{number}\n"
        await asyncio.sleep(wanted.pause)
    yield "end\n"


app = Starlette(
    routes=[Route("/healthz/ready", ready), Route("/about", about), Route("/stream", stream)],
)
