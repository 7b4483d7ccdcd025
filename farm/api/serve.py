"""Run the API: one process, one thread of its own for requests, others for what takes long."""

import resource
from pathlib import Path

import uvicorn

from farm.api.app import build
from farm.api.core import Api
from farm.errors import BadSetting
from farm.settings import Settings

#: Seconds that a connection is kept on which nothing is asked: longer than clients and proxies do.
IDLE_SECONDS = 75
#: Seconds that requests get to finish when the server is told to stop.
STOP_SECONDS = 5


def run(settings: Settings) -> None:
    """Serve until a signal ends it; raises BadSetting for a certificate that is not there."""
    for name in ("api_certificate", "api_certificate_key"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise BadSetting(name, f"there is no file {path}")
    _allow_files()
    uvicorn.run(
        build(Api(settings)),
        host=settings.api_address,
        port=settings.api_port,
        ssl_certfile=settings.api_certificate or None,
        ssl_keyfile=settings.api_certificate_key or None,
        http="httptools",
        loop="uvloop",
        lifespan="on",
        # Whom to believe is for farm/api/urls.py to say.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _allow_files() -> None:
    """Allow as many connections as the system would, instead of the 1,024 that are usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
